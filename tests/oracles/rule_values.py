"""What a measure says, worked out naively from the page about rules: plain lists, Fractions, no state at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rules.rule import Measure, Per, Selector
from tests.oracles.rule_truth import UNKNOWN, Plain, Value, truth_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EAST_MS = 8 * HOUR_MS  # All journeys are told in Shanghai's time, which has no summer time.
RANKS = {"control": 0, "repayment": 1, "account": 2, "external": 3, "connected": 4, "outcomes": 5, "officer": 6}
PREFIXES = {"loan": "repayment", "repayment": "repayment", "account": "account", "external": "external"}
PREFIXES |= {"contact": "outcomes", "promise": "outcomes", "relation": "external"}
# Which end is worse, for the fields that the journeys use.
HIGH = {"days_past_due", "used_share", "overdue", "lenders", "arrears", "total", "minimum_due", "months"}
LOW = {"balance", "limit", "sentiment", "equity", "profit", "collateral_value"}
SIGNED_AMOUNTS = {"balance", "equity", "profit"}
EVER = -(10**9)


@dataclass(frozen=True)
class Happening:
    """One event that has arrived, with its business date and its instant."""

    event: Any
    type: str
    date: int
    at_ms: int

    @property
    def feed(self) -> str:
        """The feed that it came in."""
        return self.type if self.type.startswith("model.") else PREFIXES[self.type.split(".")[0]]

    @property
    def place(self) -> tuple[int, int, int, str, str]:
        """Its place in the order in which measures read; two sources may use one id."""
        return (self.date, self.at_ms, RANKS.get(self.feed, 7), self.event.id, self.event.source)

    def reads(self, name: str) -> Plain | None:
        """A field by the name of a rule, in the unit that a rule writes; None when it is absent."""
        for suffix, scale in (("_minor", 100), ("_ppm", 1_000_000), ("", 1)):
            value = getattr(self.event, name + suffix, None)
            if isinstance(value, bool | str):
                return value
            if value is not None:
                return Fraction(value, scale)
        return None


@dataclass
class Past:
    """All that has arrived and was not taken back, and what was said about the feeds."""

    happenings: list[Happening] = field(default_factory=list)
    history: dict[str, int] = field(default_factory=dict)  # feed ("": every other) -> first date, as configured
    ever_arrived: list[Happening] = field(default_factory=list)  # taken back or not: it shows that the feed was there
    figures: dict[str, int] = field(default_factory=dict)  # macro figures in parts per million

    def in_order(self) -> list[Happening]:
        """All events as measures read them."""
        return sorted(self.happenings, key=lambda each: each.place)

    def known_from(self, feed: str) -> int | None:
        """The first date that a feed is known for; None when it never was."""
        configured = self.history.get(feed, self.history.get(""))
        of_feed = sorted((each for each in self.ever_arrived if each.feed == feed), key=lambda each: each.place)
        starts = [] if configured is None else [configured]
        if of_feed:
            first = [each for each in of_feed if (each.date, each.at_ms) == (of_feed[0].date, of_feed[0].at_ms)]
            from_ever = any(each.type == "loan.disbursed" for each in first)
            starts.append(EVER if from_ever else of_feed[0].date)
        return min(starts, default=None)


@dataclass(frozen=True)
class Moment:
    """When a look is taken."""

    date: int
    now_ms: int
    missing: frozenset[str] = frozenset()


def value_of(measure: Measure, per: Per, key: str, past: Past, moment: Moment) -> Value:
    """One measure of one key at one moment."""
    feeds = {feed_of(select.event) for select in measure.select} or {"repayment"}
    if measure.verb == "macro":
        figure = past.figures.get(measure.what or "")
        return UNKNOWN if figure is None else Value("all", Fraction(figure, 1_000_000))
    if feeds & moment.missing:
        return UNKNOWN
    if measure.verb == "now":
        return _now(measure, per, key, past, moment)
    mine = [each for each in past.in_order() if concerns(each, measure, per, key)]
    if measure.verb == "sequence":
        return _sequence(measure, mine, past, moment, feeds)
    inside = [each for each in mine if is_selected(each, measure.select[0]) and _is_inside(each, measure, moment)]
    is_whole = _is_whole(measure, past, moment, feeds) or (measure.over is None and bool(inside))
    if measure.across is None:
        return _told(measure, _reckoned(measure, inside, moment), is_whole)
    by_key: dict[str, list[Happening]] = {}
    for each in inside:
        by_key.setdefault(_owner(each), []).append(each)
    parts = [_reckoned(measure, of_key, moment) for of_key in by_key.values()]
    return _told(measure, _joined(measure, [part for part in parts if part is not None]), is_whole)


def feed_of(event_type: str) -> str:
    """The feed that carries a type of event."""
    return event_type if event_type.startswith("model.") else PREFIXES[event_type.split(".")[0]]


def concerns(each: Happening, measure: Measure, per: Per, key: str) -> bool:
    """Whether a measure of this key may read an event at all."""
    if per == "borrower_id" or measure.of_borrower:
        return True
    return bool(getattr(each.event, per, None) == key)


def is_selected(each: Happening, select: Selector) -> bool:
    """Whether an event is of the type, and the narrowing is true of it (not merely possible)."""
    if each.type != select.event:
        return False
    return select.where is None or truth_of(select.where, _Fields(each)) is True


class _Fields(dict[str, Value]):
    """The fields of an event, as values."""

    def __init__(self, each: Happening) -> None:
        super().__init__()
        self.each = each

    def __missing__(self, name: str) -> Value:
        found = self.each.reads(name)
        return UNKNOWN if found is None else Value("all", found)


def _is_inside(each: Happening, measure: Measure, moment: Moment) -> bool:
    """Whether an event lies in `(now - over, now]`, both moved back by `ending`."""
    back = measure.ending.days or 0 if measure.ending else 0
    over = measure.over
    if over is None:
        return each.date <= moment.date - back
    if over.days is None:
        end_ms = moment.now_ms - back * DAY_MS
        return end_ms - over.milliseconds < each.at_ms <= end_ms
    end = moment.date - back
    return end - over.days < each.date <= end


def _is_whole(measure: Measure, past: Past, moment: Moment, feeds: set[str]) -> bool:
    """Whether every feed was known on the first date that the window reaches."""
    back = measure.ending.days or 0 if measure.ending else 0
    if measure.over is None:
        return False
    if measure.over.days is None:
        first_ms = moment.now_ms - back * DAY_MS - measure.over.milliseconds + 1
        first = (first_ms + EAST_MS) // DAY_MS
    else:
        first = moment.date - back - measure.over.days + 1
    return all(_knows(past, feed, first) for feed in feeds)


def _knows(past: Past, feed: str, first: int) -> bool:
    start = past.known_from(feed)
    return start is not None and start <= first


def _reckoned(measure: Measure, inside: list[Happening], moment: Moment) -> Plain | None:
    """The verb over the events of a window; None where no event leaves it unknown."""
    if measure.verb == "count":
        return Fraction(len(inside))
    if measure.verb == "days_since":
        return Fraction(moment.date - inside[-1].date) if inside else None
    found = [value for each in inside if (value := each.reads(measure.what or "")) is not None]
    if measure.verb == "distinct":
        return Fraction(len(set(found)))
    if measure.verb == "sum":
        return sum((value for value in found if isinstance(value, Fraction)), Fraction(0))
    if not found:
        return None
    if measure.verb == "latest":
        return found[-1]
    numbers = [value for value in found if isinstance(value, Fraction)]
    return {"min": min(numbers), "max": max(numbers), "average": sum(numbers, Fraction(0)) / len(numbers)}[measure.verb]


def _joined(measure: Measure, parts: list[Plain]) -> Plain | None:
    """The values of several loans or accounts as one."""
    numbers = [part for part in parts if isinstance(part, Fraction)]
    if not numbers:
        return None
    if measure.across == "worst":
        return max(numbers) if measure.what in HIGH else min(numbers)
    total = sum(numbers, Fraction(0))
    return total if measure.across == "sum" else total / len(numbers)


def _told(measure: Measure, found: Plain | None, is_whole: bool) -> Value:
    """A value as a rule may take it: in a window that is known in part, some are lower bounds, all else unknown."""
    if found is None:
        return UNKNOWN
    if is_whole:
        return Value("all", found)
    grows = measure.verb in ("count", "distinct", "max")
    grows |= measure.verb == "sum" and is_amount(measure) and measure.what not in SIGNED_AMOUNTS
    if measure.across is not None:
        grows &= measure.across == "worst" and measure.what in HIGH
    return Value("at least", found) if grows else UNKNOWN


def is_amount(measure: Measure) -> bool:
    """Whether a field is money."""
    return measure.what in {"amount", "overdue", "total", "limit", "balance", "equity", "profit", "minimum_due"}


def _owner(each: Happening) -> str:
    return getattr(each.event, "loan_id", None) or getattr(each.event, "account_id", None) or ""


def _now(measure: Measure, per: Per, key: str, past: Past, moment: Moment) -> Value:
    """Days past due of one loan or of all: the last snapshot, rolled on by a day each day while above 0."""
    assert measure.what == "days_past_due"
    loans = {each.event.loan_id for each in past.happenings if each.type in ("loan.disbursed", "loan.snapshot")}
    loans -= {each.event.loan_id for each in past.happenings if each.type in ("loan.closed", "loan.written_off")}
    if per == "loan_id" and not measure.of_borrower:
        loans = {key}
    parts = [_days_past_due(loan, past, moment) for loan in sorted(loans)]
    known = [part for part in parts if part is not None]
    if not parts or len(known) < len(parts):
        return UNKNOWN
    if measure.across is None:
        return Value("all", known[0])
    joined = _joined(measure, list(known))
    return UNKNOWN if joined is None else Value("all", joined)


def _days_past_due(loan: str, past: Past, moment: Moment) -> Fraction | None:
    said = [each for each in past.in_order() if each.type == "loan.snapshot" and each.event.loan_id == loan]
    if not said:
        return None
    days = said[-1].event.days_past_due
    return Fraction(0 if days == 0 else days + moment.date - said[-1].date)


def _sequence(measure: Measure, mine: list[Happening], past: Past, moment: Moment, feeds: set[str]) -> Value:
    """True when the steps stand in this order and the first is at most `within` old."""
    within = measure.within
    assert within is not None
    if within.days is None:
        oldest_ms = moment.now_ms - within.milliseconds
        first_date = (oldest_ms + EAST_MS) // DAY_MS
        mine = [each for each in mine if oldest_ms <= each.at_ms <= moment.now_ms]
    else:
        first_date = moment.date - within.days
        mine = [each for each in mine if first_date <= each.date <= moment.date]
    if next(_walks(measure.select, mine), None) is not None:
        return Value("all", True)
    return Value("all", False) if all(_knows(past, feed, first_date) for feed in feeds) else UNKNOWN


def _walks(steps: tuple[Selector, ...], events: list[Happening]) -> Iterator[list[Happening]]:
    """Every way to find all steps, one event each, in order."""
    if not steps:
        yield []
        return
    for i, each in enumerate(events):
        if is_selected(each, steps[0]):
            for rest in _walks(steps[1:], events[i + 1 :]):
                yield [each, *rest]
