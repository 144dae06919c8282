"""The demo: a thousand real card clients, from the bank's file to alerts and tasks."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.progress import Progress
from rich.table import Table

from connectors.ingest import ingest
from pipeline.shelf import CompiledShelf
from pipeline.shells.effect import AHEAD, Effect, defaults_in, effect_of, openings_in
from pipeline.shells.replay import Summary, replay
from pipeline.shells.show import console, replayed
from pipeline.shells.texts import TEXTS, Language
from rules.rule import SEVERITIES

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "connectors" / "samples" / "taiwan_cards_1000.csv.gz"
CONFIG = ROOT / "config" / "taiwan.yaml"
MAPPING = "taiwan_cards"
DAYS_A_MONTH = 30.44
SHOWN = 10


class Demo(NamedTuple):
    """What the demo made."""

    summary: Summary
    effect: Effect
    profiles: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    tasks: list[dict[str, Any]]


def run(out: Path, shelf: CompiledShelf, progress: Progress) -> Demo:
    """Ingest the shipped sample and replay it."""
    out.mkdir(parents=True, exist_ok=True)
    events = out / "events.jsonl.gz"
    ingest(SAMPLE, MAPPING, events, True)
    summary = replay([events], shelf, out, progress)
    effect = effect_of(
        openings_in(out), defaults_in(out), borrowers=summary.borrowers, months=summary.days_closed / DAYS_A_MONTH
    )
    return Demo(
        summary, effect, *(_records(out / f"{name}.jsonl") for name in ("profiles", "alerts", "collection-tasks"))
    )


def _records(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def show(demo: Demo, out: Path, lang: Language) -> None:
    """The tables of the demo."""
    replayed(demo.summary, out, lang)
    texts, screen = TEXTS[lang], console()
    for table in (_riskiest(demo, texts), _by_rule(demo, texts), _lead(demo, texts), _story(demo, texts)):
        screen.print(table)
    if demo.alerts:
        first = _worked(demo)
        screen.print(texts["more"].format(id=first["id"], folder=out), markup=False, soft_wrap=True)


def _table(title: str, texts: dict[str, str], *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(texts.get(name, name), justify="left" if name in _LEFT else "right")
    return table


_LEFT = {"borrower", "worst", "rule", "metric", "when", "what", "bucket"}


def _riskiest(demo: Demo, texts: dict[str, str]) -> Table:
    """Open alerts by their worst severity, then days past due, then exposure."""
    table = _table(texts["riskiest"], texts, "borrower", "worst", "open_alerts", "days_past_due", "arrears", "exposure")
    severity = {alert["episode"]: alert["severity"] for alert in demo.alerts}
    rows = []
    for profile in demo.profiles:
        alive = [
            severity[e["episode"]] for e in profile["episodes"] if e["state"] == "open" and e["episode"] in severity
        ]
        worst = max((SEVERITIES.index(name) for name in alive), default=-1)
        days = max((loan["days_past_due"] or 0 for loan in profile["loans"]), default=0)
        exposure = profile["exposure_minor"]
        rows.append((worst, days, -1 if exposure is None else exposure, len(alive), profile))
    for worst, days, _, count, profile in sorted(rows, key=lambda row: row[:4], reverse=True)[:SHOWN]:
        table.add_row(
            profile["borrower_id"],
            SEVERITIES[worst] if worst >= 0 else "-",
            str(count),
            str(days),
            _money(profile["arrears_minor"]),
            _money(profile["exposure_minor"]),
        )
    return table


def _money(minor: int | None) -> str:
    return "?" if minor is None else f"{minor / 100:,.2f}"


def _by_rule(demo: Demo, texts: dict[str, str]) -> Table:
    table = _table(texts["by_rule"], texts, "rule", *SEVERITIES)
    counts = Counter((a["rule"], a["severity"]) for a in demo.alerts if a["transition"] != "closed")
    for rule in sorted({rule for rule, _ in counts}):
        table.add_row(rule, *(f"{counts[rule, severity]:,}" for severity in SEVERITIES))
    return table


def _lead(demo: Demo, texts: dict[str, str]) -> Table:
    table = _table(texts["lead"], texts, "metric", "value")
    effect = demo.effect
    table.add_row(texts["defaulters"], f"{effect.defaulted:,}")
    table.add_row(texts["alerted_before"], f"{effect.alerted_before_default:,}")
    median = effect.lead_median_days
    table.add_row(texts["lead_median"], "-" if median is None else texts["days"].format(n=f"{median:.0f}"))
    for days in AHEAD:
        table.add_row(texts["lead_share"].format(days=days), _share(effect.ahead[days]))
    table.add_row(texts["precision"], _share(effect.precision))
    table.add_row(texts["base_rate"], _share(effect.base_rate))
    workload = effect.alerts_per_1000_and_month
    table.add_row(texts["workload"], "-" if workload is None else f"{workload:.1f}")
    return table


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _worked(demo: Demo) -> dict[str, Any]:
    """The alert to tell of: the worst opening with a task, the first of equals."""
    tasked = {episode for task in demo.tasks for episode in task["alerts"]}
    openings = [a for a in demo.alerts if a["transition"] == "opened"]
    return max(openings, key=lambda a: (a["episode"] in tasked, SEVERITIES.index(a["severity"])))


def _story(demo: Demo, texts: dict[str, str]) -> Table:
    table = _table(texts["one_alert"], texts, "when", "what")
    if not demo.alerts:
        return table
    chosen = _worked(demo)
    for alert in demo.alerts:
        if alert["episode"] == chosen["episode"]:
            said = alert.get("say") or alert.get("reason", "")
            table.add_row(alert["at"], f"{texts['alert']} {alert['transition']} ({alert['severity']}): {said}")
            if alert["id"] == chosen["id"]:
                for name, entry in alert["evidence"].items():
                    table.add_row("", f"  {name} = {entry['value']}  {entry.get('over', '')}")
    for task in demo.tasks:
        if chosen["episode"] in task["alerts"]:
            words = f"{texts['task']} {task['status']}: {task['queue']}, {task['action']} ({task['due_by']})"
            table.add_row(f"{task['id']} #{task['revision']}", words)
    return table
