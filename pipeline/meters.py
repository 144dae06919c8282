"""Each verb of the rule language as a meter: a function from a borrower's memory to a value at one look."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pipeline import ledger
from pipeline.layout import ABSENT, day_of
from pipeline.ledger import State, Terms
from pipeline.look import Look
from pipeline.measures import (
    FOREVER,
    NAN,
    SIGNED,
    Meter,
    Reach,
    Source,
    Value,
    each_in_order,
    full_on,
    rational,
    reach_of,
    source_of,
    total_of,
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
    reach: Reach | None
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
    source, kind = sources[0], sources[0].layout.kind
    kept = min(each.layout.kind.kept_days for each in sources)
    reach = reach_of(measure, kept, totals_days=kind.totals_days)
    field = kind.fields.get(measure.what or "")
    core: Meter
    if measure.verb == "sequence":
        core = _sequence(sources, reach, feeds)
    elif measure.verb in _LOWER_BOUNDS:
        core = _LOWER_BOUNDS[measure.verb](measure, source, reach, feeds)
    elif measure.verb == "days_since":
        core = _days_since(measure, source, reach, feeds)
    else:
        assert field is not None
        core = _fact(measure, source, field, reach, feeds)
    scale = setting.scale(field) if field is not None and measure.verb != "distinct" else 1
    return Compiled(measure, _unless_missing(core, feeds), scale, feeds, reach, per_key)


def unknown_until(date: int) -> Value:
    """Nothing is known, before a date at least."""
    return NAN, NAN, date


def _unless_missing(core: Meter, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        missing = look.day.missing
        if missing and any(feed in missing for feed in feeds):
            return unknown_until(look.day.date)
        return core(memory, key, look)

    return meter


# -- windows over events ----------------------------------------------------


def _count(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    has_totals = _reaches_totals(reach, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        n, oldest = 0, FOREVER
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                n += len(found)
                oldest = min(oldest, day_of(stream.rows[found[0]]))
        if has_totals:
            n += total_of(memory, source, key, window)[0]
        full = full_on(memory, look, window, reach.back, feeds)
        return n if full == 0 else NAN, n, reach.until(look.day.date, oldest, full)

    return meter


def _sum(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    offset = source.layout.columns[measure.what or ""].offset
    is_bound = source.layout.kind.fields[measure.what or ""].unit == "amount" and measure.what not in SIGNED
    has_totals = _reaches_totals(reach, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        total, oldest = 0, FOREVER
        for stream in source.streams(memory, key):
            rows = stream.rows
            found = source.rows(memory, stream, window)
            if found:
                oldest = min(oldest, day_of(rows[found[0]]))
                total += sum([v for i in found if (v := rows[i + offset]) != ABSENT])
        if has_totals:
            total += total_of(memory, source, key, window)[1]
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, oldest, full)
        return total if full == 0 else NAN, total if is_bound or full == 0 else NAN, until

    return meter


def _reaches_totals(reach: Reach, source: Source) -> bool:
    """Whether a window is longer than the events are kept one by one."""
    return source.layout.kind.totals_days > 0 and reach.back >= source.layout.kind.kept_days


def _distinct(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    column = source.layout.columns[measure.what or ""]

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        seen: set[int] = set()
        oldest = FOREVER
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                oldest = min(oldest, day_of(stream.rows[found[0]]))
                seen.update([column.read(stream.rows[i + column.offset]) for i in found])
        seen.discard(ABSENT)
        n = len(seen)
        full = full_on(memory, look, window, reach.back, feeds)
        return n if full == 0 else NAN, n, reach.until(look.day.date, oldest, full)

    return meter


_LOWER_BOUNDS = {"count": _count, "sum": _sum, "distinct": _distinct}


def _days_since(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        today, latest = look.day.date, -1
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                latest = max(latest, day_of(stream.rows[found[-1]]))
        if latest < 0:
            return unknown_until(reach.until(today, FOREVER, 0))
        full = full_on(memory, look, window, reach.back, feeds) if measure.over is not None else 0
        if full:
            return unknown_until(reach.until(today, latest, full))
        return today - latest, today - latest, min(today + 1, reach.until(today, latest, 0))

    return meter


def _sequence(sources: Sequence[Source], reach: Reach, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        step, oldest = 0, FOREVER
        for place, matches in each_in_order(memory, sources, key, window):
            oldest = min(oldest, day_of(place))
            if step in matches:
                step += 1
                if step == len(sources):
                    return True, True, reach.until(look.day.date, oldest, 0)
        full = full_on(memory, look, window, reach.back, feeds)
        answer = NAN if full else False
        return answer, answer, reach.until(look.day.date, oldest, full)

    return meter


# -- facts of a loan or an account ------------------------------------------


def _fact(measure: Measure, source: Source, field: Field, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    """`latest`, `average`, `min` and `max`: of one stream, or of several brought together by `across`."""
    offset = source.layout.columns[field.name].offset
    across, is_windowed = measure.across, measure.over is not None
    may_bound = measure.verb == "max" and (across is None or (across == "worst" and field.worse == "high"))
    of_values = _OF_VALUES[measure.verb]
    if measure.verb == "average" and _reaches_totals(reach, source):
        return _long_average(measure, source, field, reach, feeds)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        facts, oldest = [], FOREVER
        for stream in source.streams(memory, key):
            rows = stream.rows
            found = source.rows(memory, stream, window)
            if found:
                oldest = min(oldest, day_of(rows[found[0]]))
                values = [v for i in found if (v := rows[i + offset]) != ABSENT]
                if values:
                    facts.append(of_values(values))
        full = full_on(memory, look, window, reach.back, feeds) if is_windowed else 0
        until = reach.until(look.day.date, oldest, full)
        if not facts:
            return unknown_until(until)
        value = facts[0] if across is None or len(facts) == 1 else bring_together(facts, across, field)
        if full == 0:
            return value, value, until
        return (NAN, value, until) if may_bound else unknown_until(until)

    return meter


def _long_average(measure: Measure, source: Source, field: Field, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    """The average of a window that reaches into daily totals, account by account."""
    offset = source.layout.columns[field.name].offset
    across = measure.across or "average"

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        streams = memory.streams.get(source.layout.type, {})
        accounts = [key] if key else sorted({*streams, *memory.totals.get(source.layout.type, {})})
        facts = []
        for account in accounts:
            values = source.values(memory, streams[account], window, offset) if account in streams else []
            count, total = total_of(memory, source, account, window)
            if count + len(values):
                facts.append(rational(total + sum(values), count + len(values)))
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, FOREVER, full)
        if not facts or full:
            return unknown_until(until)
        value = facts[0] if len(facts) == 1 else bring_together(facts, across, field)
        return value, value, until

    return meter


def _average(values: list[int]) -> Any:
    return rational(sum(values), len(values))


def _latest(values: list[int]) -> int:
    return values[-1]


_OF_VALUES: dict[str, Callable[[list[int]], Any]] = {"latest": _latest, "average": _average, "min": min, "max": max}


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
        return value, value, look.day.date  # a figure may be published at any moment

    return meter


def _now(measure: Measure, fact: Field, setting: Setting) -> Meter:
    across = measure.across or ("worst" if fact.unit in ("days", "share") else "sum")

    def meter(memory: Memory, key: str, look: Look) -> Value:
        if "repayment" in look.day.missing:
            return unknown_until(look.day.date)
        until = ledger_until(memory, "" if fact.name == "material_days" else key, look.day.date)
        value = fact_of(memory, key, fact, across, look, setting)
        return unknown_until(until) if value is None else (value, value, until)

    return meter


def ledger_until(memory: Memory, key: str, today: int) -> int:
    """The first date on which a fact of the ledger may differ by itself: when a due passes, or daily while days run."""
    until = FOREVER
    for loan_id, loan in memory.head.loans.items():
        if key and loan_id != key:
            continue
        if loan.currency:
            return today  # a rate may be published at any moment
        until = min(until, ledger.quiet_until(loan.state, today))
    return until


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
