"""What the commands of an embedded engine say, in English and Chinese."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "runs_at": "listens at {url}, data in {folder}; Ctrl-C stops it",
        "fresh_key": "API key, shown this once (scopes ingest, read, admin): {key}",
        "exported": "{events} arrivals and what came of them, written to {folder}",
        "day_closed": "{date} is closed",
        "put": "put into the inbox: {file}",
        "sending": "sending",
        "sent_to": "Events sent to {url}",
        "sent": "sent",
        "accepted": "accepted",
        "refused": "refused, see its dead letters",
        "repeated": "sent before, and not taken again",
    },
    "zh": {
        "runs_at": "监听 {url}，数据在 {folder}；按 Ctrl-C 停止",
        "fresh_key": "API 密钥，仅显示这一次（权限 ingest、read、admin）：{key}",
        "exported": "{events} 条到达记录及其结果已写入 {folder}",
        "day_closed": "{date} 已日终",
        "put": "已放入收件目录：{file}",
        "sending": "发送",
        "sent_to": "发送到 {url} 的事件",
        "sent": "发送",
        "accepted": "接受",
        "refused": "拒收，见死信",
        "repeated": "以前发送过，不再处理",
    },
}
