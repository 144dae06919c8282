"""The values of a bench's measures for one borrower, loan or account, kept from look to look while they cannot change.

A value is asked for when a rule needs it, and again only after an event that its measure reads, or on the date on
which it may change by itself. A sheet is a mere convenience: dropping it at any moment changes no decision.
"""

from typing import Any

from pipeline.episodes import stirs_on
from pipeline.judge import Bench, Judged, Verdict, piece
from pipeline.look import Look
from pipeline.measures import FOREVER, NAN
from pipeline.memory import Episode, Memory
from rules.rule import SEVERITIES


class Sheet:
    """One bench's values for one key."""

    __slots__ = (
        "alive",
        "at_least",
        "bench",
        "exact",
        "is_judged",
        "key",
        "look",
        "memory",
        "pieces",
        "settled",
        "soonest",
        "stirs",
        "until",
    )

    def __init__(self, bench: Bench, memory: Memory, key: str, look: Look) -> None:
        self.bench, self.memory, self.key, self.look = bench, memory, key, look
        n = len(bench.meters)
        self.exact: list[Any] = [None] * n
        self.at_least: list[Any] = [None] * n
        self.until: list[int] = [FOREVER] * n
        self.pieces: list[int] = [-1] * n  # the rules that each value does not rule out
        self.soonest = FOREVER  # the first date on which any value may change by itself
        self.settled = 0  # rules whose episode is open, true and as severe as it gets
        self.stirs = 0  # the first date on which time alone may move an episode
        self.is_judged = False  # whether every rule was judged since the sheet was begun
        self.alive: dict[int, Episode] = {}  # bit of a rule -> its pending or open episode

    def turn_to(self, look: Look) -> None:
        """Look again: values that time may have changed are forgotten."""
        self.look = look
        if look.day.missing:
            self._forget_all()
        elif look.day.date >= self.soonest:
            today, soonest = look.day.date, FOREVER
            for i, until in enumerate(self.until):
                if until <= today:
                    self.exact[i], self.until[i] = None, FOREVER
                    self.is_judged = False  # nobody knows when this value may change until it is asked for again
                elif until < soonest:
                    soonest = until
            self.soonest = soonest

    def is_quiet(self, today: int) -> bool:
        """Whether every rule was judged, and neither a value nor an episode can have moved by itself since."""
        return self.is_judged and today < self.soonest and today < self.stirs

    def note_judged(self, today: int) -> None:
        """Every rule was judged: until an event comes, only time moves values and episodes."""
        self.is_judged = True
        rules = self.bench.judged
        dates = [stirs_on(episode, rules[bit.bit_length() - 1].rule, today) for bit, episode in self.alive.items()]
        self.stirs = min(dates, default=FOREVER)

    def forget(self, meters: tuple[int, ...]) -> None:
        """Forget the values that an event may have changed; the end of the day then judges every rule again."""
        for i in meters:
            self.exact[i] = None
            self.is_judged = False

    def _forget_all(self) -> None:
        self.exact = [None] * len(self.exact)
        self.soonest = self.look.day.date  # what is asked for today says nothing about later looks
        self.until = [self.soonest] * len(self.until)

    def ask(self, i: int) -> Any:
        """The exact value of a meter; its lower bound then stands beside it."""
        value = self.exact[i]
        if value is None:
            compiled = self.bench.meters[i]
            if self.look.day.missing and any(feed in self.look.day.missing for feed in compiled.feeds):
                value, at_least, until = NAN, NAN, self.look.day.date
            else:
                key = self.key if compiled.per_key else ""
                value, at_least, until = compiled.meter(self.memory, key, self.look)
            self.exact[i], self.at_least[i], self.until[i] = value, at_least, until
            if until < self.soonest:
                self.soonest = until
            cut = self.bench.cut_of[i]
            if cut is not None:
                self.pieces[i] = piece(cut, value, at_least)
        return value

    def true_rules(self, asked: int) -> int:
        """Of the rules asked for (a bit set), those that hold."""
        left, exact, pieces = asked, self.exact, self.pieces
        for cut in self.bench.cuts:
            if cut.users & left:
                i = cut.meter
                if exact[i] is None:
                    self.ask(i)
                left &= pieces[i]
                if not left:
                    return 0
        unsure = left & ~self.bench.direct
        while unsure:
            bit = unsure & -unsure
            unsure ^= bit
            judged = self.bench.judged[bit.bit_length() - 1]
            if not self.holds(judged.holds, judged):
                left ^= bit
        return left

    def holds(self, verdict: Verdict, judged: Judged) -> bool:
        """Whether one of a rule's compiled conditions is true."""
        exact = self.exact
        for i in judged.meters:
            if exact[i] is None:
                self.ask(i)
        return verdict(exact, self.at_least)

    def truth(self, judged: Judged) -> bool | None:
        """The rule's `when`: true, false, or None for unknown."""
        if self.holds(judged.holds, judged):
            return True
        return False if self.holds(judged.fails, judged) else None

    def rung(self, judged: Judged, above: int) -> int:
        """The highest severity that holds above one and above the rule's own; the higher of these when none does."""
        above = max(above, SEVERITIES.index(judged.rule.severity))
        for rung, verdict in judged.ladder:
            if rung <= above:
                break
            if self.holds(verdict, judged):
                return rung
        return above


def sheet_of(memory: Memory, place: tuple[int, str], bench: Bench, look: Look) -> Sheet:
    """The sheet of a bench and key, turned to a look; made when there is none of this bench."""
    sheet: Sheet | None = memory.sheets.get(place)
    if sheet is None or sheet.bench is not bench:
        sheet = memory.sheets[place] = Sheet(bench, memory, place[1], look)
        _find_alive(sheet)
    if sheet.look is not look:
        sheet.turn_to(look)
    return sheet


def forget_values(memory: Memory, type_name: str) -> None:
    """Forget all values that an event of a type may have changed."""
    for sheet in memory.sheets.values():
        sheet.forget(sheet.bench.reading.get(type_name, ()))


def _find_alive(sheet: Sheet) -> None:
    name = sheet.key or sheet.memory.borrower_id
    bits = {judged.rule.rule: judged.bit for judged in sheet.bench.judged}
    for episode in sheet.memory.head.episodes.values():
        if episode.state != "closed" and episode.key == name and episode.rule in bits:
            sheet.alive[bits[episode.rule]] = episode
