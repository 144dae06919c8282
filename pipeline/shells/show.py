"""Rich tables of what a command did."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.shells.replay import Summary
from pipeline.shells.texts import TEXTS, Language, counted, word

WIDTH = 120  # where no terminal says how wide it is


def console() -> Console:
    """A console that is wide enough for the tables when its output is piped."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)


def replayed(summary: Summary, folder: Path, lang: Language) -> None:
    """What a replay read and wrote."""
    texts = TEXTS[lang]
    table = Table()
    table.add_column(texts["file"])
    table.add_column(texts["records"], justify="right")
    table.add_column(texts["detail"])
    rows: tuple[tuple[str, int, dict[str, int]], ...] = (
        ("alerts.jsonl", sum(summary.alerts.values()), summary.alerts),
        ("collection-tasks.jsonl", sum(summary.tasks.values()), summary.tasks),
        ("shadow.jsonl", summary.shadow_alerts, {}),
        ("dead-letters.jsonl", sum(summary.dead_letters.values()), summary.dead_letters),
        ("profiles.jsonl", summary.profiles, {}),
        (texts["warnings"], summary.warnings, {}),
        (texts["disagreements"], summary.disagreements, {}),
        (texts["unknown_fields"], summary.unknown_fields, {}),
        (texts["waiting"], summary.waiting, {}),
    )
    for name, count, detail in rows:
        parts = (f"{word(key, lang)} {n:,}" for key, n in detail.items())
        table.add_row(name, f"{count:,}", texts["comma"].join(parts))
    heading = texts["replayed"].format(
        events=counted(summary.events, "event", lang),
        borrowers=counted(summary.borrowers, "borrower", lang),
        days=counted(summary.days_closed, "day", lang),
        as_of=summary.as_of or "-",
    )
    out = console()
    out.print(heading)
    out.print(table)
    out.print(texts["written"].format(folder=folder), markup=False, soft_wrap=True)


def refusal_warning(summary: Summary, folder: Path, config: Path | None, lang: Language) -> str | None:
    """One sentence when more than half of the events were refused: the settings are rarely those of such data."""
    refused = sum(summary.dead_letters.values())
    if refused * 2 <= summary.events:
        return None
    texts, reason = TEXTS[lang], max(summary.dead_letters, key=lambda each: summary.dead_letters[each])
    return texts["refused"].format(
        refused=f"{refused:,}",
        events=counted(summary.events, "event", lang),
        reason=reason if lang == "en" else f"{word(reason, lang)}（{reason}）",
        config=texts["default_settings"].format(file="config/default.yaml") if config is None else config,
        file=folder / "dead-letters.jsonl",
    )
