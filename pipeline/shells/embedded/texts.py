"""What the commands of an embedded engine say, in English and Chinese."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "runs_at": "listens at {url}, data in {folder}; Ctrl-C stops it",
        "fresh_key": "API key, shown this once (scopes ingest, read, admin): {key}",
        "exported": "{events} arrivals and what came of them, written to {folder}",
        "day_closed": "{date} is closed",
    },
    "zh": {
        "runs_at": "监听 {url}，数据在 {folder}；按 Ctrl-C 停止",
        "fresh_key": "API 密钥，仅显示这一次（权限 ingest、read、admin）：{key}",
        "exported": "{events} 条到达记录及其结果已写入 {folder}",
        "day_closed": "{date} 已日终",
    },
}
