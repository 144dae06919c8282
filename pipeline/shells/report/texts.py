"""What the report says, in English and Chinese."""

from pipeline.shells.texts import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        # the page
        "page_title": "Early-warning report",
        "page_head": "{borrowers}, {first} to {last}",
        "page_shelf": "rules {shelf}",
        "as_of": "as of {date}",
        "truth_file": "Defaults are those of {file}.",
        "truth_events": "Defaults are those in the events.",
        "switch": "中文",
        "figures": "Figures",
        "how_to_read": "How to read it",
        "unknown": "unknown",
        "unknown_head": "Unknown.",
        "needs_script": "The charts need JavaScript; the figures under them do not.",
        "foot": (
            "Written by forewarn report from the files of a replay. The page asks nothing of any server. Charts: "
            "plotly.js, Copyright Plotly, Inc., MIT licence."
        ),
        "written": "written to {file}",
        "section_portfolio": "The portfolio",
        "section_alerts": "The alerts",
        "section_effect": "How early, how right",
        "section_work": "The work",
        "section_borrowers": "Who needs attention",
        # key figures
        "key_outstanding": "outstanding in {loans}",
        "key_late": "of it more than 30 days past due",
        "key_late_loans": "of the open loans more than 30 days past due",
        "key_alerts": "alerts open",
        "key_tasks": "tasks open, {overdue} of them overdue",
        "key_caught": "of {defaulted} defaulters alerted before",
        "key_lead": "lead time, median",
        # why something is unknown
        "no_months": "The replay kept no month ends (months.jsonl); replay the events again.",
        "no_open_loans": "No loan was open at any month's end.",
        "one_month": "It takes two month ends, and the replay has {months}.",
        "no_vintage": "No loan was paid out within the replay, so none can be followed from its first month.",
        "no_vintage_days": "Of no loan that was paid out within the replay days past due are known.",
        "no_alerts": "No alert opened.",
        "no_defaults": "No default is known from {first} to {last}.",
        "no_caught": "None of {defaulted} defaulters had a true alert.",
        "no_worked": "No alert opened before a default, so a budget has nothing to choose from.",
        "no_queues": "The replay kept no record of its queues (queues.jsonl); replay the events again.",
        "no_tasks": "No task was ever opened.",
        "nothing_open": "No task is open.",
        "no_borrowers": "The replay has no borrower.",
        # words of charts and tables
        "month": "month",
        "week": "week from",
        "total": "all",
        "loans": "loans",
        "loans_open": "open loans",
        "outstanding_in": "outstanding, {currency}",
        "past_due_share": "share past due",
        "days_late": "{bucket} days",
        "not_late": "not past due",
        "from_bucket": "days past due at a month's end",
        "to_bucket": "a month later",
        "ended": "paid off",
        "written_off": "written off",
        "share_of_bucket": "share of the bucket",
        "months_on_book": "months since the loan was paid out",
        "paid_out": "paid out",
        "share_of_loans": "share of the loans",
        "alerts_opened": "alerts opened",
        "rule": "rule",
        "others": "{count} other rules",
        "lead_days": "days from the first true alert to the default",
        "defaulters": "defaulters",
        "cumulative": "at least so far ahead",
        "median_mark": "median {days}",
        "budget_axis": "alerts worked a day, at most",
        "worked": "alerts worked",
        "your_budget": "{budget} a day",
        "day": "day",
        "queue": "queue",
        "tasks_open": "tasks open",
        "overdue": "overdue",
        "age_days": "{age} days",
        "borrower": "borrower",
        "worst": "worst alert",
        "alerts_open": "open alerts",
        "days_past_due": "days past due",
        "arrears": "arrears, {currency}",
        "exposure": "exposure, {currency}",
        # charts
        "portfolio_title": "Portfolio by days past due",
        "portfolio_says": (
            "At the close of {last}, {late} of {whole} was more than 30 days past due; at that of {first} it was "
            "{before}."
        ),
        "portfolio_unknown_days": "Days past due of {loans} are unknown; they are grey.",
        "portfolio_by_loans": "Loans are counted, as what is outstanding is not known of all.",
        "portfolio_reads": (
            "A column is the close of a month, a colour a band of days past due. Above is all that was open, below "
            "only what was past due, as a share of all."
        ),
        "rolls_title": "Roll rates between months",
        "rolls_says": (
            "Of loans {bucket} past due at a month's end, {worse} were one bucket worse a month later and {cured} "
            "were not past due."
        ),
        "rolls_none": "No loan was past due at a month's end that was followed by another.",
        "rolls_reads": (
            "A row is where loans stood at a month's end, a column where they stood a month later; a row adds up to "
            "all. {pairs} pairs of months are taken together."
        ),
        "rolls_by_month_title": "Roll rates by month",
        "rolls_by_month_says": (
            "From {before} to {month}, {worse} of {loans} that were {bucket} past due got one bucket worse."
        ),
        "rolls_by_month_reads": (
            "A line is a bucket: the share of its loans that were one bucket worse a month later. Buckets of few "
            "loans jump; the figures below say how many there were."
        ),
        "vintage_late_title": "Vintages: ever more than 30 days past due",
        "vintage_default_title": "Vintages: defaulted",
        "vintage_late_says": (
            "Of {loans} paid out in {cohort}, {share} had been more than 30 days past due or defaulted within {months}."
        ),
        "vintage_default_says": "Of {loans} paid out in {cohort}, {share} had defaulted within {months}.",
        "vintage_late_reads": (
            "A line is the loans paid out in one {period}, looked at at each month's end; it ends where the youngest "
            "of them have no more history. A steeper line is a worse vintage."
        ),
        "vintage_default_reads": (
            "The same loans, counted once they are called defaulted. A line that is flat at first and then rises is "
            "usual: default follows arrears."
        ),
        "vintage_left_out": (
            "{left} of {all} are not drawn: paid out before the replay began, or nobody told when, or days past due "
            "unknown."
        ),
        "period_month": "month",
        "period_quarter": "quarter",
        "severities_title": "Alerts by severity over time",
        "severities_says": "{alerts} alerts opened from {first} to {last}, {severe} of them high or critical.",
        "severities_reads": (
            "A column is a {period}, a colour the severity with which alerts opened; a later raise is no new alert."
        ),
        "period_week": "week",
        "rules_title": "Alerts by rule over time",
        "rules_says": "{rule} opened the most: {count} of {all}.",
        "rules_reads": "A row is a rule, the busiest above; a darker field is more alerts opened in that {period}.",
        "lead_title": "Lead time before default",
        "lead_says": "{caught} of {defaulted} defaulters had a true alert, half of them {median} or more ahead.",
        "lead_reads": (
            "A bar is how many defaulters were first alerted so many days before their default; further right is "
            "earlier. An alert is true up to 365 days before the default. In no bar: {missed} without one."
        ),
        "precision_title": "Precision and reach at a daily budget",
        "precision_says": (
            "Working at most {budget} a day catches {recall} of {defaulted} defaulters; at least {precision} of the "
            "alerts worked are true."
        ),
        "precision_reads": (
            "Further right a team works more alerts a day, the worst first. Precision counts what is not settled yet "
            "as false, and beside it only alerts whose 365 days were all seen; both are to be held against the "
            "dotted line, the share of all borrowers that defaulted."
        ),
        "queues_title": "Tasks open in the queues",
        "queues_says": (
            "{open} tasks were open at the close of {last}, {overdue} of them overdue; the most were open on "
            "{peak_on}: {peak}."
        ),
        "queues_reads": (
            "The height is the work that lies there at the close of a day, a colour a queue. A height that only "
            "grows means that nobody finishes tasks, or that nobody tells."
        ),
        "ages_title": "How old the open tasks are",
        "ages_says": "{old} of {open} open tasks are older than 30 days.",
        "ages_reads": "A bar is a queue, a colour the days since a task was opened.",
        "riskiest_title": "The borrowers most at risk",
        "riskiest_says": "{borrower} stands first: {alerts} open, {late}.",
        "riskiest_reads": (
            "A row is a borrower. A line is an alert while it was open, a diamond where it opened, a triangle where "
            "it was raised, a ring where it closed; an upright stroke is the first close with 30 days past due, a "
            "cross a default."
        ),
        "late_days": "{days} past due",
        "late_unknown": "days past due unknown",
        "mark_opened": "opened ({severity})",
        "mark_raised": "raised",
        "mark_closed": "closed",
        "mark_backstop": "30 days past due",
        "mark_default": "default",
        # stories
        "story_title": "{place}. {borrower}",
        "story_month_late": "month's end: {days} past due",
        "story_month_cured": "month's end: nothing past due",
        "story_backstop": "30 days past due for the first time",
        "story_defaulted": "the bank calls loan {loan} defaulted",
        "story_earlier": "{moments} earlier moments are left out",
        "story_nothing": "nothing was told of this borrower",
    },
    "zh": {
        # the page
        "page_title": "贷后预警报告",
        "page_head": "{borrowers}，{first} 至 {last}",
        "page_shelf": "规则 {shelf}",
        "as_of": "截至 {date}",
        "truth_file": "违约以 {file} 为准。",
        "truth_events": "违约以事件中的记录为准。",
        "switch": "English",
        "figures": "数据",
        "how_to_read": "怎样看图",
        "unknown": "未知",
        "unknown_head": "未知。",
        "needs_script": "图表需要 JavaScript；图下的数据不需要。",
        "foot": (
            "由 forewarn report 根据重放文件生成。本页不向任何服务器发出请求。图表：plotly.js，版权归 Plotly, Inc.，"
            "MIT 许可。"
        ),
        "written": "已写入 {file}",
        "section_portfolio": "资产组合",
        "section_alerts": "预警",
        "section_effect": "提前多久、准确多少",
        "section_work": "工作量",
        "section_borrowers": "需要关注的借款人",
        # key figures
        "key_outstanding": "未偿余额，共 {loans}",
        "key_late": "其中逾期超过 30 天",
        "key_late_loans": "未结贷款中逾期超过 30 天的比例",
        "key_alerts": "条未关闭预警",
        "key_tasks": "项待办任务，其中 {overdue} 项超时",
        "key_caught": "位违约前已预警（违约共 {defaulted} 位）",
        "key_lead": "提前期中位数",
        # why something is unknown
        "no_months": "重放没有保留月末数据（months.jsonl）；请重新重放事件。",
        "no_open_loans": "任何月末都没有未结贷款。",
        "one_month": "至少需要两个月末，而重放只有 {months}。",
        "no_vintage": "重放期内没有发放贷款，无法从第一个月起跟踪。",
        "no_vintage_days": "重放期内发放的贷款，逾期天数均未知。",
        "no_alerts": "没有打开任何预警。",
        "no_defaults": "{first} 至 {last} 没有已知的违约。",
        "no_caught": "{defaulted} 位违约借款人均没有真预警。",
        "no_worked": "违约之前没有打开预警，预算无从选择。",
        "no_queues": "重放没有保留队列数据（queues.jsonl）；请重新重放事件。",
        "no_tasks": "从未产生任务。",
        "nothing_open": "没有待办任务。",
        "no_borrowers": "重放中没有借款人。",
        # words of charts and tables
        "month": "月份",
        "week": "起始周",
        "total": "合计",
        "loans": "贷款笔数",
        "loans_open": "未结贷款笔数",
        "outstanding_in": "未偿余额（{currency}）",
        "past_due_share": "逾期占比",
        "days_late": "{bucket} 天",
        "not_late": "未逾期",
        "from_bucket": "某月末逾期天数",
        "to_bucket": "一个月后",
        "ended": "已结清",
        "written_off": "已核销",
        "share_of_bucket": "占该档比例",
        "months_on_book": "发放后月数",
        "paid_out": "发放期",
        "share_of_loans": "占贷款笔数比例",
        "alerts_opened": "打开的预警数",
        "rule": "规则",
        "others": "其他 {count} 条规则",
        "lead_days": "首次真预警至违约的天数",
        "defaulters": "违约借款人",
        "cumulative": "至少提前这么多",
        "median_mark": "中位数 {days}",
        "budget_axis": "每天最多处理的预警数",
        "worked": "处理的预警数",
        "your_budget": "每天 {budget} 条",
        "day": "日期",
        "queue": "队列",
        "tasks_open": "待办任务",
        "overdue": "超时",
        "age_days": "{age} 天",
        "borrower": "借款人",
        "worst": "最高级别",
        "alerts_open": "未关闭预警",
        "days_past_due": "逾期天数",
        "arrears": "欠款（{currency}）",
        "exposure": "敞口（{currency}）",
        # charts
        "portfolio_title": "按逾期天数划分的资产组合",
        "portfolio_says": "{last} 日终，{whole}中逾期超过 30 天的占 {late}；{first} 日终为 {before}。",
        "portfolio_unknown_days": "{loans}的逾期天数未知，以灰色表示。",
        "portfolio_by_loans": "因部分贷款未偿余额未知，按笔数统计。",
        "portfolio_reads": "每根柱是一个月末，颜色是逾期天数档。上图为全部未结贷款，下图只画逾期部分占全部的比例。",
        "rolls_title": "月间迁徙率",
        "rolls_says": "月末逾期 {bucket}的贷款，一个月后 {worse} 恶化一档，{cured} 恢复为未逾期。",
        "rolls_none": "在有后续月份的月末，没有逾期贷款。",
        "rolls_reads": "行是某月末所处的档，列是一个月后所处的档；每行合计为 100%。共合并 {pairs} 对相邻月份。",
        "rolls_by_month_title": "逐月迁徙率",
        "rolls_by_month_says": "{before} 至 {month}，逾期 {bucket}的 {loans}中有 {worse} 恶化一档。",
        "rolls_by_month_reads": "每条线是一档：其中一个月后恶化一档的贷款比例。笔数少的档会跳动，下方数据列出笔数。",
        "vintage_late_title": "按发放期：曾逾期超过 30 天",
        "vintage_default_title": "按发放期：违约",
        "vintage_late_says": "{cohort} 发放的 {loans}，在 {months}内有 {share} 曾逾期超过 30 天或违约。",
        "vintage_default_says": "{cohort} 发放的 {loans}，在 {months}内有 {share} 违约。",
        "vintage_late_reads": (
            "每条线是同一{period}发放的贷款，按月末观察；线止于其中最晚发放的贷款还没有历史之处。线越陡，该批越差。"
        ),
        "vintage_default_reads": "同样的贷款，以被认定违约计。先平后升属正常：违约在逾期之后。",
        "vintage_left_out": "{all}中有 {left} 笔未画出：发放早于重放开始，或发放日未知，或逾期天数未知。",
        "period_month": "月",
        "period_quarter": "季度",
        "severities_title": "各级别预警随时间变化",
        "severities_says": "{first} 至 {last} 共打开 {alerts} 条预警，其中 {severe} 条为高或严重。",
        "severities_reads": "每根柱是一{period}，颜色是预警打开时的级别；之后的升级不算新预警。",
        "period_week": "周",
        "rules_title": "各规则预警随时间变化",
        "rules_says": "{rule} 打开最多：{all} 条中的 {count} 条。",
        "rules_reads": "每行是一条规则，最多的在上；颜色越深，该{period}打开的预警越多。",
        "lead_title": "违约前的提前期",
        "lead_says": "{defaulted} 位违约借款人中 {caught} 位有真预警，其中一半提前 {median}或更多。",
        "lead_reads": (
            "柱是首次预警在违约前若干天的借款人数；越靠右越早。违约前 365 天以内的预警为真预警。没有真预警的 "
            "{missed}不在任何柱中。"
        ),
        "precision_title": "每日预算下的准确率与捕获率",
        "precision_says": (
            "每天最多处理 {budget} 条，可捕获 {defaulted} 位违约借款人中的 {recall}；"
            "处理的预警中真预警至少占 {precision}。"
        ),
        "precision_reads": (
            "越靠右，团队每天处理的预警越多，最严重的优先。一条准确率把尚无定论的视为误报，另一条只计已观察满 365 "
            "天的预警；两者都应与虚线（全部借款人违约率）对照。"
        ),
        "queues_title": "队列中的待办任务",
        "queues_says": "{last} 日终有 {open} 项待办任务，其中 {overdue} 项超时；最多的一天是 {peak_on}：{peak} 项。",
        "queues_reads": "高度是每天日终待办的工作量，颜色是队列。只升不降说明没有人完成任务，或没有人回报。",
        "ages_title": "待办任务已有多久",
        "ages_says": "{open} 项待办任务中 {old} 项超过 30 天。",
        "ages_reads": "每根条是一个队列，颜色是任务打开以来的天数。",
        "riskiest_title": "风险最高的借款人",
        "riskiest_says": "{borrower} 居首：未关闭预警 {alerts} 条，{late}。",
        "riskiest_reads": (
            "每行是一位借款人。线是预警打开的时段，菱形为打开，三角为升级，圆环为关闭；竖线为首次日终逾期 30 天，"
            "叉为违约。"
        ),
        "late_days": "逾期 {days}",
        "late_unknown": "逾期天数未知",
        "mark_opened": "打开（{severity}）",
        "mark_raised": "升级",
        "mark_closed": "关闭",
        "mark_backstop": "逾期 30 天",
        "mark_default": "违约",
        # stories
        "story_title": "{place}. {borrower}",
        "story_month_late": "月末：逾期 {days}",
        "story_month_cured": "月末：无逾期",
        "story_backstop": "首次逾期满 30 天",
        "story_defaulted": "银行认定贷款 {loan} 违约",
        "story_earlier": "更早的 {moments} 个时点从略",
        "story_nothing": "没有关于该借款人的记录",
    },
}
