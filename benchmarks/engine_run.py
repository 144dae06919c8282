"""The engine over the made-up portfolio, day by day in batches, with a stop watch on each stage and every line kept."""

import hashlib
from collections.abc import Iterable
from time import process_time
from typing import NamedTuple

from pipeline.decisions import Alert, Decision, line
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.engine import close_day, open_day, step
from pipeline.freezing import freeze, thaw
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from pipeline.shells.portfolio import refused

BATCH = 500
STAGES = ("decode", "step", "encode", "freeze", "sweep")
FILE = "events.jsonl"
Frozen = tuple[bytes, bytes]


class Feed(NamedTuple):
    """One day of arrivals, with the number of its first line in the file that replay will read."""

    date: int
    first_line: int
    raws: list[bytes]


class Digests:
    """A digest for each kind of decision, in the order in which they were made."""

    def __init__(self) -> None:
        self._kinds: dict[str, hashlib._Hash] = {}

    def add(self, kind: str, body: bytes) -> None:
        """Add one line without its end."""
        self._kinds.setdefault(kind, hashlib.blake2b()).update(body + b"\n")

    def copy(self) -> "Digests":
        """The same so far."""
        other = Digests()
        other._kinds = {kind: digest.copy() for kind, digest in self._kinds.items()}
        return other

    def text(self) -> dict[str, str]:
        """Kind of decision -> digest."""
        return {kind: digest.hexdigest() for kind, digest in sorted(self._kinds.items())}


class Run:
    """Every borrower under one shelf; what a shell without a broker does, but timed."""

    def __init__(self, shelf: CompiledShelf, store: dict[str, Frozen], digests: Digests) -> None:
        self.shelf = shelf
        self.decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
        self.store = dict(store)
        self.memories = {borrower_id: thaw(borrower_id, *frozen) for borrower_id, frozen in store.items()}
        self.digests = digests.copy()
        self.restart()

    def restart(self) -> None:
        """Begin to measure anew."""
        self.spent = dict.fromkeys(STAGES, 0.0)
        self.events = self.alerts = self.decisions = self.looks = self.frozen = 0

    def days(self, feeds: Iterable[Feed]) -> "Run":
        """Run whole days."""
        for feed in feeds:
            day = Day(date=feed.date)
            for start in range(0, len(feed.raws), BATCH):
                self._batch(day, feed.first_line + start, feed.raws[start : start + BATCH])
            self._sweep(day)
        return self

    def us_an_event(self, *stages: str) -> float:
        """CPU microseconds an event that stages took."""
        return sum(self.spent[stage] for stage in stages) / self.events * 1e6

    def _batch(self, day: Day, first_line: int, raws: list[bytes]) -> None:
        arrivals: list[Arrival | Refusal] = []
        decode, spent = self.decoder.decode, self.spent
        t0 = process_time()
        for number, raw in enumerate(raws, first_line):
            try:
                arrivals.append(decode(raw, {"file": FILE, "line": number}))
            except Refusal as refusal:
                arrivals.append(refusal)
        t1 = process_time()
        told, touched = self._stepped(day, raws, arrivals, first_line)
        t2 = process_time()
        bodies = [line(decision) for decision in told]
        t3 = process_time()
        self.frozen += self._freeze(touched)
        t4 = process_time()
        for stage, took in zip(STAGES, (t1 - t0, t2 - t1, t3 - t2, t4 - t3), strict=False):
            spent[stage] += took
        self.events += len(raws)
        self._note(told, bodies)

    def _stepped(
        self, day: Day, raws: list[bytes], arrivals: list[Arrival | Refusal], first_line: int
    ) -> tuple[list[Decision], dict[str, Memory]]:
        shelf, memories = self.shelf, self.memories
        told: list[Decision] = []
        touched: dict[str, Memory] = {}
        for n, arrival in enumerate(arrivals):
            if isinstance(arrival, Refusal):
                source = {"file": FILE, "line": first_line + n}
                told.append(refused(raws[n], arrival.reason, arrival.why, source))
                continue
            borrower_id: str = arrival.event.borrower_id  # type: ignore[union-attr]  # No control records are fed.
            memory = memories.get(borrower_id)
            if memory is None:
                memory = memories[borrower_id] = Memory(borrower_id)
            told += step(shelf, day, memory, arrival)[1]
            touched[borrower_id] = memory
        return told, touched

    def _freeze(self, touched: dict[str, Memory]) -> int:
        store, n = self.store, 0
        for borrower_id, memory in touched.items():
            if memory.is_touched:
                store[borrower_id] = freeze(memory)
                memory.is_touched = False
                n += 1
        return n

    def _sweep(self, day: Day) -> None:
        """Close the day for everybody, freeze who changed, and open the next one."""
        shelf, after = self.shelf, day.next()
        everyone = sorted(self.memories.items())
        t0 = process_time()
        told: list[Decision] = []
        for _, memory in everyone:
            told += close_day(shelf, day, memory)[1]
        for _, memory in everyone:
            told += open_day(shelf, after, memory)[1]
        bodies = [line(decision) for decision in told]
        self._freeze(self.memories)
        self.spent["sweep"] += process_time() - t0
        self.looks += len(everyone)
        self._note(told, bodies)

    def _note(self, told: list[Decision], bodies: list[bytes]) -> None:
        self.decisions += len(told)
        for decision, body in zip(told, bodies, strict=True):
            self.alerts += isinstance(decision, Alert)
            self.digests.add(type(decision).__name__, body)
