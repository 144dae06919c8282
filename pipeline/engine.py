"""The core: one event of one borrower, or the end of a day, and what follows from it.

    step(shelf, day, memory, arrival)  -> (memory, decisions)
    close_day(shelf, day, memory)      -> (memory, decisions)

No clock, network, log or randomness is inside; `memory` is changed in place and handed back.
"""

from typing import Any

from pipeline.announce import Telling, closing, opening
from pipeline.decisions import Alert, Decision, Reason
from pipeline.decode import Arrival
from pipeline.episodes import Moment, advance, close, is_settled
from pipeline.intake import News, derive_misses, expire_waiting, take_in
from pipeline.judge import Bench, Judged, Values, keys_of
from pipeline.look import Day, Look
from pipeline.memory import Episode, Memory
from pipeline.meters import is_material
from pipeline.prune import prune
from pipeline.shelf import CompiledShelf, Reader
from pipeline.tasks import follow
from pipeline.zone import date_of_number
from rules.rule import SEVERITIES, Rule

PRUNE_EVERY = 32  # days between two looks for events too old to keep


def step(shelf: CompiledShelf, day: Day, memory: Memory, arrival: Arrival) -> tuple[Memory, list[Decision]]:
    """Take one event in and look at every rule that it concerns.

    An event of a later date is kept and judged right after the close before that date; one of an earlier date goes
    into its own day; a repeat changes nothing.
    """
    taken = take_in(shelf, day, memory, arrival)
    decisions = list(taken.decisions)
    if taken.news:
        zone = shelf.terms.zone
        now = min(max(memory.head.clock, arrival.at_ms, zone.start_of(day.date)), zone.end_of(day.date))
        memory.head.clock = now
        look = Look(day, now, zone.date_of, shelf.terms.history)
        event: Any = arrival.event
        cause = {"type": arrival.type, "id": event.id, "source": event.source}
        sight = Sight(shelf, memory, look, cause, is_correction=taken.is_correction)
        for i, bench in enumerate(shelf.benches):
            sight.look_at(i, bench, taken.news)
        decisions += sight.told(taken.closed_loan)
    for waited in taken.released:
        decisions += step(shelf, day, memory, waited)[1]
    if decisions or taken.news:
        memory.is_touched = True
    return memory, decisions


def close_day(shelf: CompiledShelf, day: Day, memory: Memory) -> tuple[Memory, list[Decision]]:
    """End a business day for one borrower, so that silence is noticed; then take in what was early for the next."""
    decisions = expire_waiting(memory, day.date)
    derive_misses(shelf, day, memory)
    zone = shelf.terms.zone
    look = Look(day, zone.end_of(day.date), zone.date_of, shelf.terms.history)
    _note_material(shelf, memory, look)
    cause = {"type": "day.ended", "date": date_of_number(day.date).isoformat()}
    sight = Sight(shelf, memory, look, cause, is_correction=False)
    for i, bench in enumerate(shelf.benches):
        sight.look_at_all(i, bench)
    decisions += sight.told("")
    if day.date - memory.head.pruned_on >= PRUNE_EVERY:
        prune(shelf, memory, day.date)
    if memory.head.parked:
        decisions += _open_next(shelf, day.next(), memory)
    if decisions:
        memory.is_touched = True
    return memory, decisions


def _open_next(shelf: CompiledShelf, day: Day, memory: Memory) -> list[Decision]:
    """Judge the events that came before their date, in the order they came."""
    due = [arrival for arrival in memory.head.parked if arrival.date <= day.date]
    memory.head.parked = [arrival for arrival in memory.head.parked if arrival.date > day.date]
    decisions: list[Decision] = []
    for arrival in due:
        memory.is_touched = True
        decisions += step(shelf, day, memory, arrival)[1]
    return decisions


def _note_material(shelf: CompiledShelf, memory: Memory, look: Look) -> None:
    """Keep the first date of material arrears; the count starts again when any limit is no longer exceeded."""
    for loan in memory.head.loans.values():
        material = is_material(memory, loan, look, shelf.setting) if loan.state.is_known else False
        since = (look.day.date if loan.material_since is None else loan.material_since) if material else None
        if since != loan.material_since and material is not None:
            loan.material_since = since
            memory.is_touched = True


class Sight:
    """One look at a borrower: values are asked for once, episodes move, then what is news is told."""

    def __init__(
        self, shelf: CompiledShelf, memory: Memory, look: Look, cause: dict[str, str], *, is_correction: bool
    ) -> None:
        self.shelf, self.memory, self.look, self.cause = shelf, memory, look, cause
        self.moment = Moment(look.day.date, is_correction)
        self.values: dict[tuple[int, str], Values] = {}
        self.ended: list[tuple[Episode, Reason]] = []
        if memory.head.shelf != shelf.hash:
            self._adopt_shelf()

    def look_at(self, i: int, bench: Bench, news: tuple[News, ...]) -> None:
        """Judge the rules that read what is new."""
        readers = self.shelf.readers[i]
        shared, own = 0, dict[str, int]()
        for each in news:
            for reader in readers.get(each.type, ()):
                if reader.pick is None or self._matches(reader, each):
                    shared |= reader.any
                    if reader.own:
                        own[each.key] = own.get(each.key, 0) | reader.own
        if not shared and not own:
            return
        for key in self._keys(bench, list(own) if not shared else None):
            asked = shared | own.get(key, 0)
            if asked:
                self._judge(i, bench, key, asked)

    def look_at_all(self, i: int, bench: Bench) -> None:
        """Judge every rule, for the end of a day."""
        if bench.judged:
            for key in self._keys(bench, None):
                self._judge(i, bench, key, (1 << len(bench.judged)) - 1)

    def told(self, closed_loan: str) -> list[Decision]:
        """Alerts of every transition that is not muted, inhibitors first, and the tasks that follow."""
        head = self.memory.head
        if closed_loan:
            self._close_loan(closed_loan)
        if not head.episodes:
            return []
        telling = Telling(self.shelf, self.memory, self.look, self.cause, self._asked)
        owing = [(e, None) for e in head.episodes.values() if e.state == "open" and e.told < e.severity]
        alerts: list[Alert] = []
        for episode, reason in sorted([*self.ended, *owing], key=self._place):
            alert = opening(telling, episode) if reason is None else closing(telling, episode, reason)
            if alert is not None:
                alerts.append(alert)
        return [*alerts, *follow(self.shelf, self.memory, alerts, self.look.day.date)]

    def _place(self, entry: tuple[Episode, Reason | None]) -> tuple[int, str, str]:
        episode = entry[0]
        return self.shelf.order.get(episode.rule, -1), episode.rule, episode.key

    def _keys(self, bench: Bench, keys: list[str] | None) -> list[str]:
        """Whom to judge: everyone of the bench, or only those that the news is about."""
        everyone = keys_of(bench, self.memory)
        return everyone if keys is None else [key for key in keys if key in everyone]

    def _matches(self, reader: Reader, news: News) -> bool:
        codes = tuple(self.memory.codes.get(text, -1) for text in reader.texts)
        return bool(reader.pick is not None and reader.pick(news.row, 0, len(news.row), codes))

    def _values(self, i: int, key: str) -> Values:
        values = self.values.get((i, key))
        if values is None:
            values = self.values[i, key] = Values(self.shelf.benches[i], self.memory, key, self.look)
        return values

    def _judge(self, i: int, bench: Bench, key: str, asked: int) -> None:
        values = self._values(i, key)
        episodes = self.memory.head.episodes
        name = key or self.memory.borrower_id
        for judged in bench.true_rules(values, asked):
            asked ^= judged.bit
            place = f"{judged.rule.rule}/{name}"
            episode = episodes.get(place)
            if episode is None:
                episode = episodes[place] = _fresh(judged.rule, name)
            elif is_settled(episode, judged.top):
                continue
            self._advance(episode, judged, True, values)
        for episode in [e for e in episodes.values() if e.state != "closed" and e.key == name and e.per == bench.per]:
            found = self.shelf.judged.get(episode.rule)
            if found is not None and found[1].bit & asked:
                truth = False if values.holds(found[1].fails, found[1]) else None
                self._advance(episode, found[1], truth, values)

    def _advance(self, episode: Episode, judged: Judged, truth: bool | None, values: Values) -> None:
        before = episode.mark()
        base = SEVERITIES.index(judged.rule.severity)
        reason = advance(episode, judged.rule, truth, lambda above: values.rung(judged, max(above, base)), self.moment)
        if reason is not None:
            self.ended.append((episode, reason))
        elif episode.state == "closed" and episode.n == 0:
            del self.memory.head.episodes[f"{episode.rule}/{episode.key}"]
        if before != episode.mark():
            self.memory.is_touched = True

    def _asked(self, episode: Episode) -> tuple[Judged, Values] | None:
        found = self.shelf.judged.get(episode.rule)
        if found is None:
            return None
        i, judged = found
        return judged, self._values(i, "" if episode.per == "borrower_id" else episode.key)

    def _close_loan(self, loan_id: str) -> None:
        for episode in self.memory.head.episodes.values():
            if episode.per == "loan_id" and episode.key == loan_id:
                self._end(episode, "loan_closed")

    def _end(self, episode: Episode, reason: Reason) -> None:
        if episode.state == "open":
            self.ended.append((episode, close(episode, reason, self.moment.on)))
        episode.state = "closed"

    def _adopt_shelf(self) -> None:
        """Under another shelf: a rule that left or measures otherwise ends its episodes, else pending ones restart."""
        for episode in self.memory.head.episodes.values():
            rule = self.shelf.rules.get(episode.rule)
            if rule is None or rule.shape != episode.shape:
                self._end(episode, "rule_changed")
            elif rule.hash != episode.hash and episode.state == "pending":
                episode.state = "closed"
            if rule is not None:
                episode.version, episode.hash, episode.shape = rule.version, rule.hash, rule.shape
                if episode.state == "closed" and not self.ended:
                    episode.status = rule.status
        self.memory.head.shelf = self.shelf.hash


def _fresh(rule: Rule, key: str) -> Episode:
    return Episode(rule.rule, key, rule.per, rule.status, rule.version, rule.hash, rule.shape)
