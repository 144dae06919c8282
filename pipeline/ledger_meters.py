"""Facts of the ledger and published figures as meters: what `now` and `macro` read."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pipeline import standing
from pipeline.ledger import Loan
from pipeline.look import Look
from pipeline.measures import FOREVER, NAN, Meter, Value, bring_together, unknown_until
from pipeline.memory import Memory
from pipeline.standing import State, Terms
from rules.catalogue import Catalogue, Field
from rules.rule import Measure


class Setting(NamedTuple):
    """What compiling needs beside the measure."""

    catalogue: Catalogue
    scale: Callable[[Field], int]
    terms: Callable[[Memory], Terms]
    in_reporting: Callable[[int, str, Look], int | None]  # amount, its currency, look -> reporting currency
    limits: Callable[[str], tuple[int, int]]  # segment -> absolute limit in minor units, share of exposure in ppm


def macro_meter(figure: str) -> Meter:
    """The latest published value of a figure, in parts per million."""

    def meter(memory: Memory, key: str, look: Look) -> Value:
        value = look.day.figures.get(figure, NAN)
        return value, value, look.day.date  # a figure may be published at any moment

    return meter


def now_meter(measure: Measure, fact: Field, setting: Setting) -> Meter:
    """A fact of the ledger; of several loans the worst of days and rates, the sum of amounts, unless `across` says."""
    across = measure.across or ("worst" if fact.unit in ("days", "share") else "sum")

    def meter(memory: Memory, key: str, look: Look) -> Value:
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
        until = min(until, standing.quiet_until(loan.state, today))
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


def loan_fact(memory: Memory, loan: Loan, fact: Field, look: Look, setting: Setting) -> Any:
    """A fact of one loan, amounts in the reporting currency."""
    state, on = loan.state, look.day.date
    match fact.name:
        case "days_past_due":
            return standing.days_past_due(state, on)
        case "instalments_missed":
            return standing.instalments_missed(state, on)
        case "instalments_left":
            return standing.instalments_left(state, on)
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
            return standing.arrears(state, on)
        case "collateral_value":
            return state.collateral
    return standing.outstanding(state, terms)


# -- material days ----------------------------------------------------------


def is_material(
    memory: Memory, loan: Loan, look: Look, setting: Setting, all_loans: Iterable[Loan] | None = None
) -> bool | None:
    """Whether arrears exceed every limit of the regime: the loan's own for retail, else the borrower's.

    Limits and the two conditions: CRR article 178 (domain.md); None when arrears or exposure are unknown.
    """
    absolute, share_ppm = setting.limits(loan.segment)
    loans = [loan] if loan.segment != "corporate" else list(all_loans or memory.head.loans.values())
    late = amount_over(memory, loans, "arrears", look, setting)
    if late is None or late <= absolute:
        return None if late is None else False
    owed = amount_over(memory, loans, "exposure", look, setting)
    return None if owed is None else late * 1_000_000 > owed * share_ppm


def amount_over(memory: Memory, loans: Iterable[Loan], fact: str, look: Look, setting: Setting) -> int | None:
    """An amount over some loans in the reporting currency; None when it is unknown of any."""
    terms = setting.terms(memory)
    total = 0
    for loan in loans:
        amount = amount_of(loan.state, fact, look.day.date, terms)
        if amount is not None and loan.currency:
            amount = setting.in_reporting(amount, loan.currency, look)
        if amount is None:
            return None
        total += amount
    return total


def material_days(memory: Memory, loan: Loan, look: Look, setting: Setting) -> int | None:
    """Consecutive dates, this one included, on which arrears exceeded every limit."""
    material = is_material(memory, loan, look, setting)
    if not material:
        return None if material is None else 0
    since = material_since(memory, loan)
    return look.day.date - (look.day.date if since is None else since) + 1


def material_since(memory: Memory, loan: Loan) -> int | None:
    """The first date of material arrears that is noted: of the loan for retail, else the earliest of the borrower's."""
    if loan.segment != "corporate":
        return loan.material_since
    noted = [each.material_since for each in memory.head.loans.values() if each.segment == "corporate"]
    return min((since for since in noted if since is not None), default=None)
