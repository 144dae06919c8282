"""What the commands of an embedded engine say, in English and Chinese."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "runs_at": "listens at {url}, data in {folder}; Ctrl-C stops it",
        "fresh_key": "API key, shown this once (scopes ingest, read, admin): {key}",
        "exported": "{events} arrivals and what came of them, written to {folder}",
        "day_closed": "{date} is closed",
        "backfilled": "history of {borrowers} until {date} is in {folder}; start forewarn run on it",
        "backfilled_before": "history of {borrowers} until {date} was loaded into {folder} before; nothing was changed",
        "rule": "rule",
        "severity": "severity",
        "open_alerts": "open alerts",
        "queue": "queue",
        "open_tasks": "open tasks",
        "bucket": "days past due",
        "loans": "open loans",
        "exposure": "exposure, minor units of {currency}",
        "exposure_unknown": "of them unknown",
        "unknown": "unknown",
    },
    "zh": {
        "runs_at": "监听 {url}，数据在 {folder}；按 Ctrl-C 停止",
        "fresh_key": "API 密钥，仅显示这一次（权限 ingest、read、admin）：{key}",
        "exported": "{events} 条到达记录及其结果已写入 {folder}",
        "day_closed": "{date} 已日终",
        "backfilled": "{borrowers}截至 {date} 的历史已载入 {folder}；可以在其上启动 forewarn run",
        "backfilled_before": "{borrowers}截至 {date} 的历史此前已载入 {folder}；未作任何改动",
        "rule": "规则",
        "severity": "级别",
        "open_alerts": "打开的预警",
        "queue": "队列",
        "open_tasks": "打开的任务",
        "bucket": "逾期天数",
        "loans": "未结清贷款",
        "exposure": "敞口（{currency}，最小货币单位）",
        "exposure_unknown": "其中敞口未知",
        "unknown": "未知",
    },
}
