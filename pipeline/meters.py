"""Each verb of the rule language as a meter: a function from a borrower's memory to a value at one look."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pipeline import ledger
from pipeline.layout import ABSENT, day_of
from pipeline.ledger import State, Terms
from pipeline.look import Look
from pipeline.measures import (
    NAN,
    SIGNED,
    UNKNOWN,
    Meter,
    Source,
    Value,
    Window,
    each_in_order,
    is_full,
    rational,
    source_of,
    total_of,
    window_of,
)
from pipeline.memory import Memory
from rules.catalogue import Catalogue, Field
from rules.rule import Measure


class Compiled(NamedTuple):
    """A measure ready to be asked."""

    measure: Measure
    meter: Meter
    scale: int  # what divides the kept integer into the rule's unit
    feeds: tuple[str, ...]
    window: Callable[[Look], Window] | None
    per_key: bool  # asked for one loan or account, not for the borrower


class Setting(NamedTuple):
    """What compiling needs beside the measure."""

    catalogue: Catalogue
    scale: Callable[[Field], int]
    terms: Callable[[Memory], Terms]
    in_reporting: Callable[[int, str, Look], int | None]  # amount, its currency, look -> reporting currency
    limits: Callable[[str], tuple[int, int]]  # segment -> absolute limit in minor units, share of exposure in ppm


def compile_measure(measure: Measure, per: str, setting: Setting) -> Compiled:
    """The meter of a measure under a rule's `per`."""
    per_key = per != "borrower_id" and not measure.of_borrower and measure.verb != "macro"
    if measure.verb == "macro":
        return Compiled(measure, _macro(measure.what or ""), 1_000_000, (), None, False)
    if measure.verb == "now":
        fact = setting.catalogue.facts[measure.what or ""]
        return Compiled(measure, _now(measure, fact, setting), setting.scale(fact), ("repayment",), None, per_key)
    sources = [source_of(selector, setting.scale) for selector in measure.select]
    feeds = tuple(dict.fromkeys(source.feed for source in sources))
    kept = min(source.layout.kind.kept_days for source in sources)
    window = window_of(measure, kept)
    source = sources[0]
    field = source.layout.kind.fields.get(measure.what or "")
    core: Meter
    if measure.verb == "sequence":
        core = _sequence(sources, window, feeds)
    elif measure.verb in ("count", "sum", "distinct"):
        core = _LOWER_BOUNDS[measure.verb](measure, source, window, feeds)
    elif measure.verb == "days_since":
        core = _days_since(measure, source, window, feeds)
    else:
        assert field is not None
        core = _fact(measure, source, field, window, feeds)
    scale = setting.scale(field) if field is not None and measure.verb != "distinct" else 1
    return Compiled(measure, _unless_missing(core, feeds), scale, feeds, window, per_key)


def _unless_missing(core: Meter, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        missing = look.day.missing
        if missing and any(feed in missing for feed in feeds):
            return UNKNOWN
        return core(memory, key, look)

    return meter


# -- windows over events ----------------------------------------------------

_Windows = Callable[[Look], Window]


def _count(measure: Measure, source: Source, window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    has_totals = _reaches_totals(measure, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        n = 0
        for stream in source.streams(memory, key):
            n += len(source.rows(memory, stream, window))
        if has_totals:
            n += total_of(memory, source, key, window)[0]
        return (n, n) if is_full(memory, look, window, feeds) else (NAN, n)

    return meter


def _sum(measure: Measure, source: Source, window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    offset = source.layout.columns[measure.what or ""].offset
    is_bound = source.layout.kind.fields[measure.what or ""].unit == "amount" and measure.what not in SIGNED
    has_totals = _reaches_totals(measure, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        total = 0
        for stream in source.streams(memory, key):
            total += sum(source.values(memory, stream, window, offset))
        if has_totals:
            total += total_of(memory, source, key, window)[1]
        if is_full(memory, look, window, feeds):
            return total, total
        return (NAN, total) if is_bound else UNKNOWN

    return meter


def _reaches_totals(measure: Measure, source: Source) -> bool:
    """Whether a window is longer than the events are kept one by one."""
    over, ending = measure.over, measure.ending
    days = (0 if over is None else over.days or 0) + (0 if ending is None else ending.days or 0)
    return days > source.layout.kind.kept_days


def _distinct(measure: Measure, source: Source, window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    column = source.layout.columns[measure.what or ""]

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        seen: set[int] = set()
        for stream in source.streams(memory, key):
            seen.update(column.read(stream.rows[i + column.offset]) for i in source.rows(memory, stream, window))
        seen.discard(ABSENT)
        n = len(seen)
        return (n, n) if is_full(memory, look, window, feeds) else (NAN, n)

    return meter


_LOWER_BOUNDS = {"count": _count, "sum": _sum, "distinct": _distinct}


def _days_since(measure: Measure, source: Source, window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        latest = -1
        for stream in source.streams(memory, key):
            rows = source.rows(memory, stream, window)
            if rows:
                latest = max(latest, day_of(stream.rows[rows[-1]]))
        if latest < 0 or (measure.over is not None and not is_full(memory, look, window, feeds)):
            return UNKNOWN
        days = look.day.date - latest
        return days, days

    return meter


def _sequence(sources: Sequence[Source], window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        step = 0
        for _, matches in each_in_order(memory, sources, key, window):
            if step in matches:
                step += 1
                if step == len(sources):
                    return True, True
        return (False, False) if is_full(memory, look, window, feeds) else UNKNOWN

    return meter


# -- facts of a loan or an account ------------------------------------------


def _fact(measure: Measure, source: Source, field: Field, window_at: _Windows, feeds: tuple[str, ...]) -> Meter:
    """`latest`, `average`, `min` and `max`: of one stream, or of several brought together by `across`."""
    offset = source.layout.columns[field.name].offset
    across = measure.across
    may_bound = measure.verb == "max" and (across is None or (across == "worst" and field.worse == "high"))

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = window_at(look)
        facts = []
        for stream in source.streams(memory, key):
            values = source.values(memory, stream, window, offset)
            if values:
                facts.append(_of_values(measure.verb, values))
        if not facts:
            return UNKNOWN
        value = facts[0] if across is None else bring_together(facts, across, field)
        if measure.over is None or is_full(memory, look, window, feeds):
            return value, value
        return (NAN, value) if may_bound else UNKNOWN

    return meter


def _of_values(verb: str, values: list[int]) -> Any:
    match verb:
        case "latest":
            return values[-1]
        case "min":
            return min(values)
        case "max":
            return max(values)
    return rational(sum(values), len(values))


def bring_together(facts: list[Any], across: str, field: Field) -> Any:
    """One value of several loans or accounts: the worst by the field's direction, their sum or their average."""
    match across:
        case "sum":
            return sum(facts)
        case "average":
            return rational_of(sum(facts), len(facts))
    return max(facts) if field.worse == "high" else min(facts)


def rational_of(total: Any, n: int) -> Any:
    """The average of numbers that may be fractions."""
    return rational(total, n) if isinstance(total, int) else total / n


# -- facts of the ledger ----------------------------------------------------


def _macro(figure: str) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        value = look.day.figures.get(figure, NAN)
        return value, value

    return meter


def _now(measure: Measure, fact: Field, setting: Setting) -> Meter:
    across = measure.across or ("worst" if fact.unit == "days" or fact.name in ("rate",) else "sum")

    def meter(memory: Memory, key: str, look: Look) -> Value:
        if "repayment" in look.day.missing:
            return UNKNOWN
        value = fact_of(memory, key, fact, across, look, setting)
        return UNKNOWN if value is None else (value, value)

    return meter


def fact_of(memory: Memory, key: str, fact: Field, across: str, look: Look, setting: Setting) -> Any:
    """A fact of the ledger, of one loan or of all open loans; None when any of it is unknown."""
    loans = memory.head.loans
    if fact.name == "open_loans":
        return sum(1 for loan in loans.values() if loan.state.status == "open")
    if key:
        loan = loans.get(key)
        return None if loan is None else loan_fact(memory, loan, fact, look, setting)
    values = [loan_fact(memory, loan, fact, look, setting) for loan in loans.values() if loan.state.status == "open"]
    if None in values:
        return None
    if not values:
        return 0 if fact.name in ("exposure", "outstanding") and loans else None
    return bring_together(values, across, fact)


def loan_fact(memory: Memory, loan: ledger.Loan, fact: Field, look: Look, setting: Setting) -> Any:
    """A fact of one loan, amounts in the reporting currency."""
    state, on = loan.state, look.day.date
    match fact.name:
        case "days_past_due":
            return ledger.days_past_due(state, on)
        case "instalments_missed":
            return ledger.instalments_missed(state, on)
        case "instalments_left":
            return ledger.instalments_left(state, on)
        case "rate":
            return state.rate
        case "material_days":
            return material_days(memory, loan, look, setting)
    amount = amount_of(state, fact.name, on, setting.terms(memory))
    if amount is None or not loan.currency:
        return amount
    return setting.in_reporting(amount, loan.currency, look)


def amount_of(state: State, fact: str, on: int, terms: Terms) -> int | None:
    """An amount of one loan in its own currency's minor units."""
    match fact:
        case "arrears":
            return ledger.arrears(state, on)
        case "collateral_value":
            return state.collateral
    return ledger.outstanding(state, terms)


# -- material days ----------------------------------------------------------


def is_material(memory: Memory, loan: ledger.Loan, look: Look, setting: Setting) -> bool | None:
    """Whether arrears exceed every limit of the regime: the loan's own for retail, else the borrower's.

    Limits and the two conditions: CRR article 178 (domain.md); None when arrears or exposure are unknown.
    """
    absolute, share_ppm = setting.limits(loan.segment)
    loans = [loan] if loan.segment != "corporate" else list(memory.head.loans.values())
    terms = setting.terms(memory)
    late = owed = 0
    for each in loans:
        for name in ("arrears", "exposure"):
            amount = amount_of(each.state, name, look.day.date, terms)
            if amount is not None and each.currency:
                amount = setting.in_reporting(amount, each.currency, look)
            if amount is None:
                return None
            if name == "arrears":
                late += amount
            else:
                owed += amount
    return late > absolute and late * 1_000_000 > owed * share_ppm


def material_days(memory: Memory, loan: ledger.Loan, look: Look, setting: Setting) -> int | None:
    """Consecutive dates, this one included, on which arrears exceeded every limit."""
    material = is_material(memory, loan, look, setting)
    if not material:
        return None if material is None else 0
    since = look.day.date if loan.material_since is None else loan.material_since
    return look.day.date - since + 1
