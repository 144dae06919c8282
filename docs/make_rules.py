"""Writes docs/rules/, one page a pack and language, from the rule files, their texts and docs/rules/figures.json."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.events import CATALOGUE
from rules.language import TextsFile
from rules.loader import load_shelf
from rules.rule import Case, Rule
from rules.say import Language
from rules.sidecars import load_texts

ROOT = Path(__file__).parent.parent
SHELF, LOCK = ROOT / "rules" / "shelf", ROOT / "rules" / "shelf.lock"
FOLDER = Path(__file__).parent / "rules"
FIGURES = FOLDER / "figures.json"
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "packs.individuals": "Rules for individuals",
        "packs.firms": "Rules for firms",
        "packs.samples": "The three sample rules",
        "about": (
            "Made from the rule files of `rules/shelf/{pack}` and from [figures.json](figures.json) by "
            "`python docs/make_rules.py`; a test says that it is current. {other}. How to read a rule: "
            "[rules/README.md](../../rules/README.md).\n\n"
            "A rule looks at every borrower who has the events that it reads; the pack says whose list of warning signs "
            "it comes from. *Alerts* are openings, *share* the borrowers with at least one, *found* the defaulters whom it "
            "warned of within the year before, *unique* those whom no other rule of the shelf had warned of, *lead* the "
            "median time from its first such alert to the default."
        ),
        "other": "[中文]({pack}.zh.md)",
        "simulated": (
            "**Simulated portfolio** (`forewarn simulate --borrowers {borrowers} --months {months} --seed {seed}`): "
            "{borrowers:,} borrowers, {defaulted:,} defaults, seen from {first} to {last}. Figures of a simulation say "
            "whether a rule works as meant; they are no forecast for a portfolio of yours."
        ),
        "real": (
            "**Real set** ({name}): {borrowers:,} borrowers, {defaulted:,} defaults, {first} to {last}. It has statements "
            "and payments of cards once a month and nothing else, so most rules find no event there that they read."
        ),
        "again": "Made again by `{made_by}`.",
        "head": "rule|status|severity|alerts|share|found|unique|lead, days|alerts on the real set|unique there",
        "figures": (
            "On the simulated portfolio {alerts:,} alerts for {share} of the borrowers, {found:,} defaulters found, "
            "{unique:,} of them by no other rule{lead}. On the real set {real_alerts:,} alerts, {real_unique:,} found by "
            "no other rule."
        ),
        "lead": ", half of them at least {days:g} days ahead",
        "basis": "Basis of the thresholds",
        "fitted": "fitted, validated on {on}",
        "refs": "References",
        "owner": "Owner",
        "task": "Task",
        "no_task": "none; it counts towards the borrower's picture",
        "task_text": "{queue}: {action} within {days} days",
        "say": "Message",
        "guide": "What to do",
        "false_alarms": "What it mistakes for trouble",
        "blind_spots": "What it cannot see",
        "cases": "case|given|expected",
        "nothing": "nothing",
        "day": "day {n}",
        "why_not_live": "Not live",
        "reason_shadow": "nothing it reads comes in the simulated portfolio, or it fires too seldom or too often to be live",
        "draft": "draft",
        "shadow": "shadow",
        "live": "live",
        "retired": "retired",
        "low": "low",
        "medium": "medium",
        "high": "high",
        "critical": "critical",
        "closed": "closed",
        "policy": "policy",
        "contract": "contract",
        "regulation": "regulation",
    },
    "zh": {
        "packs.individuals": "个人客户规则",
        "packs.firms": "企业客户规则",
        "packs.samples": "三条示例规则",
        "about": (
            "本页由 `python docs/make_rules.py` 根据 `rules/shelf/{pack}` 的规则文件和 [figures.json](figures.json) "
            "生成，测试保证与规则一致。{other}。规则读法见 [rules/README.md](../../rules/README.md)（英文）。\n\n"
            "只要有规则所读的事件，任何借款人都在其视野之内；规则包只表示它出自哪一份预警信号清单。*预警*指新开预警数，*占比*指至少有一次预警的"
            "借款人占比，*发现*指违约前一年内预警过的违约人数，*独有*指没有其他规则预警过的违约人数，*提前*指从首次有效预警到违约的中位天数。"
            "案例名称用英文。"
        ),
        "other": "[English]({pack}.md)",
        "simulated": (
            "**模拟组合**（`forewarn simulate --borrowers {borrowers} --months {months} --seed {seed}`）：借款人 {borrowers:,} 户，"
            "违约 {defaulted:,} 户，{first} 至 {last}。模拟数字说明规则是否按设计工作，不是对您的组合的预测。"
        ),
        "real": (
            "**真实数据**（{name}）：借款人 {borrowers:,} 户，违约 {defaulted:,} 户，{first} 至 {last}。其中只有每月一次的信用卡账单和还款，"
            "多数规则在那里读不到事件。"
        ),
        "again": "重新生成：`{made_by}`。",
        "head": "规则|状态|级别|预警|占比|发现|独有|提前（天）|真实数据预警|真实数据独有",
        "figures": (
            "模拟组合：预警 {alerts:,} 次，涉及 {share} 的借款人；发现违约 {found:,} 户，其中 {unique:,} 户没有其他规则发现{lead}。"
            "真实数据：预警 {real_alerts:,} 次，独有发现 {real_unique:,} 户。"
        ),
        "lead": "，一半至少提前 {days:g} 天",
        "basis": "阈值依据",
        "fitted": "拟合，验证于 {on}",
        "refs": "参考",
        "owner": "负责团队",
        "task": "任务",
        "no_task": "无；只计入借款人的整体情况",
        "task_text": "{queue}：{action}，{days} 天内",
        "say": "消息",
        "guide": "怎么做",
        "false_alarms": "容易误判为问题的情况",
        "blind_spots": "看不到的情况",
        "cases": "案例|事件|预期",
        "nothing": "无",
        "day": "第 {n} 天",
        "why_not_live": "未启用",
        "reason_shadow": "模拟组合中没有它所读的事件，或触发太少、太多，不宜启用",
        "draft": "草稿",
        "shadow": "影子",
        "live": "启用",
        "retired": "停用",
        "low": "低",
        "medium": "中",
        "high": "高",
        "critical": "严重",
        "closed": "关闭",
        "policy": "政策",
        "contract": "合同",
        "regulation": "监管规定",
    },
}


class Page(NamedTuple):
    """One page while it is written."""

    pack: str
    lang: Language
    figures: dict[str, Any]

    @property
    def path(self) -> Path:
        """Where the page stands."""
        return FOLDER / f"{self.pack}{'' if self.lang == 'en' else f'.{self.lang}'}.md"

    def word(self, name: str, **values: Any) -> str:
        """A word or sentence of the page's language."""
        return WORDS[self.lang][name].format(**values)


def pages() -> dict[Path, str]:
    """Every page with its text."""
    figures = json.loads(FIGURES.read_text("utf-8"))
    shelf = load_shelf([SHELF], CATALOGUE, LOCK)
    packs: dict[str, list[Rule]] = {}
    for rule in shelf.rules:
        packs.setdefault(Path(rule.file).parent.name, []).append(rule)
    made = [(Page(pack, lang, figures), rules) for pack, rules in packs.items() for lang in WORDS]
    return {page.path: _page(page, rules) for page, rules in made}


def _page(page: Page, rules: list[Rule]) -> str:
    other = page.word("other", pack=page.pack)
    parts = [f"# {page.word(f'packs.{page.pack}')}", page.word("about", pack=page.pack, other=other)]
    parts += [page.word(name, **page.figures[name]["set"]) for name in ("simulated", "real")]
    parts += [page.word("again", made_by=page.figures["made_by"]), _overview(page, rules)]
    parts += [part for rule in rules for part in _section(page, rule)]
    return "\n\n".join(parts) + "\n"


def _overview(page: Page, rules: list[Rule]) -> str:
    rows = []
    for rule in rules:
        here, there = (page.figures[name]["rules"].get(rule.rule, NO_FIGURES) for name in ("simulated", "real"))
        lead = here["lead_median_days"]
        cells = [f"[{rule.rule}](#{rule.rule})", page.word(rule.status), page.word(rule.severity)]
        cells += [f"{here['alerts']:,}", _share(here["share_ppm"]), f"{here['found']:,}", f"{here['unique']:,}"]
        cells += ["-" if lead is None else f"{lead:g}", f"{there['alerts']:,}", f"{there['unique']:,}"]
        rows.append(cells)
    return _table(page.word("head").split("|"), rows)


NO_FIGURES: dict[str, Any] = {"alerts": 0, "share_ppm": 0, "found": 0, "unique": 0, "lead_median_days": None}


def _section(page: Page, rule: Rule) -> Iterator[str]:
    """One rule: its text, what decides, where the thresholds come from, its task, its cases and its figures."""
    own = None if page.lang == "en" else load_texts(rule, page.lang)
    texts: TextsFile | Rule = rule if own is None else own
    yield f"## {rule.rule}"
    yield f"**{texts.title}.** {texts.why.strip()}"
    yield f"```yaml\n{_deciding(rule)}\n```"
    facts = [
        (page.word("say"), f"“{texts.say}”"),
        (page.word("basis"), _basis(page, rule)),
        (page.word("refs"), ", ".join(f"`{each}`" for each in rule.refs) or "-"),
        (page.word("owner"), rule.owner),
        (page.word("task"), _task(page, rule)),
    ]
    if rule.status != "live":
        facts.append((page.word("why_not_live"), page.word("reason_shadow")))
    yield "\n".join(f"- {name}: {text}" for name, text in facts)
    for name in ("guide", "false_alarms", "blind_spots"):
        yield f"{page.word(name)}:\n\n" + "\n".join(f"- {line.strip()}" for line in getattr(texts, name))
    yield _table(page.word("cases").split("|"), [_case(page, case) for case in rule.tests])
    yield _figures(page, rule)


def _deciding(rule: Rule) -> str:
    """What decides, as it stands in the file: from `per` to before `say`."""
    lines = rule.text.splitlines()
    first, last = (next(i for i, line in enumerate(lines) if line.startswith(name)) for name in ("per:", "say:"))
    return "\n".join(lines[first:last]).strip()


def _basis(page: Page, rule: Rule) -> str:
    found = []
    for name, basis in rule.basis.items():
        word = page.word("fitted", on=basis["fitted"]) if isinstance(basis, dict) else page.word(basis)
        found.append(f"`{name}` {word}")
    return ", ".join(found) or "-"


def _task(page: Page, rule: Rule) -> str:
    task = rule.task
    if task is None:
        return page.word("no_task")
    return page.word("task_text", queue=task.queue, action=task.action, days=task.due_in)


def _case(page: Page, case: Case) -> list[str]:
    given = "<br>".join(_given(page, each) for each in case.given)
    wanted = "<br>".join(f"{page.word('day', n=each.day)}: {page.word(each.alert)}" for each in case.expect)
    return [case.name, given, wanted or page.word("nothing")]


def _given(page: Page, event: dict[str, Any]) -> str:
    fields = ", ".join(f"{name} {_value(value)}" for name, value in event.items() if name not in ("day", "event"))
    return f"{page.word('day', n=event['day'])}: `{event['event']}`{f' {fields}' if fields else ''}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value.isoformat() if isinstance(value, date) else value)


def _figures(page: Page, rule: Rule) -> str:
    here, there = (page.figures[name]["rules"].get(rule.rule, NO_FIGURES) for name in ("simulated", "real"))
    lead = here["lead_median_days"]
    return page.word(
        "figures",
        alerts=here["alerts"],
        share=_share(here["share_ppm"]),
        found=here["found"],
        unique=here["unique"],
        lead="" if lead is None else page.word("lead", days=lead),
        real_alerts=there["alerts"],
        real_unique=there["unique"],
    )


def _share(ppm: int) -> str:
    return f"{ppm / 10_000:.1f} %"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
    print(*(path.name for path in sorted(pages())))
