"""One alert explained: the numbers it saw, the rule's text, and what would clear it."""

from pathlib import Path
from typing import Any

import msgspec
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from pipeline.conditions import DUAL
from pipeline.events import CATALOGUE
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language
from rules.faults import RuleError
from rules.loader import load_text
from rules.rule import And, Arithmetic, Comparison, Condition, Expression, Holds, Name, Negative, Not, Number, Or, Rule

ALERTS = ("alerts.jsonl", "shadow.jsonl")
RULES = "rules.jsonl"


def explain(alert_id: str, folder: Path, lang: Language, quiet: bool) -> str | None:
    """Print the explanation of an alert; returns a sentence when there is none."""
    try:
        return _explained(alert_id, folder, lang, quiet)
    except (msgspec.DecodeError, KeyError, RuleError) as error:
        return f"{folder}: expected what a replay wrote, got other content ({error}); replay again"


def _explained(alert_id: str, folder: Path, lang: Language, quiet: bool) -> str | None:
    alert = _found(folder, ALERTS, "id", alert_id)
    if alert is None:
        names = " and ".join(ALERTS)
        return f"{alert_id}: expected the id of an alert in {names} of {folder}, got one that is not there"
    kept = _found(folder, (RULES,), "rule", alert["rule"])
    if kept is None:
        return f"{alert['rule']}: expected its text in {folder / RULES}, got nothing; replay again"
    rule = load_text(kept["text"], kept["file"], CATALOGUE)
    if not quiet:
        _print(alert, rule, kept, lang)
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
                    if record[key] == value:
                        return record
    return None


def _print(alert: dict[str, Any], rule: Rule, kept: dict[str, Any], lang: Language) -> None:
    texts, out = TEXTS[lang], console()
    head = f"{alert['severity']} · {alert['transition']} · {alert['borrower_id']} · {alert['at']}"
    said = alert.get("say") or texts["is_closed"].format(reason=alert.get("reason", ""))
    out.print(Panel(f"{said}\n\n{texts['because']}: {rule.why.strip()}", title=alert["id"], subtitle=head))
    out.print(_numbers(alert, texts))
    for name, lines in (("what_to_do", rule.guide), ("mistakes", rule.false_alarms), ("blind", rule.blind_spots)):
        if lines:
            out.print(f"[bold]{texts[name]}[/]")
            for line in lines:
                out.print(f"  - {line}", markup=False)
    if alert["transition"] != "closed":
        out.print(f"[bold]{texts['clears']}[/]")
        for line in clearing(rule, alert["evidence"], lang):
            out.print(f"  {line}", markup=False)
    out.print(f"[bold]{texts['the_rule'].format(file=kept['file'], version=alert['rule_version'])}[/]")
    out.print(Syntax(kept["text"], "yaml", background_color="default"))


def _numbers(alert: dict[str, Any], texts: dict[str, str]) -> Table:
    table = Table(title=texts["numbers"])
    for column in ("measure", "value", "window", "known"):
        table.add_column(texts[column], justify="right" if column == "value" else "left")
    for name, entry in alert["evidence"].items():
        window = entry.get("over") or entry.get("within") or ""
        table.add_row(name, _shown(entry["value"]), window, str(entry.get("known", entry.get("truth", ""))))
    return table


def _shown(value: Any) -> str:
    return "?" if value is None else f"{value:,}" if isinstance(value, int) and value is not True else str(value)


# -- what would clear it ----------------------------------------------------


def clearing(rule: Rule, evidence: dict[str, Any], lang: Language) -> list[str]:
    """The conditions under which the rule's `when` is known to fail, each with today's number."""
    texts = TEXTS[lang]
    any_of = not isinstance(rule.when, Or)
    parts = rule.when.parts if isinstance(rule.when, And | Or) else (rule.when,)
    head = texts["clear_any" if any_of else "clear_all"].format(days=rule.clear_after)
    lines = [f"{opposite(part)}{_now(part, evidence)}" for part in parts]
    return [head, *(f"- {line}" for line in lines)]


def opposite(condition: Condition) -> str:
    """The dual of a condition in the words of the rule language.

    >>> from decimal import Decimal
    >>> opposite(Comparison(">=", Name("missed"), Number(Decimal(2))))
    'missed < 2'
    """
    match condition:
        case Comparison(comparator, left, right):
            return f"{written(left)} {DUAL[comparator]} {written(right)}"
        case Holds(name):
            return f"not {name}"
        case And(parts):
            return "(" + " or ".join(opposite(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " and ".join(opposite(part) for part in parts) + ")"
        case Not(of):
            return stated(of)


def stated(condition: Condition) -> str:
    """A condition in the words of the rule language."""
    match condition:
        case Comparison(comparator, left, right):
            return f"{written(left)} {comparator} {written(right)}"
        case Holds(name):
            return name
        case And(parts):
            return "(" + " and ".join(stated(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " or ".join(stated(part) for part in parts) + ")"
        case Not(of):
            return f"not {stated(of)}"


def written(expression: Expression) -> str:
    """An expression in the words of the rule language."""
    match expression:
        case Number(value):
            return str(value)
        case Name(name):
            return name
        case Negative(of):
            return f"-{written(of)}"
        case Arithmetic(operator, left, right):
            return f"({written(left)} {operator} {written(right)})"
    return f"'{expression.value}'"


def names_in(part: Condition | Expression) -> list[str]:
    """The measures that a condition or an expression names, in order."""
    match part:
        case Name(name) | Holds(name):
            return [name]
        case Negative(of) | Not(of):
            return names_in(of)
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return [*names_in(left), *names_in(right)]
        case And(parts) | Or(parts):
            return [name for each in parts for name in names_in(each)]
    return []


def _now(part: Condition, evidence: dict[str, Any]) -> str:
    names = dict.fromkeys(names_in(part))
    shown = ", ".join(f"{name} = {_shown(evidence[name]['value'])}" for name in names if name in evidence)
    return f"   ({shown})" if shown else ""
