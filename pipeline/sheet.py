"""The values of a bench's measures for one borrower, loan or account, kept from look to look while they cannot change.

A value is asked for when a rule needs it, and again only after an event that it cannot take in, or on the date on which
it may change by itself. Rules are judged again only when a value moved to another piece of its range, or time is due.
A sheet is a mere convenience: dropping it at any moment changes no decision.
"""

from typing import Any

from pipeline.cuts import days_to_next, piece, turned
from pipeline.episodes import NEVER, stirs_on
from pipeline.judge import Bench, Judged, Reading, Verdict, bits_of
from pipeline.look import Look
from pipeline.measures import FOREVER, NAN
from pipeline.memory import Episode, Memory, Row
from rules.rule import SEVERITIES


class Sheet:
    """One bench's values for one key."""

    __slots__ = (
        "alive", "at_least", "bench", "exact", "grown", "key", "last", "living", "look", "memory", "pieces", "soonest",
        "stale", "stirs", "unsure", "until",
    )  # fmt: skip

    def __init__(self, bench: Bench, memory: Memory, key: str, look: Look) -> None:
        self.bench, self.memory, self.key, self.look = bench, memory, key, look
        n = len(bench.meters)
        self.exact: list[Any] = [None] * n  # None: to be asked for
        self.last: list[Any] = [None] * n  # the same before it was forgotten
        self.at_least: list[Any] = [None] * n
        self.until: list[int] = [FOREVER] * n  # the first date on which each may move to another piece by itself
        self.pieces: list[int] = [0] * n
        self.soonest = FOREVER  # the first of these dates
        self.stale: set[int] = set()  # meters that were forgotten since their rules were judged
        self.unsure = bench.everyone  # rules of which nobody knows whether they hold as they did when last judged
        self.stirs = 0  # the first date on which time alone may move an episode
        self.grown: dict[int, int] = {}  # meter that grows by one a day -> the date on which it was zero
        self.alive: dict[int, Episode] = {}  # bit of a rule -> its pending or open episode
        self.living = 0  # their bits

    def is_quiet(self, today: int) -> bool:
        """Whether every rule was judged, and neither a value nor an episode can have moved by itself since."""
        return not self.unsure and not self.stale and today < self.soonest and today < self.stirs

    # -- what may change a value --

    def turn_to(self, look: Look) -> None:
        """Look again: values that time may have moved are forgotten."""
        self.look = look
        if look.day.missing:
            self._forget_all()
        elif look.day.date >= self.soonest:
            today, soonest = look.day.date, FOREVER
            for i, until in enumerate(self.until):
                if until <= today:
                    self.forget(i)
                elif until < soonest:
                    soonest = until
            self.soonest = soonest

    def take_in(self, reading: Reading, row: Row) -> None:
        """Let an event of today, the last of its stream, change a meter that reads it.

        What one more event makes of a value is found without asking again, where it can be.
        """
        i = reading.meter
        value, today = self.exact[i], self.look.day.date
        if value is None:
            return
        compiled = self.bench.meters[i]
        if compiled.absorb is not None and self.until[i] > today:
            key = self.key if compiled.per_key else ""
            after = compiled.absorb(self.memory, key, row, value, self.at_least[i])
            if after is not None:
                self._move(i, *after)
                return
        self.forget(i)

    def _move(self, i: int, value: Any, at_least: Any) -> None:
        compiled, today = self.bench.meters[i], self.look.day.date
        until = today + 1
        if compiled.reach is not None and compiled.reach.fades == "with its events":
            last_back = compiled.reach.last_back
            until = today + (last_back if last_back else compiled.reach.back + 1)
            if not compiled.grows and self.until[i] < until:
                until = self.until[i]
        self._note(i, value, at_least, until)

    def forget(self, i: int) -> None:
        """Ask again for a value, and whether it turns a rule."""
        if self.exact[i] is not None:
            self.exact[i], self.until[i] = None, FOREVER
            self.stale.add(i)

    def _forget_all(self) -> None:
        for i in range(len(self.exact)):
            self.forget(i)
        self.soonest = self.look.day.date  # what is asked for today says nothing about later looks

    # -- asking --

    def ask(self, i: int) -> Any:
        """The exact value of a meter at this look; its lower bound then stands beside it."""
        value = self.exact[i]
        if value is None:
            compiled, look = self.bench.meters[i], self.look
            if look.day.missing and any(feed in look.day.missing for feed in compiled.feeds):
                value, at_least, until = NAN, NAN, look.day.date
            else:
                value, at_least, until = compiled.meter(self.memory, self.key if compiled.per_key else "", look)
            self._note(i, value, at_least, until)
        elif i in self.grown and value == value:
            return self.look.day.date - self.grown[i]
        return value

    def _note(self, i: int, value: Any, at_least: Any, until: int) -> None:
        """Keep a value, and note the rules that it may turn."""
        bench, was = self.bench, self.pieces[i]
        cut, loose = bench.cut_of[i], bench.loose[i]
        self.exact[i], self.at_least[i] = value, at_least
        self.pieces[i] = now = 0 if cut is None else piece(cut, value, at_least)
        if now != was and cut is not None:
            self.unsure |= turned(cut, was, now) | bench.spread[i]
        if loose and value != self.last[i]:
            self.unsure |= loose
        self.last[i] = value
        if bench.meters[i].grows and value == value:
            today = self.look.day.date
            self.grown[i] = today - value
            until = min(until, self._leaves_piece(i, value, today))
        self.until[i] = until
        if until < self.soonest:
            self.soonest = until

    def _leaves_piece(self, i: int, value: int, today: int) -> int:
        """When a value that grows by one a day may turn a rule."""
        if self.bench.loose[i]:
            return today + 1
        cut = self.bench.cut_of[i]
        ahead = None if cut is None else days_to_next(cut, value)
        return FOREVER if ahead is None else today + ahead

    def true_rules(self, asked: int) -> int:
        """Of the rules asked for (a bit set), those that hold."""
        left, exact, pieces = asked, self.exact, self.pieces
        for cut in self.bench.cuts:
            if cut.users & left:
                i = cut.meter
                if exact[i] is None:
                    self.ask(i)
                left &= cut.sets[pieces[i]]
                if not left:
                    return 0
        for bit in bits_of(left & ~self.bench.direct):
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

    # -- what is to be judged --

    def to_judge(self, asked: int) -> int:
        """Of the rules asked for, those that may hold otherwise than when last judged, or whose episode is due."""
        bench, living = self.bench, self.living
        for i in tuple(self.stale):
            users = bench.users[i]
            if users & asked:
                self.stale.remove(i)
                if users & living:
                    self.ask(i)  # an episode needs to know whether its rule fails
                else:
                    self.unsure |= users  # perhaps another measure rules them all out
        todo = self.unsure & asked
        today = self.look.day.date
        if today >= self.stirs:
            for bit, episode in self.alive.items():
                if bit & asked and stirs_on(episode, bench.judged[bit.bit_length() - 1].rule, today - 1) <= today:
                    todo |= bit
        return todo

    def note_judged(self, asked: int) -> None:
        """These rules were judged; after all of them, only time moves an episode that no event moves."""
        self.unsure &= ~asked
        today = self.look.day.date
        if asked == self.bench.everyone and today >= self.stirs:
            rules = self.bench.judged
            dates = [stirs_on(episode, rules[bit.bit_length() - 1].rule, today) for bit, episode in self.alive.items()]
            self.stirs = min(dates, default=NEVER)

    def note_episode(self, judged: Judged, episode: Episode) -> None:
        """An episode moved."""
        if episode.state == "closed":
            self.alive.pop(judged.bit, None)
            self.living &= ~judged.bit
        else:
            self.alive[judged.bit] = episode
            self.living |= judged.bit
            self.stirs = min(self.stirs, stirs_on(episode, judged.rule, self.look.day.date))


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
        for reading in sheet.bench.reading.get(type_name, ()):
            sheet.forget(reading.meter)


def _find_alive(sheet: Sheet) -> None:
    name = sheet.key or sheet.memory.borrower_id
    rules = {judged.rule.rule: judged for judged in sheet.bench.judged}
    for episode in sheet.memory.head.episodes.values():
        if episode.state != "closed" and episode.key == name and episode.rule in rules:
            sheet.note_episode(rules[episode.rule], episode)
