"""Writes docs/rules/, one page a pack and language, from the rule files, their texts and docs/rules/figures.json."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from rules.language import TextsFile
from rules.loader import load_shelf
from rules.packs import SHELF, pack_of
from rules.rule import Case, Rule
from rules.say import Language
from rules.sidecars import load_texts

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "rules" / "shelf.lock"
ON = load_settings().packs
FOLDER = Path(__file__).parent / "rules"
FIGURES = FOLDER / "figures.json"
WORDS: dict[Language, dict[str, str]] = yaml.safe_load((FOLDER / "words.yaml").read_text("utf-8"))


class Page(NamedTuple):
    """One page while it is written."""

    pack: str
    lang: Language
    figures: dict[str, Any]

    @property
    def path(self) -> Path:
        """Where the page stands."""
        return FOLDER / f"{self.pack}{'' if self.lang == 'en' else f'.{self.lang}'}.md"

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets whose figures the page shows."""
        return ("simulated", "firms", "real") if self.pack == "firms" else ("simulated", "real")

    @property
    def is_off(self) -> bool:
        """Whether the pack decides only where a bank names it."""
        return self.pack not in ON

    def of(self, rule: Rule) -> list[dict[str, Any]]:
        """The figures of a rule, set by set."""
        return [self.figures[name]["rules"].get(rule.rule, NO_FIGURES) for name in self.sets]

    def word(self, name: str, /, **values: Any) -> str:
        """A word or sentence of the page's language."""
        return WORDS[self.lang][name].format(**values)


def pages() -> dict[Path, str]:
    """Every page with its text."""
    figures = json.loads(FIGURES.read_text("utf-8"))
    shelf = load_shelf([SHELF], CATALOGUE, LOCK)
    packs: dict[str, list[Rule]] = {}
    for rule in shelf.rules:
        packs.setdefault(pack_of(rule), []).append(rule)
    made = [(Page(pack, lang, figures), rules) for pack, rules in packs.items() for lang in WORDS]
    return {page.path: _page(page, rules) for page, rules in made}


def _page(page: Page, rules: list[Rule]) -> str:
    other = page.word("other", pack=page.pack)
    parts = [f"# {page.word(f'packs.{page.pack}')}", page.word("about", pack=page.pack, other=other)]
    if page.is_off:
        parts.append(page.word("pack_off", on=", ".join(ON), pack=page.pack))
    parts += [page.word(name, **page.figures[name]["set"]) for name in page.sets]
    parts += [page.word("again", made_by=page.figures["made_by"]), _overview(page, rules)]
    parts += [part for rule in rules for part in _section(page, rule)]
    return "\n\n".join(parts) + "\n"


def _overview(page: Page, rules: list[Rule]) -> str:
    rows = []
    for rule in rules:
        here, *firms, there = page.of(rule)
        cells = [f"[{rule.rule}](#{rule.rule})", page.word(rule.status), page.word(rule.severity)]
        cells += [f"{here['alerts']:,}", _share(here["share_ppm"])]
        cells += [_share(here["standing_ppm"])] if page.is_off else []
        cells += [f"{here['found']:,}", f"{here['unique']:,}"]
        cells += [f"{here['first']:,}", _days(here["added_median_days"]), _days(here["lead_median_days"])]
        for of_firms in firms:
            cells += [f"{of_firms[name]:,}" for name in ("alerts", "found", "first")]
        rows.append([*cells, f"{there['alerts']:,}", f"{there['unique']:,}"])
    head = page.word("head_off" if page.is_off else "head").split("|")
    return _table([*head[:-2], *(page.word("head_firms").split("|") if page.pack == "firms" else ()), *head[-2:]], rows)


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:g}"


NO_FIGURES: dict[str, Any] = {
    **dict.fromkeys(("alerts", "share_ppm", "standing_ppm", "found", "unique", "first", "first_by"), 0),
    "lead_median_days": None,
    "added_median_days": None,
}


def _section(page: Page, rule: Rule) -> Iterator[str]:
    """One rule: its text, what decides, where the thresholds come from, its task, its cases and its figures."""
    own = None if page.lang == "en" else load_texts(rule, page.lang)
    texts: TextsFile | Rule = rule if own is None else own
    yield f"## {rule.rule}"
    yield f"**{texts.title}{page.word('stop')}** {texts.why.strip()}"
    yield f"```yaml\n{_deciding(rule)}\n```"
    facts = [
        (page.word("say"), f"“{texts.say}”"),
        (page.word("basis"), _basis(page, rule)),
        (page.word("refs"), ", ".join(f"`{each}`" for each in rule.refs) or "-"),
        (page.word("owner"), rule.owner),
        (page.word("task"), _task(page, rule)),
    ]
    if rule.status != "live":
        facts.append((page.word("why_not_live"), _why_not_live(page, rule)))
    yield "\n".join(f"- {name}: {text}" for name, text in facts)
    for name in ("guide", "false_alarms", "blind_spots"):
        yield f"{page.word(name)}:\n\n" + "\n".join(f"- {line.strip()}" for line in getattr(texts, name))
    yield _table(page.word("cases").split("|"), [_case(page, case) for case in rule.tests])
    yield _figures(page, rule)


def _why_not_live(page: Page, rule: Rule) -> str:
    """The comment beside the status, which is in English."""
    [status] = [line for line in rule.text.splitlines() if line.startswith("status:")]
    _, _, said = status.partition("# ")
    return said if said and page.lang == "en" else page.word("reason_shadow")


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
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)


def _figures(page: Page, rule: Rule) -> str:
    told = zip(page.sets, page.of(rule), strict=True)
    return page.word("between").join(page.word(f"figures_{name}", **_told(page, figures)) for name, figures in told)


def _told(page: Page, figures: dict[str, Any]) -> dict[str, Any]:
    lead, added = figures["lead_median_days"], figures["added_median_days"]
    return {
        **figures,
        "share": _share(figures["share_ppm"]),
        "lead": "" if lead is None else page.word("lead", days=lead),
        "added": "" if added is None else page.word("added", days=added, by=figures["first_by"]),
    }


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
