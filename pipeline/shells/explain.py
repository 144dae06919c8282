"""One alert explained: the numbers it saw, the rule's text, and what would clear it."""

from pathlib import Path
from typing import Any

import msgspec
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from pipeline.conditions import DUAL
from pipeline.shells.kept import RULES, KeptRule, Texts, loaded, said, texts_of
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language, counted, word
from rules.condition_text import condition_text
from rules.conditions import names_in
from rules.faults import RuleError
from rules.rule import And, Comparison, Condition, Holds, Not, Or, Rule
from rules.say import value_text

ALERTS = ("alerts.jsonl", "shadow.jsonl", "held.jsonl")


def explain(alert_id: str, folder: Path, lang: Language, quiet: bool) -> str | None:
    """Print the explanation of an alert; returns a sentence when there is none."""
    try:
        return _explained(alert_id, folder, lang, quiet)
    except (msgspec.DecodeError, KeyError, RuleError) as error:
        return f"{folder}: expected what a replay wrote, got other content ({error}); replay again"


def _explained(alert_id: str, folder: Path, lang: Language, quiet: bool) -> str | None:
    if not any((folder / name).is_file() for name in ALERTS):
        got = "a folder without it" if folder.is_dir() else "a file" if folder.exists() else "nothing there"
        return f"{folder}: expected a folder with the {ALERTS[0]} of a replay, got {got}; name the --out of a replay"
    alert = _found(folder, ALERTS, "id", alert_id)
    if alert is None:
        names = ", ".join(ALERTS)
        return f"{alert_id}: expected the id of an alert in {names} of {folder}, got one that is not there"
    record = _rule_of(alert, folder)
    if record is None:
        return f"{alert['rule']}: expected its text in {folder / RULES}, got nothing; replay again"
    rule = msgspec.convert(record, KeptRule)
    own = loaded(rule)
    opening = alert if "say" in alert else _found(folder, ALERTS, "id", f"{alert['episode']}/opened")
    message = "" if opening is None else said(opening, rule, lang) or ""
    if not quiet:
        _print(alert, message, rule, own, lang)
    return None


def _found(folder: Path, names: tuple[str, ...], key: str, value: str) -> dict[str, Any] | None:
    for name in names:
        path = folder / name
        if not path.is_file():
            continue
        with path.open("rb") as file:
            for raw in file:
                if value.encode() in raw:
                    record: dict[str, Any] = msgspec.json.decode(raw)
                    if record.get(key) == value and "rule" in record:  # Held tasks have an id, too.
                        return record
    return None


def _rule_of(alert: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """The rule in the version that the alert names, by the words of its shelf, else by the last."""
    path = folder / RULES
    lines = path.read_bytes().splitlines() if path.is_file() else []
    same = [each for raw in lines if (each := msgspec.json.decode(raw))["rule"] == alert["rule"]]
    same = [each for each in same if each["version"] == alert["rule_version"]] or same
    return next((each for each in same if alert["shelf"] in each.get("shelves", ())), same[-1] if same else None)


def _print(alert: dict[str, Any], message: str, kept: KeptRule, rule: Rule, lang: Language) -> None:
    texts, words, out = TEXTS[lang], texts_of(kept, lang), console()
    is_end = alert["transition"] == "closed"
    out.print(_head(alert, message, words, lang))
    if alert["evidence"]:
        out.print(_numbers(alert["evidence"], lang))
    for name, lines in (
        ("what_to_do", words.guide),
        ("mistakes", words.false_alarms),
        ("blind", words.blind_spots),
        ("clears", () if is_end else clearing(rule, alert["evidence"], lang)),
    ):
        if lines:
            out.print(f"[bold]{texts[name]}[/]")
        for line in lines:
            out.print(f"  {line}" if name == "clears" else f"  - {line}", markup=False)
    out.print(f"[bold]{escape(texts['the_rule'].format(file=kept.file, version=alert['rule_version']))}[/]")
    out.print(Syntax(kept.text, "yaml", background_color="default"))


def _head(alert: dict[str, Any], message: str, words: Texts, lang: Language) -> Panel:
    texts = TEXTS[lang]
    paragraphs = [words.title, message]
    if alert["transition"] == "closed":
        paragraphs.append(texts["is_closed"].format(reason=word(alert["reason"], lang)))
    paragraphs.append(f"{texts['because']}{texts['colon']}{words.why.strip()}")
    severity, transition = word(alert["severity"], lang), word(alert["transition"], lang)
    foot = f"{severity} · {transition} · {alert['borrower_id']} · {alert['at']}"
    body = Text("\n\n".join(each for each in paragraphs if each))
    return Panel(body, title=escape(alert["id"]), subtitle=escape(foot))


def _numbers(evidence: dict[str, dict[str, Any]], lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(title=texts["numbers"], title_justify="left")
    for column in ("measure", "value", "window", "known"):
        table.add_column(texts[column], justify="right" if column == "value" else "left")
    for name, entry in evidence.items():
        # A measure without window is known or not; its truth is already in its value.
        known = entry.get("known") or ("unknown" if entry["truth"] == "unknown" else "known")
        table.add_row(name, shown(entry["value"], lang), window(entry, lang), word(known, lang))
    return table


def window(entry: dict[str, Any], lang: Language) -> str:
    """The window of an entry of the evidence, nothing where there is none."""
    over: str = entry.get("over") or entry.get("within") or ""
    ago = entry.get("ending", "").removesuffix(" ago")
    return TEXTS[lang]["ending"].format(over=over, ago=ago) if ago else over


def shown(value: Any, lang: Language) -> str:
    """A value of the evidence as people read it."""
    if value is None or isinstance(value, bool):
        return value_text(value, None, lang)
    return f"{value:,}" if isinstance(value, int) else str(value)


# -- what would clear it ----------------------------------------------------


def clearing(rule: Rule, evidence: dict[str, Any], lang: Language) -> list[str]:
    """The conditions under which the rule's `when` is known to fail, each with today's number."""
    texts = TEXTS[lang]
    parts = rule.when.parts if isinstance(rule.when, And | Or) else (rule.when,)
    days = counted(rule.clear_after, "day", lang)
    when = texts["clear_for"].format(days=days) if rule.clear_after else texts["clear_now"]
    name = "clear_one" if len(parts) == 1 else "clear_all" if isinstance(rule.when, Or) else "clear_any"
    head = texts[name].format(when=when)
    lines = [f"{condition_text(opposite(part))}{_now(part, evidence, lang)}" for part in parts]
    return [head, *(f"- {line}" for line in lines)]


def opposite(condition: Condition) -> Condition:
    """The condition that holds where this one is known to fail.

    >>> from rules.conditions import parse_when
    >>> condition_text(opposite(parse_when("missed >= 2 or not late", {"missed": "number", "late": "truth"})))
    'missed < 2 and late'
    """
    match condition:
        case Comparison(comparator, left, right):
            return Comparison(DUAL[comparator], left, right)
        case Holds():
            return Not(condition)
        case And(parts):
            return Or(tuple(opposite(part) for part in parts))
        case Or(parts):
            return And(tuple(opposite(part) for part in parts))
        case Not(of):
            return of


def _now(part: Condition, evidence: dict[str, Any], lang: Language) -> str:
    names = dict.fromkeys(names_in(part))
    today = ", ".join(f"{name} = {shown(evidence[name]['value'], lang)}" for name in names if name in evidence)
    return f"   ({today})" if today else ""
