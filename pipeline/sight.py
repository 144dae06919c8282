"""One look at a borrower: rules are judged, episodes move, and what is news is told."""

from collections.abc import Sequence

from pipeline.announce import Telling, closing, opening
from pipeline.decisions import Alert, Decision, Reason
from pipeline.episodes import Moment, advance, close, still_clearing, still_pending
from pipeline.judge import Bench, Judged, Reading, bits_of, keys_of
from pipeline.keeping import News
from pipeline.layout import day_of
from pipeline.look import Look
from pipeline.memory import Episode, Memory
from pipeline.sheet import Sheet, sheet_of
from pipeline.shelf import CompiledShelf
from pipeline.tasks import follow


class Sight:
    """A look on its way from values to decisions."""

    __slots__ = ("cause", "endings", "look", "memory", "moment", "shelf")

    def __init__(
        self, shelf: CompiledShelf, memory: Memory, look: Look, cause: dict[str, str], *, is_correction: bool
    ) -> None:
        self.shelf, self.memory, self.look, self.cause = shelf, memory, look, cause
        self.moment = Moment(look.day.date, is_correction)
        self.endings: list[tuple[tuple[int, str, str], Alert]] = []  # place in the order of rules, closing alert
        if memory.head.shelf != shelf.hash:
            self._adopt_shelf()

    def look_at(self, news: Sequence[News]) -> None:
        """Judge the rules that read what is new."""
        for i, bench in enumerate(self.shelf.benches):
            if not bench.judged:
                continue
            shared, own = 0, dict[str, int]()
            for each in news:
                readings = bench.reading.get(each.type)
                if readings is not None:
                    is_newest = self._is_newest(each)
                    for reading in readings:
                        if reading.pick is None or self._matches(reading, each):
                            self._let_in(i, reading, each, is_newest=is_newest)
                            if reading.is_own:
                                own[each.key] = own.get(each.key, 0) | bench.users[reading.meter]
                            else:
                                shared |= bench.users[reading.meter]
            if shared:
                for key in keys_of(bench, self.memory):
                    self._judge(i, bench, key, shared | own.get(key, 0))
            elif own:
                everyone = keys_of(bench, self.memory)
                for key, asked in own.items():
                    if key in everyone:
                        self._judge(i, bench, key, asked)

    def look_at_all(self) -> None:
        """Judge every rule at the end of a day, but where neither a value nor an episode can have moved."""
        today, missing = self.look.day.date, self.look.day.missing
        for i, bench in enumerate(self.shelf.benches):
            if not bench.judged:
                continue
            for key in keys_of(bench, self.memory):
                sheet = self.memory.sheets.get((i, key))
                if sheet is None or sheet.bench is not bench or missing or not sheet.is_quiet(today):
                    self._judge(i, bench, key, bench.everyone)

    def told(self, closed_loan: str = "") -> list[Decision]:
        """Alerts of every transition that is not muted, inhibitors first, and the tasks that follow."""
        memory = self.memory
        if closed_loan:
            self._close_loan(closed_loan)
        if not self.endings and not memory.owes:
            return []
        found = self.endings
        if memory.owes:
            owing = [e for e in memory.head.episodes.values() if e.state == "open" and e.told < e.severity]
            telling = self._telling()
            found = [*found, *((self._place(e), alert) for e in owing if (alert := opening(telling, e)) is not None)]
            memory.owes = any(e.told < e.severity for e in owing)
        alerts = [alert for _, alert in sorted(found, key=lambda entry: entry[0])]
        return [*alerts, *follow(self.shelf, memory, alerts, self.look.day.date)] if alerts else []

    def _place(self, episode: Episode) -> tuple[int, str, str]:
        return self.shelf.order.get(episode.rule, -1), episode.rule, episode.key

    def _telling(self) -> Telling:
        return Telling(self.shelf, self.memory, self.look, self.cause, self._asked)

    def _note_ending(self, episode: Episode, reason: Reason) -> None:
        """Write the closing while the life that ends is still there; the same look may begin another."""
        alert = closing(self._telling(), episode, reason)
        if alert is not None:
            self.endings.append((self._place(episode), alert))

    # -- judging --

    def _is_newest(self, news: News) -> bool:
        """Whether an event is of today, and the last of its stream."""
        if self.moment.is_correction or day_of(news.row[0]) != self.moment.on:
            return False
        stream = self.memory.streams.get(news.type, {}).get(news.key)
        return stream is not None and stream.ends_with(news.row)

    def _matches(self, reading: Reading, news: News) -> bool:
        codes = tuple([self.memory.codes.get(text, -1) for text in reading.texts])
        return bool(reading.pick is not None and reading.pick(news.row, 0, len(news.row), codes))

    def _let_in(self, i: int, reading: Reading, news: News, *, is_newest: bool) -> None:
        """Let an event change the values that it may change, of its own loan or account or of all."""
        for (bench, key), sheet in self.memory.sheets.items():
            if bench == i:
                if sheet.look is not self.look:
                    sheet.turn_to(self.look)
                if is_newest and (key == news.key or not reading.is_own):
                    sheet.take_in(reading, news.row)
                else:
                    sheet.forget(reading.meter)

    def _judge(self, i: int, bench: Bench, key: str, asked: int) -> None:
        """Judge those rules that may hold otherwise than before, and move the episodes that time may move."""
        sheet = sheet_of(self.memory, (i, key), bench, self.look)
        today, todo = self.moment.on, sheet.to_judge(asked)
        if todo:
            true = sheet.true_rules(todo)
            for bit in bits_of(true):
                judged = bench.judged[bit.bit_length() - 1]
                episode = self._episode(sheet, judged)
                if not still_pending(episode, judged.rule, today):
                    self._advance(sheet, judged, episode, True)
            for bit in bits_of(todo & sheet.living & ~true):
                judged, episode = bench.judged[bit.bit_length() - 1], sheet.alive[bit]
                truth = False if sheet.holds(judged.fails, judged) else None
                if truth is None or judged.ladder or not still_clearing(episode, judged.rule, today):
                    self._advance(sheet, judged, episode, truth)
        sheet.note_judged(asked)

    def _episode(self, sheet: Sheet, judged: Judged) -> Episode:
        episode = sheet.alive.get(judged.bit)
        if episode is not None:
            return episode
        name = sheet.key or self.memory.borrower_id
        place = f"{judged.rule.rule}/{name}"
        found: Episode | None = self.memory.head.episodes.get(place)
        if found is None:
            rule = judged.rule
            marks = self.shelf.marks[rule.rule]
            found = Episode(rule.rule, name, rule.per, rule.status, rule.version, *marks, n=self.memory.head.numbered)
            self.memory.head.episodes[place] = found
        found.per = judged.rule.per  # A loan may be called as its borrower, and the rule was of the other before.
        return found

    def _advance(self, sheet: Sheet, judged: Judged, episode: Episode, truth: bool | None) -> None:
        before = episode.mark()
        reason = advance(episode, judged.rule, truth, lambda above: sheet.rung(judged, above), self.moment)
        sheet.note_episode(judged, episode)
        if episode.state == "closed":
            if episode.n == self.memory.head.numbered:
                del self.memory.head.episodes[episode.place]
        elif episode.state == "open" and episode.told < episode.severity:
            self.memory.owes = True
        if reason is not None:
            self._note_ending(episode, reason)
        if before != episode.mark():
            self.memory.note_change("episode", episode.place)

    def _asked(self, episode: Episode) -> tuple[Judged, Sheet] | None:
        found = self.shelf.judged.get(episode.rule)
        if found is None:
            return None
        i, judged = found
        key = "" if episode.per == "borrower_id" else episode.key
        return judged, sheet_of(self.memory, (i, key), self.shelf.benches[i], self.look)

    # -- endings that no condition brings --

    def _close_loan(self, loan_id: str) -> None:
        for episode in self.memory.head.episodes.values():
            if episode.per == "loan_id" and episode.key == loan_id:
                self._end(episode, "loan_closed")
        self.memory.sheets.clear()

    def _end(self, episode: Episode, reason: Reason) -> None:
        if episode.state == "open":
            close(episode, reason, self.moment.on)
            self._note_ending(episode, reason)
        episode.state = "closed"
        self.memory.note_change("episode", episode.place)

    def _adopt_shelf(self) -> None:
        """Under another shelf: a rule that left or measures otherwise ends its episodes, else pending ones restart."""
        self.memory.sheets.clear()
        self.memory.tail = None
        for place, episode in self.memory.head.episodes.items():
            self.memory.note_change("episode", place)
            rule = self.shelf.rules.get(episode.rule)
            if rule is None or self.shelf.marks[rule.rule][1] != episode.shape:
                self._end(episode, "rule_changed")
            elif self.shelf.marks[rule.rule][0] != episode.hash and episode.state == "pending":
                episode.state = "closed"
            if rule is not None:
                if episode.status != rule.status:
                    episode.opened_on, episode.severity = None, -1  # the other status told other people
                hash_, shape = self.shelf.marks[rule.rule]
                episode.status, episode.version, episode.hash, episode.shape = rule.status, rule.version, hash_, shape
        self.memory.head.shelf = self.shelf.hash
        self.memory.is_touched = self.memory.owes = True
