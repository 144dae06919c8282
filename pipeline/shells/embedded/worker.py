"""The one thread that works on the engine: what waits is taken together, a transaction for all of it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from pipeline.shells.embedded.disk import Halted, Unstored, told_of
from pipeline.shells.embedded.requests import Outcome
from pipeline.shells.embedded.runtime import Batch, Runtime

MOST_LINES = 2_000  # in one transaction: more make an acknowledgement late, fewer the disk busy
TRIES_EVERY_SECONDS = 1.0  # whether a disk that was full takes anything again

Found = TypeVar("Found")


class Full(Exception):
    """More lines wait than may."""


class Job(NamedTuple):
    """A batch, and where its outcomes go."""

    batch: Batch
    done: "Future[list[Outcome]]"


class Call(NamedTuple):
    """Other work on the engine, which has a transaction of its own."""

    work: Callable[[Runtime], Any]
    done: "Future[Any]"


class Worker:
    """Takes batches from any thread and works on them in the order they came."""

    name = "engine"

    def __init__(
        self, runtime: Runtime, *, most_waiting: int = 50_000, tries_every: float = TRIES_EVERY_SECONDS
    ) -> None:
        self._runtime = runtime
        self._most_waiting = most_waiting
        self._tries_every = tries_every
        self._waiting = 0
        self._guard = threading.Lock()
        self._jobs: queue.SimpleQueue[Job | Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._stopped: Unstored | Halted | None = None  # why nothing is taken
        self.after_commit: list[Callable[[], None]] = []  # called by the engine's thread, so they only wake others
        self.after_batch: list[Callable[[float], None]] = []  # the same, with the seconds that it took

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what waits, and end."""
        self._jobs.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Lines that wait."""
        return self._waiting

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken in; None when all is well."""
        return None if self._stopped is None else str(self._stopped)

    @property
    def quarantined(self) -> int:
        """How many borrowers are set aside."""
        return len(self._runtime.quarantine)

    def submit(self, batch: Batch) -> "Future[list[Outcome]]":
        """Put a batch in line; Full when too many lines wait already."""
        with self._guard:
            if self._waiting and self._waiting + len(batch.lines) > self._most_waiting:
                raise Full
            self._waiting += len(batch.lines)
        job = Job(batch, Future())
        self._jobs.put(job)
        return job.done

    def call(self, work: Callable[[Runtime], Found]) -> "Future[Found]":
        """Put other work on the engine in line."""
        call = Call(work, Future())
        self._jobs.put(call)
        return call.done

    def _run(self) -> None:
        ends = False
        while not ends:
            jobs: list[Job] = []
            call: Call | None = None
            lines = 0
            while lines < MOST_LINES and call is None and not ends:
                try:
                    job = self._next(wait=not jobs)
                except queue.Empty:
                    break
                if job is None:
                    ends = True
                elif isinstance(job, Call):
                    call = job
                else:
                    jobs.append(job)
                    lines += len(job.batch.lines)
            if jobs:
                self._work(jobs)
                with self._guard:
                    self._waiting -= lines
            if call is not None:
                self._answer(call)

    def _next(self, *, wait: bool) -> Job | Call | None:
        """What waits the longest; while the disk is full, look in between whether it still is."""
        while wait and isinstance(self._stopped, Unstored):
            try:
                return self._jobs.get(timeout=self._tries_every)
            except queue.Empty:
                self._try_again()
        return self._jobs.get(block=wait)

    def _try_again(self) -> None:
        try:
            self._runtime.store.try_room()
        except Unstored as error:
            self._stopped = error
        except Exception as error:
            self._noted(told_of(error, self._runtime.store.folder))
        else:
            self._stopped = None
            _LOGGER.warning("events are taken in again")

    def _work(self, jobs: list[Job]) -> None:
        began = time.perf_counter()
        if self._stopped is not None:
            for job in jobs:
                job.done.set_exception(self._stopped)
            return
        try:
            outcomes = self._runtime.take([job.batch for job in jobs])
        except (Unstored, Halted) as error:
            self._noted(error)
            for job in jobs:
                job.done.set_exception(error)
        except Exception as error:  # A fault of nobody: nothing was kept, and whoever sent what it failed on is told.
            if len(jobs) > 1:
                for job in jobs:
                    self._work([job])
            else:
                _LOGGER.exception("the engine failed on a request; nothing of it was kept")
                jobs[0].done.set_exception(error)
        else:
            for job, found in zip(jobs, outcomes, strict=True):
                job.done.set_result(found)
            for note in self.after_batch:
                note(time.perf_counter() - began)
            self._wake()

    def _answer(self, call: Call) -> None:
        if self._stopped is not None:
            call.done.set_exception(self._stopped)
            return
        try:
            found = call.work(self._runtime)
        except Exception as error:
            if isinstance(error, Unstored | Halted):
                self._noted(error)
            else:
                _LOGGER.exception("the engine failed on a request; nothing of it was kept")
            call.done.set_exception(error)
        else:
            call.done.set_result(found)
            self._wake()

    def _noted(self, error: BaseException) -> None:
        """Take nothing from here on: until there is room again, or until the next start."""
        if isinstance(error, Unstored | Halted):
            self._stopped = error
        _LOGGER.error("nothing is taken in: %s", error)

    def _wake(self) -> None:
        for wake in self.after_commit:
            wake()


_LOGGER = logging.getLogger("forewarn")
