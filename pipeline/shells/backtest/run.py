"""A backtest from its first look at the events to what is written of it."""

import sys
from collections.abc import Collection
from pathlib import Path

import msgspec
import typer
from rich.progress import Progress

from pipeline.decode import Decoder
from pipeline.shells.backtest.asked import Chosen
from pipeline.shells.backtest.judging import Asking, Backtest, Found, Span, found_in
from pipeline.shells.backtest.page import Sections, page
from pipeline.shells.backtest.part import Part, Work
from pipeline.shells.backtest.past import Scan, scanned
from pipeline.shells.backtest.shards import Shard, shards
from pipeline.shells.backtest.texts import WORDS
from pipeline.shells.backtest.workers import Rules, cores, replayed, usual_processes
from pipeline.shells.put import put
from pipeline.shells.texts import TEXTS, Language, counted, word
from pipeline.zone import day_number

RESULT, PAGE = "backtest.json", "backtest.html"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the events beyond which they are."""

    span: Span = Span()
    truth: Path | None = None
    budget: int | None = None
    processes: int | None = None  # None: one for each core, or fewer for a few events


def backtested(chosen: Chosen, wish: Wish, progress: Progress) -> Found:
    """Replay the events in so many processes, and judge what was decided; BadFile when that cannot be."""
    scan, [part] = parts_of(chosen, [chosen.rules], wish, progress)
    return found_in(part, asking_of(chosen, wish, scan))


def parts_of(chosen: Chosen, shelves: list[Rules], wish: Wish, progress: Progress) -> tuple[Scan, list[Part]]:
    """Replay the events through each of some shelves, in the same parts of the borrowers."""
    compiled = [each.compiled() for each in shelves]
    terms, until = compiled[0].terms, wish.span.until
    most = cores() if wish.processes is None else wish.processes
    scan = scanned(
        chosen.past,
        Decoder(terms.zone.name, terms.reporting_currency),
        with_ties=most > 1,
        with_borrowers=until is not None and wish.truth is not None,
    )
    count = usual_processes(scan.lines) if wish.processes is None else wish.processes
    shared = shards(count, compiled[0], scan.ties, *compiled[1:]) if count > 1 else [Shard()]
    task = progress.add_task("backtest", total=scan.lines * count * len(shelves))
    work = Work(past=chosen.past, closes=scan.closes, until=None if until is None else day_number(until))
    return scan, [replayed(work, rules, shared, lambda lines: progress.advance(task, lines)) for rules in shelves]


def asking_of(chosen: Chosen, wish: Wish, scan: Scan) -> Asking:
    """What is asked of what was decided."""
    return Asking(
        span=wish.span,
        truth=wish.truth,
        budget=wish.budget,
        known=scan.borrowers,
        shelf=chosen.rules.shelf.hash,
        rules=chosen.statuses,
    )


def as_json(found: Backtest) -> bytes:
    """A backtest as one JSON object; equal events, rules, settings and truth give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def write(
    found: Found,
    out: Path | None,
    wanted: Collection[str],
    sources: list[Path],
    lang: Language,
    first: Sections = (),
) -> list[Path]:
    """Write what is wanted of the result, JSON to the screen where it has no folder; which files were written.

    `first` are sections of the page that stand before its own.
    """
    if "json" in wanted and out is None:
        sys.stdout.write(as_json(found.told).decode())
    if out is None:
        return []
    contents = {RESULT: lambda: as_json(found.told), PAGE: lambda: page(found, lang, first).encode()}
    written = [out / name for name in contents if name.rpartition(".")[2] in wanted]
    for file in written:
        put(contents[file.name](), file, sources)
    return written


def say(found: Backtest, written: list[Path], config: Path | None, lang: Language) -> None:
    """Where something was written to, and what looks wrong."""
    for file in written:
        typer.echo(WORDS[lang]["written"].format(file=file))
    warning = _warning(found, config, lang)
    if warning is not None:
        typer.echo(warning, err=True)


def _warning(found: Backtest, config: Path | None, lang: Language) -> str | None:
    """One sentence when more than half of the events were refused: the settings are rarely those of such data."""
    refused = sum(found.events.dead_letters.values())
    if refused * 2 <= found.events.events:
        return None
    reason = max(found.events.dead_letters, key=lambda each: found.events.dead_letters[each])
    return WORDS[lang]["refused"].format(
        refused=f"{refused:,}",
        events=counted(found.events.events, "event", lang),
        reason=reason if lang == "en" else f"{word(reason, lang)}（{reason}）",
        config=TEXTS[lang]["default_settings"].format(file="config/default.yaml") if config is None else config,
    )
