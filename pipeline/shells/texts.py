"""What the commands say, in English and Chinese."""

from typing import Literal

Language = Literal["en", "zh"]
TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "no_faults": "{rules}, no faults",
        "cases": "{passed} of {all} passed",
        "locked": "{file}: {rules}, {changed} of them new or changed",
        "refused": (
            "warning: {refused} of {events} refused, most often as {reason}; "
            "check that {config} has the currency and the zone of the data, and read {file}"
        ),
        "default_settings": "the settings file (now {file})",
        "pass": "pass",
        "fail": "FAIL",
        "expected": "expected",
        "got": "got",
        "nothing": "nothing",
        "day": "day {n}",
        "replayed": "{events} of {borrowers}, {days} closed, as of {as_of}",
        "written": "written to {folder}",
        "file": "file",
        "records": "records",
        "detail": "of which",
        "disagreements": "snapshots that differ from the ledger",
        "unknown_fields": "unknown fields ignored",
        "waiting": "events still waiting",
        "riskiest": "The borrowers most at risk",
        "borrower": "borrower",
        "days_past_due": "days past due",
        "exposure": "exposure",
        "arrears": "arrears",
        "open_alerts": "open alerts",
        "worst": "worst",
        "by_rule": "Alerts by rule and severity",
        "rule": "rule",
        "lead": "How early: alerts against the real defaults",
        "metric": "metric",
        "value": "value",
        "defaulters": "borrowers that defaulted",
        "alerted_before": "of them alerted before the default",
        "lead_median": "lead time, median",
        "lead_share": "alerted at least {days} ahead",
        "precision": "alerted borrowers that defaulted",
        "base_rate": "all borrowers that defaulted",
        "workload": "alerts per 1,000 borrowers and month",
        "one_alert": "One alert, from the first sign to its end",
        "when": "when",
        "what": "what",
        "story_alert": "alert {transition} ({severity}): {said}",
        "story_task": "task {status}: {queue}, {action}, due {due_by}",
        "story_task_end": "task {status}",
        "story_late": "snapshot: {days} past due",
        "story_missed": "instalment missed",
        "story_behind": "instalment missed, {months} behind",
        "story_defaulted": "the bank calls the loan defaulted",
        "more": "more: forewarn explain {id} --from {folder}",
        "numbers": "The numbers it saw",
        "measure": "measure",
        "known": "known",
        "window": "window",
        "ending": "{over}, ending {ago} ago",
        "because": "Because",
        "what_to_do": "What to do",
        "mistakes": "What it may mistake",
        "blind": "What it cannot see",
        "clears": "What would clear it",
        "clear_any": "any of these, {when}:",
        "clear_all": "all of these, {when}:",
        "clear_one": "this, {when}:",
        "clear_for": "for {days}",
        "clear_now": "at once",
        "is_closed": "This record is the end of the alert; reason: {reason}.",
        "the_rule": "The rule, {file}, version {version}",
    },
    "zh": {
        "no_faults": "{rules}，没有错误",
        "cases": "{all}中 {passed} 个通过",
        "locked": "{file}：{rules}，其中 {changed} 条为新增或有改动",
        "refused": (
            "警告：{events}中有 {refused} 个被拒收，最常见的原因：{reason}；"
            "请检查{config}中的币种和时区是否与数据一致，并查看 {file}"
        ),
        "default_settings": "设置文件（目前为 {file}）",
        "pass": "通过",
        "fail": "失败",
        "expected": "期望",
        "got": "实际",
        "nothing": "无",
        "day": "第 {n} 天",
        "replayed": "{borrowers}的 {events}，日终 {days}，截至 {as_of}",
        "written": "已写入 {folder}",
        "file": "文件",
        "records": "记录数",
        "detail": "其中",
        "disagreements": "快照与台账不一致",
        "unknown_fields": "忽略的未知字段",
        "waiting": "仍在等待的事件",
        "riskiest": "风险最高的借款人",
        "borrower": "借款人",
        "days_past_due": "逾期天数",
        "exposure": "敞口",
        "arrears": "欠款",
        "open_alerts": "未关闭预警",
        "worst": "最高级别",
        "by_rule": "按规则和级别统计的预警",
        "rule": "规则",
        "lead": "提前多久：预警与真实违约对照",
        "metric": "指标",
        "value": "值",
        "defaulters": "违约借款人",
        "alerted_before": "其中违约前已预警",
        "lead_median": "提前期中位数",
        "lead_share": "至少提前 {days}预警",
        "precision": "被预警借款人中违约的比例",
        "base_rate": "全部借款人中违约的比例",
        "workload": "每千位借款人每月预警数",
        "one_alert": "一条预警：从最初迹象到结束",
        "when": "时间",
        "what": "内容",
        "story_alert": "预警{transition}（{severity}）：{said}",
        "story_task": "任务{status}：{queue}，{action}，{due_by} 到期",
        "story_task_end": "任务{status}",
        "story_late": "快照：逾期 {days}",
        "story_missed": "漏还一期",
        "story_behind": "漏还一期，落后 {months}",
        "story_defaulted": "银行认定该贷款违约",
        "more": "详情：forewarn explain {id} --from {folder}",
        "numbers": "它看到的数字",
        "measure": "指标",
        "known": "已知程度",
        "window": "窗口",
        "ending": "{over}，止于 {ago} 之前",
        "because": "为什么",
        "what_to_do": "怎么做",
        "mistakes": "可能的误报",
        "blind": "看不到的情况",
        "clears": "怎样才会解除",
        "clear_any": "以下任一条成立，{when}解除：",
        "clear_all": "以下全部成立，{when}解除：",
        "clear_one": "下面这条成立，{when}解除：",
        "clear_for": "持续 {days}后",
        "clear_now": "立即",
        "is_closed": "这条记录是预警的结束；原因：{reason}。",
        "the_rule": "规则 {file}，版本 {version}",
    },
}

# One and several of each thing that is counted; Chinese has one form.
NOUNS: dict[Language, dict[str, tuple[str, str]]] = {
    "en": {
        "event": ("event", "events"),
        "borrower": ("borrower", "borrowers"),
        "day": ("day", "days"),
        "month": ("month", "months"),
        "rule": ("rule", "rules"),
        "case": ("case", "cases"),
    },
    "zh": {
        "event": ("个事件", "个事件"),
        "borrower": ("位借款人", "位借款人"),
        "day": ("天", "天"),
        "month": ("个月", "个月"),
        "rule": ("条规则", "条规则"),
        "case": ("个用例", "个用例"),
    },
}

# The words of the decisions, for tables that people read; files keep them as they are.
CHINESE = {
    "opened": "打开",
    "raised": "升级",
    "closed": "关闭",
    "low": "低",
    "medium": "中",
    "high": "高",
    "critical": "严重",
    "cleared": "条件已解除",
    "corrected": "数据已更正",
    "rule_changed": "规则已变更",
    "loan_closed": "贷款已了结",
    "all": "全部",
    "part": "部分",
    "none": "无",
    "known": "已知",
    "unknown": "未知",
    "open": "待办",
    "updated": "已更新",
    "cancelled": "已取消",
    "done": "已完成",
    "not_json": "不是 JSON",
    "too_long": "过长",
    "unknown_type": "未知类型",
    "bad_field": "字段有误",
    "conflict": "编号冲突",
    "misrouted": "投错主题",
    "too_old": "过旧",
    "unmatched_reversal": "冲正无对应还款",
    "fault": "程序故障",
}


def word(name: str, lang: Language) -> str:
    """A word of the decisions as people of a language read it.

    >>> word("raised", "en"), word("raised", "zh")
    ('raised', '升级')
    """
    return CHINESE.get(name, name) if lang == "zh" else name


def counted(number: int, noun: str, lang: Language) -> str:
    """A number with what it counts.

    >>> counted(1, "borrower", "en"), counted(2_000, "borrower", "en"), counted(1, "day", "zh")
    ('1 borrower', '2,000 borrowers', '1 天')
    """
    one, several = NOUNS[lang][noun]
    return f"{number:,} {one if number == 1 else several}"
