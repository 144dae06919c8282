"""What `forewarn backtest` says in English and Chinese, on the screen and on its page."""

from pipeline.shells.texts import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "read": "{events} of {borrowers}, {first} to {last}",
        "unused": "{count} of them could not be used: {reasons}",
        "history": (
            "{days} from {first} on are history: they fill the windows, and what was decided on them is not judged "
            "({alerts}). Still open on {since}: {open}, of {borrowers}, not counted as warned by it"
        ),
        "refused": (
            "warning: {refused} of {events} refused, most often as {reason}; check that {config} has the currency and "
            "the zone of the data, and replay them to read why"
        ),
        "right": "Rule by rule: how right, how much work (a team works at most {budget} a day)",
        "early": "Rule by rule: how early (of the borrowers that defaulted)",
        "candidates": "Rules that tell nobody yet, each as if it alone went live beside the live ones",
        "rule": "rule",
        "shelf": "all live rules",
        "alerts": "alerts",
        "true": "true",
        "false": "false",
        "censored": "censored",
        "after_default": "after the default",
        "precision": "precision",
        "worked": "worked",
        "worked_precision": "of them true",
        "only": "only it",
        "flip_flop": "reopened",
        "a_month": "a month",
        "caught": "caught",
        "lead": "lead, days",
        "ahead": "{days} days",
        "before_backstop": "before {dpd} dpd",
        "silent": "Opened nothing: {rules}",
        "reading": (
            "censored: the 365 days after it are not over, so it is neither true nor false; precision takes it as "
            "false. only it: defaulters whom no other rule caught. a month: alerts a month of 1,000 borrowers."
        ),
        "written": "written to {file}",
        # the page
        "page_title": "Backtest of the rules",
        "page_head": "{borrowers}, {first} to {last}",
        "foot": (
            "Written by forewarn backtest from past events. The page asks nothing of any server. Charts: "
            "plotly.js, Copyright Plotly, Inc., MIT licence."
        ),
        "section_effect": "How early, how right",
        "section_rules": "Rule by rule",
        "section_alerts": "When they came",
        "key_caught": "of {defaulted} defaulters alerted before",
        "key_lead": "lead time, median",
        "key_backstop": "of the defaulters alerted before they were {dpd} days past due",
        "key_precision": "true among the alerts that a team works which works {budget} a day",
        "key_work": "alerts a month of 1,000 borrowers",
        "ahead_title": "How many defaulters were known how early",
        "ahead_says": "{caught} of {defaulted} defaulters had a true alert, half of them {median} ahead or more.",
        "ahead_reads": (
            "Of the borrowers that defaulted, the share with a true alert at least so many days before: by all "
            "alerts, and by those alone that a team works which works {budget} openings a day, the worst first."
        ),
        "ahead_axis": "days before the default, at least",
        "ahead_share": "share of the defaulters",
        "all_alerts": "all alerts",
        "at_budget": "at {budget} a day",
        "outcomes_title": "What became of the alerts of each rule",
        "outcomes_says": "{rule} opened most alerts: {alerts}, {true} of them true.",
        "outcomes_reads": (
            "An alert is true when its borrower defaulted within 365 days, false when these days passed without a "
            "default, and censored when they are not over: then it is neither. After the default it is work, but warns "
            "of nothing."
        ),
        "unique_title": "What each rule adds to the others",
        "unique_says": "{rule} alone caught {only}: without it nobody would have been warned of them.",
        "unique_none": "Each defaulter that was caught was caught by more than one rule.",
        "unique_reads": (
            "Defaulters with a true alert of the rule. Only this rule: no other one caught them. First: its alert came "
            "at least a day before that of every other rule."
        ),
        "caught_by_others": "others caught them first",
        "caught_first": "this rule was first",
        "caught_only": "only this rule",
        "defaulters": "defaulters",
        "early_rules_title": "How early each rule catches",
        "early_rules_says": "{rule} catches most: {caught} of the defaulters.",
        "early_rules_reads": (
            "Of the borrowers that defaulted, the share with a true alert of the rule at least so many days before."
        ),
        "first": "it warned first",
        "added_lead": "lead before the next rule, median",
        "work_axis": "alerts a month of 1,000 borrowers",
        "tasks_a_month": "tasks a month of 1,000 borrowers",
        "alerted_share": "borrowers alerted",
        "work_title": "Work that each rule makes",
        "work_says": "{rule} makes most work: {month} alerts a month of 1,000 borrowers.",
        "work_reads": (
            "Alerts a month of 1,000 borrowers. Reopened is the share of its alerts that opened again within 30 days "
            "after they closed: such an alert settled nothing."
        ),
        "candidates_title": "Rules that tell nobody yet",
        "candidates_says": "{rule} would catch {only} whom no live rule catches.",
        "candidates_add_none": "None of them would catch anybody whom no live rule catches.",
        "candidates_reads": (
            "Rules in shadow, and drafts, each as if it alone went live beside the live ones: it is compared with them "
            "and not with the other candidates."
        ),
        "no_alerts": "No alert opened on the days that are judged.",
        "no_defaults": "No default is known from {first} to {last}.",
        "no_caught": "None of {defaulted} defaulters had a true alert.",
        "no_candidates": "No rule in shadow and no draft opened an alert.",
    },
    "zh": {
        "read": "{borrowers}的 {events}，{first} 至 {last}",
        "unused": "其中 {count} 个无法使用：{reasons}",
        "history": (
            "自 {first} 起的 {days}为历史：只用于填充时间窗，其间的决定不计入评判（{alerts}）。"
            "在 {since} 仍未关闭：{open} 条，涉及 {borrowers}，不计为因此已被预警"
        ),
        "refused": (
            "警告：{events}中有 {refused} 个被拒收，最常见的原因：{reason}；"
            "请检查{config}中的币种和时区是否与数据一致，并用 replay 重放以查看原因"
        ),
        "right": "逐条规则：准确多少、工作量多大（每天 {budget} 条）",
        "early": "逐条规则：提前多久（占违约借款人）",
        "candidates": "尚不通知任何人的规则，每条按单独与现行规则一同上线计",
        "rule": "规则",
        "shelf": "全部现行规则",
        "alerts": "预警",
        "true": "真预警",
        "false": "误报",
        "censored": "删失",
        "after_default": "违约之后",
        "precision": "准确率",
        "worked": "已处理",
        "worked_precision": "其中为真",
        "only": "仅本规则",
        "flip_flop": "再次打开",
        "a_month": "每月",
        "caught": "捕获",
        "lead": "提前天数",
        "ahead": "{days} 天",
        "before_backstop": "逾期 {dpd} 天前",
        "silent": "未打开任何预警：{rules}",
        "reading": (
            "删失：其后 365 天尚未过完，既不算真也不算误报；准确率将其计为误报。"
            "仅本规则：没有其他规则捕获的违约借款人。每月：每千位借款人每月预警数。"
        ),
        "written": "已写入 {file}",
        "page_title": "规则回测",
        "page_head": "{borrowers}，{first} 至 {last}",
        "foot": (
            "由 forewarn backtest 根据历史事件生成。本页不向任何服务器发出请求。"
            "图表：plotly.js，版权归 Plotly, Inc. 所有，MIT 许可证。"
        ),
        "section_effect": "提前多久、准确多少",
        "section_rules": "逐条规则",
        "section_alerts": "何时发生",
        "key_caught": "位违约借款人事先被预警（共 {defaulted} 位）",
        "key_lead": "提前期中位数",
        "key_backstop": "的违约借款人在逾期 {dpd} 天之前被预警",
        "key_precision": "为真：每天处理 {budget} 条的团队所处理的预警",
        "key_work": "条预警，每千位借款人每月",
        "ahead_title": "多少违约借款人提前多久已知",
        "ahead_says": "{defaulted} 位违约借款人中 {caught} 位有真预警，其中一半至少提前 {median}。",
        "ahead_reads": (
            "违约借款人中，至少提前这么多天有真预警的比例：按全部预警，"
            "以及只按每天处理 {budget} 条（从最严重的开始）的团队所处理的预警。"
        ),
        "ahead_axis": "违约前至少天数",
        "ahead_share": "占违约借款人比例",
        "all_alerts": "全部预警",
        "at_budget": "每天 {budget} 条",
        "outcomes_title": "每条规则的预警结果如何",
        "outcomes_says": "{rule} 打开的预警最多：{alerts} 条，其中 {true} 条为真。",
        "outcomes_reads": (
            "借款人在 365 天内违约的预警为真；这些天过完而未违约的为误报；尚未过完的为删失，两者都不算。"
            "违约之后打开的是工作，但不再预警任何事。"
        ),
        "unique_title": "每条规则在其他规则之外增加了什么",
        "unique_says": "{rule} 独自捕获了 {only}：没有它，无人会得到关于他们的预警。",
        "unique_none": "每位被捕获的违约借款人都由不止一条规则捕获。",
        "unique_reads": "有本规则真预警的违约借款人。仅本规则：没有其他规则捕获。最先：比其他每条规则至少早一天。",
        "caught_by_others": "其他规则先捕获",
        "caught_first": "本规则最先",
        "caught_only": "仅本规则",
        "defaulters": "违约借款人",
        "early_rules_title": "每条规则提前多久捕获",
        "early_rules_says": "{rule} 捕获最多：{caught}违约借款人。",
        "early_rules_reads": "违约借款人中，该规则至少提前这么多天有真预警的比例。",
        "first": "最先预警",
        "added_lead": "比下一条规则早，中位数",
        "work_axis": "每千位借款人每月预警数",
        "tasks_a_month": "每千位借款人每月任务数",
        "alerted_share": "被预警借款人比例",
        "work_title": "每条规则带来的工作",
        "work_says": "{rule} 带来的工作最多：每千位借款人每月 {month} 条预警。",
        "work_reads": "每千位借款人每月的预警数。再次打开：关闭后 30 天内又打开的比例，这样的预警什么也没有解决。",
        "candidates_title": "尚不通知任何人的规则",
        "candidates_says": "{rule} 会捕获 {only}，现行规则均未捕获他们。",
        "candidates_add_none": "没有一条会捕获现行规则未捕获的人。",
        "candidates_reads": "影子规则和草稿，每条按单独与现行规则一同上线计：与现行规则比较，不与其他候选规则比较。",
        "no_alerts": "在评判的日子里没有打开任何预警。",
        "no_defaults": "{first} 至 {last} 没有已知的违约。",
        "no_caught": "{defaulted} 位违约借款人均无真预警。",
        "no_candidates": "没有影子规则或草稿打开预警。",
    },
}
