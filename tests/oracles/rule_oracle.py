"""The alerts that rules give, worked out naively: at every look, every measure is reckoned anew from all events."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rules.rule import SEVERITIES, Measure, Rule
from tests.oracles.rule_truth import Truth, Value, truth_of
from tests.oracles.rule_values import DAY_MS, EAST_MS, Happening, Moment, Past, concerns, is_selected, value_of

STALE_AFTER = 7
ENDS_OF_A_LOAN = ("loan.closed", "loan.written_off")


class Transition(NamedTuple):
    """One step in the life of an alert, and the look (from 0) and the date at which it was taken."""

    look: int
    date: int
    rule: str
    key: str
    n: int
    transition: str
    severity: str
    reason: str | None


@dataclass
class Life:
    """What is known of one rule for one key between two looks."""

    n: int = 0
    severity: int | None = None  # while open
    told: int = -1  # the severity that was said, while open; -1: nothing was, for it is muted
    last_severity: int = -1  # the highest of the last episode
    opened_on: int | None = None
    true_since: int | None = None
    false_since: int | None = None
    unknown_since: int | None = None

    def state(self, on: int) -> str:
        """What the profile shows of it at the end of a day."""
        if self.severity is None:
            return "closed" if self.true_since is None else "pending"
        is_stale = self.unknown_since is not None and on - self.unknown_since >= STALE_AFTER
        return "stale" if is_stale else "open"


@dataclass
class Oracle:
    """One borrower, judged by the words of the page about rules alone."""

    rules: list[Rule]
    past: Past = field(default_factory=Past)
    lives: dict[tuple[str, str], Life] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # loans
    seen: set[tuple[str, str]] = field(default_factory=set)
    early: list[Happening] = field(default_factory=list)  # of a date to come
    reversals: list[Happening] = field(default_factory=list)  # before their payment
    opened: int | None = None  # the day that is open
    clock_ms: int = 0
    looks: int = -1
    told: list[Transition] = field(default_factory=list)
    verdicts: list[dict[tuple[str, str], Truth]] = field(default_factory=list)  # by look

    def arrive(self, each: Happening, on: int) -> None:
        """One event, on an open day that may be later or earlier than the event's own."""
        self._open(on)
        self._begin_look()
        if (each.event.source, each.event.id) in self.seen:
            return
        self.seen.add((each.event.source, each.event.id))
        if each.date > on:
            self.early.append(each)
        else:
            self._take(each, on)

    def _open(self, on: int) -> None:
        """The beginning of a day: what came before its date is taken in as it came."""
        if self.opened == on:
            return
        self.opened = on
        self._begin_look()
        due = [each for each in self.early if each.date <= on]
        self.early = [each for each in self.early if each.date > on]
        for each in due:
            self._take(each, on)

    def _take(self, each: Happening, on: int) -> None:
        news, is_correction = self._news(each), each.date < on
        if not news:
            return
        if news != [each]:
            is_correction = True  # something was taken back
        self.past.happenings.append(news[0])
        self.past.ever_arrived.append(news[0])
        start_ms = on * DAY_MS - EAST_MS
        self.clock_ms = min(max(self.clock_ms, each.at_ms, start_ms), start_ms + DAY_MS - 1)
        moment = Moment(date=on, now_ms=self.clock_ms)
        if each.type in ENDS_OF_A_LOAN:
            self._end(each.event.loan_id, on)
        for rule in self.rules:
            for key in self._keys(rule):
                if any(self._reads(rule, key, one) for one in news):
                    self._look(rule, key, moment, is_correction=is_correction)
        self._say_what_is_not_muted(on)

    def _begin_look(self) -> None:
        self.looks += 1
        self.verdicts.append({})

    def close(self, on: int, missing: frozenset[str]) -> None:
        """The end of a day: every rule is looked at for every key."""
        self._open(on)
        self._begin_look()
        moment = Moment(date=on, now_ms=(on + 1) * DAY_MS - EAST_MS - 1, missing=missing)
        for rule in self.rules:
            for key in self._keys(rule):
                self._look(rule, key, moment, is_correction=False)
        self._say_what_is_not_muted(on)

    def values(self, rule: Rule, key: str, moment: Moment) -> dict[str, Value]:
        """Every measure of a rule for one key."""
        return {name: value_of(each, rule.per, key, self.past, moment) for name, each in rule.measure.items()}

    def _news(self, each: Happening) -> list[Happening]:
        """What an event changes: itself and the payment it takes back; nothing while a reversal waits."""
        if each.type == "repayment.received":
            for back in self.reversals:
                if _takes_back(back, each):
                    self.reversals.remove(back)
                    self.past.ever_arrived.append(each)  # It never counts, but the feed was there on its date.
                    return [back]
        if each.type != "repayment.reversed":
            return [each]
        for other in self.past.happenings:
            if _takes_back(each, other):
                self.past.happenings.remove(other)
                return [each, other]
        self.reversals.append(each)
        return []

    def _keys(self, rule: Rule) -> list[str]:
        """All that a rule is judged for: the borrower, or each loan that has not ended, or each account."""
        events: list[Any] = [each.event for each in self.past.ever_arrived]
        if not events:
            return []
        if rule.per == "borrower_id":
            return [events[0].borrower_id]
        keys = {key for event in events if (key := getattr(event, rule.per, None)) is not None}
        return sorted(keys - self.ended)

    def _reads(self, rule: Rule, key: str, each: Happening) -> bool:
        return any(_reads(measure, rule, key, each) for measure in rule.measure.values())

    def _end(self, loan: str, on: int) -> None:
        self.ended.add(loan)
        for rule in self.rules:
            life = self.lives.get((rule.rule, loan))
            if rule.per != "loan_id" or life is None:
                continue
            if life.severity is not None:
                self._close(rule, loan, life, on, "loan_closed")
            life.true_since = None

    def _look(self, rule: Rule, key: str, moment: Moment, *, is_correction: bool) -> None:
        """One look at one rule for one key: what is true now, and what follows."""
        values = self.values(rule, key, moment)
        truth = truth_of(rule.when, values)
        self.verdicts[-1][(rule.rule, key)] = truth
        life = self.lives.setdefault((rule.rule, key), Life())
        on = moment.date
        was_false = life.false_since is not None
        life.true_since = _since(life.true_since, truth is True, on)
        life.false_since = _since(life.false_since, truth is False, on)
        life.unknown_since = _since(life.unknown_since, truth is None, on)
        holding = [SEVERITIES.index(level) for level, also in rule.escalate.items() if truth_of(also, values) is True]
        if life.severity is None:
            _perhaps_open(rule, life, on, max([SEVERITIES.index(rule.severity), *holding]))
        elif life.false_since is not None and is_correction and not was_false:
            self._close(rule, key, life, on, "corrected")
        elif life.false_since is not None and on - life.false_since >= rule.clear_after:
            self._close(rule, key, life, on, "cleared")
        elif holding and max(holding) > life.severity:
            life.severity = max(holding)

    def _close(self, rule: Rule, key: str, life: Life, on: int, reason: str) -> None:
        """End an open life; what was never said needs no closing."""
        if life.told >= 0:
            self._tell(rule, key, life, on, "closed", reason)
        assert life.severity is not None
        life.last_severity, life.severity, life.told = life.severity, None, -1

    def _say_what_is_not_muted(self, on: int) -> None:
        """Openings and raises that are news, but for rules with an open inhibitor."""
        open_rules = {name for (name, _), life in self.lives.items() if life.severity is not None}
        for rule in self.rules:
            for (name, key), life in self.lives.items():
                is_news = life.severity is not None and life.severity > life.told
                if name == rule.rule and is_news and not open_rules & set(rule.inhibited_by):
                    self._tell(rule, key, life, on, "opened" if life.told < 0 else "raised")
                    life.told = life.severity or 0

    def _tell(self, rule: Rule, key: str, life: Life, on: int, transition: str, reason: str | None = None) -> None:
        assert life.severity is not None
        severity = SEVERITIES[life.severity]
        self.told.append(Transition(self.looks, on, rule.rule, key, life.n, transition, severity, reason))


def _takes_back(back: Happening, payment: Happening) -> bool:
    return (payment.event.source, payment.event.id) == (back.event.source, back.event.reverses)


def _perhaps_open(rule: Rule, life: Life, on: int, severity: int) -> None:
    """Open when true for long enough, and when `quiet` is over or the matter is worse than the last episode."""
    if life.true_since is None or on - life.true_since < rule.hold:
        return
    is_quiet = life.opened_on is not None and on - life.opened_on < rule.quiet
    if is_quiet and severity <= life.last_severity:
        return
    life.n += 1
    life.severity, life.opened_on, life.told = severity, on, -1


def _since(before: int | None, holds: bool, on: int) -> int | None:
    """The date since when something holds without a break."""
    if not holds:
        return None
    return on if before is None else before


def _reads(measure: Measure, rule: Rule, key: str, each: Happening) -> bool:
    """Whether a measure of a key reads an event; a fact of the ledger reads every repayment event."""
    if not concerns(each, measure, rule.per, key):
        return False
    if measure.verb == "now":
        return each.feed == "repayment"
    return any(is_selected(each, select) for select in measure.select)
