"""What the commands of webhooks say, in English and Chinese."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "none": "no webhook was ever named for {folder}; name some with forewarn run --webhooks FILE",
        "name": "webhook",
        "condition": "state",
        "waiting": "waiting",
        "delivered": "taken",
        "failed": "failed",
        "row": "row",
        "last_error": "last fault",
        "fine": "fine",
        "retrying": "retrying",
        "refused": "refused there",
        "stopped": "stopped",
        "absent": "not in the file",
        "resumed": "{name} goes on, as soon as the engine runs",
    },
    "zh": {
        "none": "{folder} 从未指定过 webhook；用 forewarn run --webhooks FILE 指定",
        "name": "webhook",
        "condition": "状态",
        "waiting": "待发",
        "delivered": "已收下",
        "failed": "失败次数",
        "row": "行号",
        "last_error": "最近一次失败",
        "fine": "正常",
        "retrying": "重试中",
        "refused": "被对方拒绝",
        "stopped": "已停止",
        "absent": "不在文件中",
        "resumed": "引擎运行时，{name} 即继续发送",
    },
}
