"""Words of `forewarn rules challengers`, in both languages."""

from pipeline.shells.texts import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "record": "By what was said, {first} to {last}; the truth is {truth}",
        "events": "By what would have been said, {first} to {last}; the truth is {truth}",
        "truth_events": "the defaults in the events",
        "title": "{rule} challenges {challenges} ({status})",
        "in_shadow": "in shadow since {since}, {days}; {said}",
        "draft": "a draft: it decides nothing yet",
        "first_said": "first alert on {date}",
        "nothing_said": "no alert yet",
        "days": "compared {first} to {last}",
        "who": "Who would be alerted otherwise, by the first alert (defaulters / others)",
        "differences": "What would move: the challenger (after) beside its rule (before)",
        "reading": (
            "A defaulter defaulted on the compared days, and not before the first of both alerts. Days are the median "
            "of those who are earlier or later. A rule in shadow gives no task: tasks are told by "
            "forewarn backtest --against, with the challenger's fields in its rule."
        ),
    },
    "zh": {
        "record": "按实际所说，{first} 至 {last}；真实结果取自{truth}",
        "events": "按本来会说的，{first} 至 {last}；真实结果取自{truth}",
        "truth_events": "事件中的违约",
        "title": "{rule} 挑战 {challenges}（{status}）",
        "in_shadow": "自 {since} 起为影子规则，{days}；{said}",
        "draft": "草稿：尚不作任何决定",
        "first_said": "第一条预警在 {date}",
        "nothing_said": "尚无预警",
        "days": "比较 {first} 至 {last}",
        "who": "谁的预警会不同，按第一条预警（违约者 / 其他）",
        "differences": "会有什么变动：挑战者（之后）与其规则（之前）",
        "reading": (
            "违约者：在比较的日子里违约，且不早于两边第一条预警中较早的一条。天数为提前者或推迟者的中位数。"
            "影子规则不产生任务：把挑战者的字段写入其规则后，用 forewarn backtest --against 可知任务数。"
        ),
    },
}
