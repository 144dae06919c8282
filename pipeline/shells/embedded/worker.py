"""The one thread that works on the engine: what waits is taken together, a transaction for all of it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from pipeline.shells.embedded.runtime import Batch, Outcome, Runtime, Unstored

MOST_LINES = 2_000  # in one transaction: more make an acknowledgement late, fewer the disk busy


class Full(Exception):
    """More lines wait than may."""


class Job(NamedTuple):
    """A batch, and where its outcomes go."""

    batch: Batch
    done: "Future[list[Outcome]]"


class Worker:
    """Takes batches from any thread and works on them in the order they came."""

    def __init__(self, runtime: Runtime, *, most_waiting: int = 50_000) -> None:
        self._runtime = runtime
        self._most_waiting = most_waiting
        self._waiting = 0
        self._guard = threading.Lock()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
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
    def trouble(self) -> str | None:
        """None: what troubles it is told to whoever sent the lines."""
        return None

    @property
    def waiting(self) -> int:
        """Lines that wait."""
        return self._waiting

    def submit(self, batch: Batch) -> "Future[list[Outcome]]":
        """Put a batch in line; Full when too many lines wait already."""
        with self._guard:
            if self._waiting and self._waiting + len(batch.lines) > self._most_waiting:
                raise Full
            self._waiting += len(batch.lines)
        job = Job(batch, Future())
        self._jobs.put(job)
        return job.done

    def _run(self) -> None:
        ends = False
        while not ends:
            jobs: list[Job] = []
            lines = 0
            while lines < MOST_LINES and not ends:
                try:
                    job = self._jobs.get(block=not jobs)
                except queue.Empty:
                    break
                if job is None:
                    ends = True
                else:
                    jobs.append(job)
                    lines += len(job.batch.lines)
            if jobs:
                self._work(jobs)
                with self._guard:
                    self._waiting -= lines

    def _work(self, jobs: list[Job]) -> None:
        began = time.perf_counter()
        try:
            outcomes = self._runtime.take([job.batch for job in jobs])
        except Unstored as error:
            for job in jobs:
                job.done.set_exception(error)
        except Exception as error:  # A fault of the core: nothing was kept, and whoever sent what it failed on is told.
            if len(jobs) > 1:
                for job in jobs:
                    self._work([job])
            else:
                logging.getLogger("forewarn").exception("the engine failed on a request; nothing of it was kept")
                jobs[0].done.set_exception(error)
        else:
            for job, found in zip(jobs, outcomes, strict=True):
                job.done.set_result(found)
            for note in self.after_batch:
                note(time.perf_counter() - began)
            for wake in self.after_commit:
                wake()
