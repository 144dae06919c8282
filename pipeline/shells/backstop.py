"""When the arrears themselves spoke: the first close at which a loan of a borrower was 30 days past due."""

from collections import defaultdict
from collections.abc import Mapping

from pipeline import standing
from pipeline.memory import Memory
from pipeline.zone import date_text

BACKSTOP_DAYS = 30  # domain of IFRS 9: arrears of this age tell what an early warning should have told before
NEVER = "never"


class Backstop:
    """Watches days past due at few closes: after news of a loan, and when they may have grown enough without any.

    Without news days past due grow by at most one a day, so that 12 days today cannot be 30 before 18 days from now.
    """

    def __init__(self) -> None:
        self._reached: dict[str, int] = {}  # borrower -> date
        self._known: set[str] = set()  # borrowers of whose days past due something was told
        self._news: dict[int, set[str]] = defaultdict(set)  # date -> borrowers with news of it
        self._due: dict[int, set[str]] = defaultdict(set)  # date -> borrowers to look at without news
        self._next: dict[str, int] = {}  # borrower -> the one of those dates that holds

    def heard(self, borrower_id: str, on: int) -> None:
        """Note news of a loan that counts from a date on."""
        if borrower_id not in self._reached:
            self._news[on].add(borrower_id)

    def closed(self, on: int, borrowers: Mapping[str, Memory]) -> None:
        """Look at those who may have come so far at the close of a day."""
        without_news = {each for each in self._due.pop(on, ()) if self._next[each] == on}
        for borrower_id in self._news.pop(on, set()) | without_news:
            if borrower_id not in self._reached:
                self._look(borrower_id, on, borrowers[borrower_id])

    def told(self, borrower_id: str) -> str | None:
        """The date, "never" until now, or None when days past due were never known."""
        if borrower_id in self._reached:
            return date_text(self._reached[borrower_id])
        return NEVER if borrower_id in self._known else None

    def _look(self, borrower_id: str, on: int, memory: Memory) -> None:
        states = [loan.state for loan in memory.head.loans.values() if loan.state.status == "open"]
        told = [days for state in states if (days := standing.days_past_due(state, on)) is not None]
        if not told:
            return
        self._known.add(borrower_id)
        if max(told) >= BACKSTOP_DAYS:
            self._reached[borrower_id] = on
        else:
            self._next[borrower_id] = on + BACKSTOP_DAYS - max(told)
            self._due[self._next[borrower_id]].add(borrower_id)
