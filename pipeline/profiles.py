"""What is known of a borrower at the end of a day, for people and for other systems."""

from typing import Any

from pipeline import standing
from pipeline.announce import is_muted, life, plain
from pipeline.episodes import shown_state
from pipeline.judge import keys_of
from pipeline.ledger import Loan
from pipeline.ledger_meters import amount_of, amount_over
from pipeline.look import Day, Look
from pipeline.memory import Episode, Memory
from pipeline.sheet import Sheet
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_of_number
from rules.rule import SEVERITIES

NEVER = "never"


def profile_of(shelf: CompiledShelf, day: Day, memory: Memory) -> dict[str, Any]:
    """The borrower after the close of a day: loans, episodes and every measure of the shelf.

    Amounts are minor units: of the loan's currency for a loan, of the reporting currency for the borrower; null is
    unknown.
    """
    zone = shelf.terms.zone
    look = Look(day, zone.end_of(day.date), zone.date_of, shelf.terms.history)
    loans = memory.head.loans.values()
    return {
        "borrower_id": memory.borrower_id,
        "as_of": date_of_number(day.date).isoformat(),
        "exposure_minor": amount_over(memory, loans, "exposure", look, shelf.setting),
        "arrears_minor": amount_over(memory, loans, "arrears", look, shelf.setting),
        "loans": [_loan(shelf, memory, loan_id, look) for loan_id in sorted(memory.head.loans)],
        "episodes": [_episode(shelf, memory, e, day.date) for _, e in sorted(memory.head.episodes.items())],
        "measures": _measures(shelf, memory, look),
        "backstop_on": _backstop(memory.head.backstop_on),
    }


def bucket_of(days: int | None, bounds: tuple[int, ...]) -> str | None:
    """The arrears bucket of days past due; None when they are unknown.

    >>> [bucket_of(days, (0, 30, 60, 90)) for days in (0, 1, 30, 31, 91)]
    ['0', '1-30', '1-30', '31-60', '91+']
    """
    if days is None:
        return None
    low = 0
    for bound in bounds:
        if days <= bound:
            return str(low) if low == bound else f"{low}-{bound}"
        low = bound + 1
    return f"{low}+"


def _loan(shelf: CompiledShelf, memory: Memory, loan_id: str, look: Look) -> dict[str, Any]:
    loan: Loan = memory.head.loans[loan_id]
    days = standing.days_past_due(loan.state, look.day.date)
    terms = shelf.setting.terms(memory)
    return {
        "loan_id": loan_id,
        "status": loan.state.status,
        "currency": loan.currency or shelf.terms.reporting_currency,
        "outstanding_minor": amount_of(loan.state, "outstanding", look.day.date, terms),
        "arrears_minor": amount_of(loan.state, "arrears", look.day.date, terms),
        "days_past_due": days,
        "bucket": bucket_of(days, shelf.terms.buckets),
        "defaulted_on": _date(loan.state.defaulted_on),
    }


def _episode(shelf: CompiledShelf, memory: Memory, episode: Episode, on: int) -> dict[str, Any]:
    is_open = episode.state == "open"
    state = shown_state(episode, on, is_muted=is_open and is_muted(shelf, memory, episode, on))
    return {
        "episode": life(episode),
        "rule": episode.rule,
        "state": state,
        "severity": SEVERITIES[episode.severity] if episode.severity >= 0 and episode.state != "pending" else None,
        "since": date_of_number(episode.since).isoformat(),
        "opened_on": _date(episode.opened_on),
        "closed_on": _date(episode.closed_on) if episode.state == "closed" else None,
    }


def _backstop(on: int | None) -> str | None:
    return NEVER if on == standing.NEVER else _date(on)


def _date(number: int | None) -> str | None:
    return None if number is None else date_of_number(number).isoformat()


def _measures(shelf: CompiledShelf, memory: Memory, look: Look) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for bench in shelf.benches:
        for key in keys_of(bench, memory):
            sheet = Sheet(bench, memory, key, look)
            for judged in bench.judged:
                measured = {name: plain(sheet, place) for name, place in judged.measures.items()}
                found.setdefault(judged.rule.rule, {})[key or memory.borrower_id] = measured
    return dict(sorted(found.items()))
