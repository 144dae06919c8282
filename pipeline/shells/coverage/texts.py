"""Words of `forewarn rules coverage`, in both languages."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Coverage of early-warning signs",
        "counts": "{covered} covered, {partly} partly, {not_covered} not covered",
        "sign": "sign",
        "status": "status",
        "rules": "rules",
        "not_seen": "what is not seen",
        "covered": "covered",
        "partly": "partly",
        "not_covered": "not covered",
        "in_shadow": "Its rules are in shadow: they decide and tell nobody.",
        "all_off": "Its rules are in packs that are off; name the pack in the settings (packs).",
        "shadow": "{rule} (shadow)",
        "off": "{rule} (off)",
        "recalled": "its place or wording was not compared with the source",
        "shelf": "shelf {hash}",
        "written": "written to {file}",
    },
    "zh": {
        "title": "预警信号覆盖情况",
        "counts": "已覆盖 {covered}，部分覆盖 {partly}，未覆盖 {not_covered}",
        "sign": "信号",
        "status": "状态",
        "rules": "规则",
        "not_seen": "看不到的部分",
        "covered": "已覆盖",
        "partly": "部分覆盖",
        "not_covered": "未覆盖",
        "in_shadow": "相应规则处于 shadow：只判断，不通知任何人。",
        "all_off": "相应规则所在的规则包未启用；请在设置的 packs 中写明。",
        "shadow": "{rule}（shadow）",
        "off": "{rule}（未启用）",
        "recalled": "位置或措辞尚未与原文核对",
        "shelf": "规则集 {hash}",
        "written": "已写入 {file}",
    },
}
