"""Files in, decisions out: an arrival log replayed through the core, days closed as the catalogue's page says."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from rich.progress import Progress

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, Disagreement, ShadowAlert, line
from pipeline.decode import Decoder, Refusal
from pipeline.events import ConnectedWarned, DayEnded, ShelfPublished
from pipeline.shelf import CompiledShelf
from pipeline.shells.arrival_files import Closes, Line, closes_in, merged
from pipeline.shells.kept import RULES, KeptRule, kept_rules, of_shelves
from pipeline.shells.months import DISBURSED, Months, is_month_end
from pipeline.shells.portfolio import Loaded, Portfolio, refused
from pipeline.shells.publishing.shelves import nothing_published
from pipeline.shells.queues import Queues
from pipeline.storm_guard import StormGuard
from pipeline.zone import date_of_number

FILES: dict[type, str] = {
    Alert: "alerts.jsonl",
    ShadowAlert: "shadow.jsonl",
    CollectionTask: "collection-tasks.jsonl",
    DeadLetter: "dead-letters.jsonl",
    Disagreement: "disagreements.jsonl",
    ConnectedWarned: "connected.jsonl",
}
HELD = "held.jsonl"
MONTHS, QUEUES = "months.jsonl", "queues.jsonl"
PROFILES, ORDER, SUMMARY = "profiles.jsonl", "order.jsonl", "summary.json"
VERDICT = "verdict.json"  # of `forewarn judge`
LISTED = 1_000  # how many waiting events the summary lists; all are counted


class Summary(msgspec.Struct, kw_only=True):
    """What a replay read and wrote; `docs/outputs.md` explains each line."""

    shelf: str
    rules: dict[str, int]
    currency: str
    events: int = 0
    by_type: dict[str, int] = {}
    unknown_fields: int = 0
    borrowers: int = 0
    profiles: int = 0
    first_day: str | None = None
    as_of: str | None = None
    days_closed: int = 0
    alerts: dict[str, int] = {}
    alerts_by_rule: dict[str, int] = {}
    shadow_alerts: int = 0
    tasks: dict[str, int] = {}
    dead_letters: dict[str, int] = {}
    held: int = 0
    disagreements: int = 0
    warnings: int = 0
    waiting: int = 0
    waiting_events: list[dict[str, Any]] = []
    truncated: list[str] = []


class Outputs:
    """The files of a run, and what was counted on the way into them."""

    def __init__(self, folder: Path, shelf: CompiledShelf, guard: StormGuard | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (SUMMARY, PROFILES, RULES, VERDICT):  # What an earlier run left says nothing of this one.
            (folder / name).unlink(missing_ok=True)
        self.folder = folder
        with ExitStack() as opened:  # Where one cannot be opened, those before it are closed.
            self.files: dict[type, BinaryIO] = {
                kind: opened.enter_context((folder / name).open("wb")) for kind, name in FILES.items()
            }
            self.order = opened.enter_context((folder / ORDER).open("wb"))
            # What the storm guard keeps for an officer.
            self.held = opened.enter_context((folder / HELD).open("wb"))
            self.month_ends = opened.enter_context((folder / MONTHS).open("wb"))
            self.queue_days = opened.enter_context((folder / QUEUES).open("wb"))
            self._opened = opened.pop_all()
        self.guard = guard
        self.queues, self.months = Queues(), Months()
        self.range: list[Any] | None = None  # file, first and last line of the lines read since the last entry
        self.first_open: int | None = None  # the first date whose close is not noted yet
        self.shelves = [shelf]  # that were in force, the last one is
        self.summary = Summary(shelf="", rules={}, currency=shelf.terms.reporting_currency)
        self._judged_by(shelf)
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("by_type", "alerts", "alerts_by_rule", "tasks", "dead_letters")
        }

    def adopted(self, shelf: CompiledShelf, portfolio: Portfolio) -> CompiledShelf:
        """From the next line on another shelf is in force; what was closed before was by the one before."""
        self.note_closes(portfolio)
        self.end_range()
        self.shelves.append(shelf)
        self._judged_by(shelf)
        return shelf

    def _judged_by(self, shelf: CompiledShelf) -> None:
        by_status = Counter(rule.status for rule in shelf.rules.values())
        self.summary.shelf, self.summary.rules = shelf.hash, dict(sorted(by_status.items()))

    def write(self, decisions: Iterable[Decision]) -> None:
        """Write decisions in their order, each to its file."""
        watched = ((each, False) for each in decisions) if self.guard is None else self.guard.watch(decisions)
        for decision, is_held in watched:
            if is_held:
                self.held.write(line(decision) + b"\n")
                self.summary.held += 1
            else:
                self.files[type(decision)].write(line(decision) + b"\n")
                self._count(decision)

    def _count(self, decision: Decision) -> None:
        match decision:
            case ShadowAlert():
                self.summary.shadow_alerts += 1
            case Alert():
                self.counts["alerts"][decision.transition] += 1
                self.counts["alerts_by_rule"][decision.rule] += decision.transition == "opened"
            case CollectionTask():
                self.counts["tasks"][decision.status] += 1
                self.queues.heard(decision)
            case DeadLetter():
                self.counts["dead_letters"][decision.reason] += 1
            case Disagreement():
                self.summary.disagreements += 1
            case ConnectedWarned():
                self.summary.warnings += 1

    def read(self, each: Line) -> None:
        """Note a line in the order record."""
        if self.range is not None and self.range[0] == each.file and self.range[2] == each.number - 1:
            self.range[2] = each.number
            return
        self.end_range()
        self.range = [each.file, each.number, each.number]

    def end_range(self) -> None:
        """Write the range of lines read so far to the order record."""
        if self.range is not None:
            file, first, last = self.range
            self._note({"file": file, "first": first, "last": last})
            self.range = None

    def note_closes(self, portfolio: Portfolio) -> None:
        """Note the days that were closed since in the order record."""
        if self.first_open is None or portfolio.day is None:
            return
        for day in range(self.first_open, portfolio.date):
            self.end_range()
            self._note({"closed": date_of_number(day).isoformat()})
            self.summary.days_closed += 1
        self.first_open = portfolio.date

    def _note(self, entry: dict[str, Any]) -> None:
        self.order.write(msgspec.json.encode({**entry, "shelf": self.summary.shelf}) + b"\n")

    def day_closed(self, portfolio: Portfolio) -> None:
        """Write the work of a day's queues, and the loans at the end of a month, while both are as of that close."""
        assert portfolio.closed is not None
        on = portfolio.closed.date
        self.queue_days.writelines(msgspec.json.encode(each) + b"\n" for each in self.queues.closed(on))
        if is_month_end(on):
            self._write_months(portfolio)

    def _write_months(self, portfolio: Portfolio) -> None:
        assert portfolio.closed is not None
        rows = self.months.rows(portfolio.shelf, portfolio.closed, portfolio.borrowers.each())
        self.month_ends.writelines(msgspec.json.encode(each) + b"\n" for each in rows)

    def write_profiles(self, portfolio: Portfolio) -> None:
        """Write every borrower as of the last closed day, which is the last of the run."""
        if portfolio.closed is not None and not is_month_end(portfolio.closed.date):
            self._write_months(portfolio)
        with (self.folder / PROFILES).open("wb") as file:
            if portfolio.closed is None:
                return
            self.summary.as_of = date_of_number(portfolio.closed.date).isoformat()
            for profile in portfolio.profiles():
                for episode in profile["episodes"]:
                    if self.guard is not None and episode["episode"] in self.guard.held:
                        episode["state"] = "held"
                file.write(msgspec.json.encode(profile) + b"\n")
                self.summary.profiles += 1

    def finish(self, portfolio: Portfolio) -> Summary:
        """Write the summary."""
        self.end_range()
        summary = self.summary
        for name, counter in self.counts.items():
            setattr(summary, name, dict(sorted((k, v) for k, v in counter.items() if v)))
        summary.borrowers = sum(1 for _ in portfolio.borrowers.each())
        leftovers = list(portfolio.leftovers())
        summary.waiting, summary.waiting_events = len(leftovers), leftovers[:LISTED]
        (self.folder / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
        return summary

    def close(self) -> None:
        """Let go of every file."""
        self._opened.close()


def replay(
    files: list[Path],
    shelf: CompiledShelf,
    out: Path,
    progress: Progress,
    guard: StormGuard | None = None,
    shelf_of: Callable[[str], CompiledShelf] = nothing_published,
) -> Summary:
    """Replay event files into a folder of decisions; the summary names files that ended too early.

    `shelf_of` finds what the files say was published; Unloadable where it cannot.
    """
    decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
    closes = closes_in(files, decoder)
    portfolio = Portfolio(shelf, Loaded(), closes_by_record=closes is not None)
    outputs = Outputs(out, shelf, guard)
    portfolio.after_close = lambda: outputs.day_closed(portfolio)
    portfolio.shelf_of = lambda bundle: outputs.adopted(shelf_of(bundle), portfolio)
    if guard is not None:
        portfolio.stopped = guard.stopped
    try:
        task = progress.add_task("replay", total=None)
        for each in merged(files, decoder, outputs.summary.truncated):
            outputs.summary.events += 1
            _feed(portfolio, outputs, each, closes)
            if outputs.summary.events % 1_000 == 0:
                progress.update(task, completed=outputs.summary.events)
        _end(portfolio, outputs)
        write_rules(of_shelves({each.hash: kept_rules(each) for each in outputs.shelves}), out)
        return outputs.finish(portfolio)
    finally:
        outputs.close()


def write_rules(rules: Iterable[KeptRule], out: Path) -> None:
    """Keep the text of every rule that decided beside its decisions, so that each can be explained later."""
    with (out / RULES).open("wb") as file:
        file.writelines(msgspec.json.encode(each) + b"\n" for each in rules)


def _feed(portfolio: Portfolio, outputs: Outputs, each: Line, closes: Closes | None) -> None:
    arrival = each.arrival
    if isinstance(arrival, Refusal):
        outputs.read(each)
        outputs.write([refused(each.raw, arrival.reason, arrival.why, {"file": each.file, "line": each.number})])
        return
    outputs.counts["by_type"][arrival.type] += 1
    outputs.summary.unknown_fields += arrival.unknown
    if portfolio.day is None and isinstance(arrival.event, ShelfPublished):
        outputs.write(portfolio.take(arrival))
        outputs.read(each)
        return
    if portfolio.day is None:
        portfolio.open(arrival.date if closes is None else min(arrival.date, closes.first))
        outputs.first_open = portfolio.date
        outputs.summary.first_day = date_of_number(portfolio.date).isoformat()
    before = portfolio.date
    if arrival.type == DISBURSED:
        outputs.months.heard(arrival)
    outputs.write(portfolio.take(arrival))
    if isinstance(arrival.event, DayEnded):
        outputs.read(each)
    outputs.note_closes(portfolio)
    if not isinstance(arrival.event, DayEnded):
        outputs.read(each)
    elif closes is not None and before <= closes.last < portfolio.date:
        outputs.write_profiles(portfolio)  # Now: what follows belongs to a day that nobody closes.


def _end(portfolio: Portfolio, outputs: Outputs) -> None:
    """Close the last day of files without day.ended; else judge what came early for the day that has begun."""
    if portfolio.closes_by_record:
        outputs.write(portfolio.judge_early())
        return
    if portfolio.day is not None:
        outputs.write(portfolio.close_until(portfolio.date))
        outputs.note_closes(portfolio)
    outputs.write_profiles(portfolio)
