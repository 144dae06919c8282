"""Where every loan stood at the end of each month: what buckets, roll rates and vintages are counted from."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from pipeline import standing
from pipeline.decode import Arrival
from pipeline.ledger import Loan
from pipeline.ledger_meters import amount_over
from pipeline.look import Day, Look
from pipeline.memory import Memory
from pipeline.profiles import bucket_of
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_of_number, date_text

DISBURSED = "loan.disbursed"


class MonthEnd(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A loan at the last closed day of a month; None is unknown."""

    month: str
    on: str
    borrower_id: str
    loan_id: str
    disbursed_on: str | None
    status: Literal["open", "closed", "written_off"]
    days_past_due: int | None
    bucket: str | None
    exposure_minor: int | None  # in the reporting currency
    defaulted_on: str | None


class Months:
    """Looks at all loans when a month ends; a loan that has ended is told of once more, and then no longer."""

    def __init__(self, disbursed: dict[str, int] | None = None, ended: set[str] | None = None) -> None:
        self._disbursed = {} if disbursed is None else disbursed  # loan -> date of its first disbursement
        self.ended = set() if ended is None else ended

    def heard(self, arrival: Arrival) -> None:
        """Note when a loan was paid out."""
        loan_id = getattr(arrival.event, "loan_id", None)
        if loan_id is not None:
            self._disbursed[loan_id] = min(arrival.date, self._disbursed.get(loan_id, arrival.date))

    def rows(self, shelf: CompiledShelf, day: Day, memories: Iterable[Memory]) -> Iterator[MonthEnd]:
        """Every loan that was open at the last month's end, right after the close of a day, as the borrowers come."""
        zone = shelf.terms.zone
        look = Look(day, zone.end_of(day.date), zone.date_of, shelf.terms.history)
        for memory in memories:
            for loan_id, loan in sorted(memory.head.loans.items()):
                if loan_id not in self.ended:
                    yield self._row(shelf, memory, look, loan_id, loan)
                    if loan.state.status != "open":
                        self.ended.add(loan_id)

    def _row(self, shelf: CompiledShelf, memory: Memory, look: Look, loan_id: str, loan: Loan) -> MonthEnd:
        on, state, disbursed = date_text(look.day.date), loan.state, self._disbursed.get(loan_id)
        days = standing.days_past_due(state, look.day.date)
        return MonthEnd(
            month=on[:7],
            on=on,
            borrower_id=memory.borrower_id,
            loan_id=loan_id,
            disbursed_on=None if disbursed is None else date_text(disbursed),
            status=state.status,  # type: ignore[arg-type]  # the ledger writes one of the three
            days_past_due=days,
            bucket=bucket_of(days, shelf.terms.buckets),
            exposure_minor=amount_over(memory, (loan,), "exposure", look, shelf.setting),
            defaulted_on=None if state.defaulted_on is None else date_text(state.defaulted_on),
        )


def is_month_end(day: int) -> bool:
    """Whether a date is the last of its month.

    >>> from datetime import date
    >>> from pipeline.zone import day_number
    >>> [is_month_end(day_number(date(2024, 2, day))) for day in (28, 29)]
    [False, True]
    """
    return date_of_number(day + 1).day == 1
