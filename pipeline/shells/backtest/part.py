"""One part of the borrowers through the engine: what was decided of them, kept in memory and written nowhere.

Every process reads every line. A line belongs to one part, which steps it and counts it: that of its borrower, or the
first one where it has none. A record of no borrower goes to all.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime

import msgspec

from pipeline import standing
from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, Disagreement, ShadowAlert
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import ConnectedWarned, ShelfPublished
from pipeline.memory import Memory
from pipeline.profiles import NEVER
from pipeline.shelf import CompiledShelf
from pipeline.shells.arrival_files import Closes, Line
from pipeline.shells.backtest.past import Past, borrower_in, lines
from pipeline.shells.backtest.shards import Foreign, Shard
from pipeline.shells.decided import AlertLine, LoanLine, ProfileLine, TaskLine
from pipeline.shells.portfolio import Loaded, Portfolio
from pipeline.zone import date_of_number, date_text

EVERY = 2_000  # lines after which progress is told


class Counted(msgspec.Struct, kw_only=True):
    """What was read and decided, over all days."""

    events: int = 0
    by_type: Counter[str] = msgspec.field(default_factory=Counter)
    unknown_fields: int = 0
    dead_letters: Counter[str] = msgspec.field(default_factory=Counter)
    disagreements: int = 0
    warnings: int = 0


class Part(msgspec.Struct, kw_only=True):
    """What came of one part of the borrowers; days are those of the whole portfolio."""

    counted: Counted = msgspec.field(default_factory=Counted)
    first_day: int | None = None
    as_of: int | None = None  # last closed day
    alerts: list[AlertLine] = []
    candidates: list[AlertLine] = []  # of rules that tell nobody
    tasks: list[tuple[int, TaskLine]] = []  # with the day of the revision
    profiles: list[ProfileLine] = []
    truncated: list[str] = []


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, and until the close of which day."""

    past: Past
    closes: Closes | None
    until: int | None = None


def part_of(work: Work, shelf: CompiledShelf, shard: Shard, told: Callable[[int], None]) -> Part:
    """Replay one part of the borrowers; `told` hears how many more lines were read."""
    return _Run(work, shelf, shard).through(told)


class _Run:
    """A portfolio that is being replayed, and what it has decided so far."""

    def __init__(self, work: Work, shelf: CompiledShelf, shard: Shard) -> None:
        terms = shelf.terms
        self.work, self.shard, self.part = work, shard, Part()
        self.decoder = Decoder(terms.zone.name, terms.reporting_currency)
        self.portfolio = Portfolio(shelf, Loaded(), closes_by_record=work.closes is not None)
        self.portfolio.after_close = self._closed
        self.portfolio.shelf_of = lambda _: shelf  # whatever was in force then
        self.foreign = Foreign(shard, terms.zone, closes_by_record=work.closes is not None)
        ends = [each for each in (work.until, work.closes and work.closes.last) if each is not None]
        self.last = min(ends) if ends else None  # the day after whose close nothing is judged any more
        self.seen, self.has_looked = 0, False

    def through(self, told: Callable[[int], None]) -> Part:
        """Read to the end, or to the close of the last day that is judged."""
        heard = 0
        passed = self._passed if self.shard.of > 1 else self._counted
        for line in lines(self.work.past, self.decoder, self.part.truncated, passed):
            self._take(line)
            if self.seen - heard >= EVERY:
                told(self.seen - heard)
                heard = self.seen
            if self._is_over():
                break
        else:
            self._end()
        told(self.seen - heard)
        if not self.has_looked and self.part.as_of is not None:
            self._look()
        return self.part

    def _counted(self, raw: bytes) -> bool:
        self.seen += 1
        return False

    def _passed(self, raw: bytes) -> bool:
        self.seen += 1
        return self.foreign.is_passed(raw, None if self.portfolio.day is None else self.portfolio.date)

    def _is_over(self) -> bool:
        until = self.work.until
        return until is not None and self.portfolio.day is not None and self.portfolio.date > until

    # -- lines ------------------------------------------------------------------

    def _take(self, line: Line) -> None:
        arrival = line.arrival
        if isinstance(arrival, Refusal):
            whose = borrower_in(line.raw)
            if self.shard.number == 0 if whose is None else self.foreign.owns(whose):
                self.part.counted.events += 1
                self.part.counted.dead_letters[arrival.reason] += 1
            return
        self._open(arrival)
        whose = getattr(arrival.event, "borrower_id", None)
        if whose is not None and not self.foreign.owns(whose):
            if self.work.closes is None:  # It begins its day here, too.
                self._hear(self.portfolio.close_until(arrival.date - 1))
            return
        if whose is not None or self.shard.number == 0:
            self.part.counted.events += 1
            self.part.counted.by_type[arrival.type] += 1
            self.part.counted.unknown_fields += arrival.unknown
        self._hear(self.portfolio.take(arrival))

    def _open(self, arrival: Arrival) -> None:
        """Begin with the first line of any borrower, as every part does."""
        if self.portfolio.day is None and not isinstance(arrival.event, ShelfPublished):
            closes = self.work.closes
            self.portfolio.open(arrival.date if closes is None else min(arrival.date, closes.first))
            self.part.first_day = self.portfolio.date

    def _end(self) -> None:
        """Close the last day of events without day.ended; else judge what came early for the day that has begun."""
        if self.work.closes is not None:
            self._hear(self.portfolio.judge_early())
        elif self.portfolio.day is not None:
            self._hear(self.portfolio.close_until(self.portfolio.date))

    # -- decisions --------------------------------------------------------------

    def _hear(self, decisions: Iterable[Decision]) -> None:
        part, counted = self.part, self.part.counted
        for each in decisions:
            match each:
                case ShadowAlert():
                    part.candidates.append(_alert_line(each))
                case Alert():
                    part.alerts.append(_alert_line(each))
                case CollectionTask():
                    told = TaskLine(id=each.id, borrower_id=each.borrower_id, alerts=tuple(each.alerts))
                    part.tasks.append((self.portfolio.date, told))
                case DeadLetter():
                    counted.dead_letters[each.reason] += 1
                case Disagreement():
                    counted.disagreements += 1
                case ConnectedWarned():
                    counted.warnings += 1

    def _closed(self) -> None:
        assert self.portfolio.closed is not None
        on = self.portfolio.closed.date
        if self.last is None or on <= self.last:
            self.part.as_of = on
        if on == self.last:  # Now: what follows belongs to a day that is not judged.
            self._look()

    def _look(self) -> None:
        """What became of every borrower, as it is known at the last close."""
        self.has_looked = True
        self.part.profiles = [_profile_line(memory) for memory in self.portfolio.borrowers.each()]


def _alert_line(alert: Alert) -> AlertLine:
    return AlertLine(
        id=alert.id,
        episode=alert.episode,
        rule=alert.rule,
        borrower_id=alert.borrower_id,
        transition=alert.transition,
        severity=alert.severity,  # type: ignore[arg-type]  # the core writes one of the four
        at=datetime.fromisoformat(alert.at),
        business_date=date.fromisoformat(alert.business_date),
    )


def _profile_line(memory: Memory) -> ProfileLine:
    on = memory.head.backstop_on
    defaults = (memory.head.loans[loan_id].state.defaulted_on for loan_id in sorted(memory.head.loans))
    return ProfileLine(
        borrower_id=memory.borrower_id,
        loans=tuple(LoanLine(defaulted_on=None if on is None else date_of_number(on)) for on in defaults),
        backstop_on=None if on is None else NEVER if on == standing.NEVER else date_text(on),
    )


def together(parts: Iterable[Part]) -> Part:
    """The parts as one: equal to what one process would have found, but for the order of what it lists."""
    first, *others = parts
    for each in others:
        assert (each.first_day, each.as_of) == (first.first_day, first.as_of)
        for name in ("alerts", "candidates", "tasks", "profiles"):
            getattr(first, name).extend(getattr(each, name))
        for name in Counted.__struct_fields__:
            setattr(first.counted, name, getattr(first.counted, name) + getattr(each.counted, name))
    return first
