"""Words of `forewarn rules tune`, in both languages."""

from pipeline.shells.texts import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "{rule}: {now} in '{comparison}' swept over {first} to {last}, {defaulted} of {borrowers} defaulted",
        "value": "value",
        "alerts": "alerts",
        "caught": "caught",
        "recall": "recall",
        "lead": "lead, days",
        "ahead": "{days} days ahead",
        "precision": "right at least",
        "only": "only here",
        "a_month": "per 1,000 and month",
        "now": "{value} (now)",
        "reads": (
            "Each value as if it alone went live beside the rest of the shelf. Nothing is written: a value that you "
            "take from here is `basis: fitted`, with its date; look at it on other borrowers before you do."
        ),
        "page_title": "One number of a rule, swept",
        "trade_title": "What each value catches, and the work it makes",
        "trade_says": "{rule}: {now} in '{comparison}'",
        "trade_reads": (
            "Each point is a value. Higher catches more defaulters, further right makes more alerts; "
            "the steep part is cheap."
        ),
        "trade_x": "alerts per 1,000 borrowers and month",
        "trade_y": "share of defaulters caught",
        "lead_title": "How early, and how right",
        "lead_reads": "Defaulters caught at least so many days ahead, and alerts that were right, as shares.",
        "share": "share",
        "section": "Sweep",
        "nobody": "No value opened an alert.",
        "foot": "Made by forewarn rules tune from past events; it changes no rule.",
        "written": "written to {file}",
    },
    "zh": {
        "title": (
            "{rule}：'{comparison}' 中的 {now} 在 {first} 至 {last} 上取不同的值，{borrowers}中有 {defaulted} 个违约"
        ),
        "value": "取值",
        "alerts": "预警",
        "caught": "捕获",
        "recall": "召回率",
        "lead": "提前天数",
        "ahead": "提前 {days} 天",
        "precision": "至少正确",
        "only": "仅此捕获",
        "a_month": "每千人每月",
        "now": "{value}（现值）",
        "reads": (
            "每个取值都当作它单独与其余规则一起生效。不写任何文件：从这里取用的值应写 `basis: fitted` 和日期；"
            "取用之前，请先在别的借款人身上看一看。"
        ),
        "page_title": "一条规则的一个数字，取不同的值",
        "trade_title": "每个取值捕获多少、带来多少工作",
        "trade_says": "{rule}：'{comparison}' 中的 {now}",
        "trade_reads": "每个点是一个取值。越高捕获的违约者越多，越靠右预警越多；陡的一段代价小。",
        "trade_x": "每千名借款人每月的预警",
        "trade_y": "捕获的违约者占比",
        "lead_title": "提前多久、准确多少",
        "lead_reads": "至少提前若干天捕获的违约者占比，以及正确预警的占比。",
        "share": "占比",
        "section": "取值对照",
        "nobody": "没有一个取值打开过预警。",
        "foot": "由 forewarn rules tune 根据过去的事件生成；它不改动任何规则。",
        "written": "已写入 {file}",
    },
}
