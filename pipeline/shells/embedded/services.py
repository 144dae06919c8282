"""What works beside the door of an engine: started before the door opens, stopped after it has closed."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol

LOGGER = logging.getLogger("forewarn")


class Service(Protocol):
    """Something that works by itself between a start and a stop."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why it does not do its work at the moment, in one sentence; None when it does."""
        ...

    def start(self) -> None:
        """Begin to work, and return."""
        ...

    def stop(self) -> None:
        """Bring what is begun to where it can be left, end, and return."""
        ...


@contextmanager
def running(services: Sequence[Service]) -> Iterator[None]:
    """Services at work; each may use those before it, so the last that was started is the first to stop."""
    with ExitStack() as stack:
        for each in services:
            each.start()
            stack.callback(each.stop)
        yield


class Repeated:
    """A service that looks for work, does it, and looks again after a while, in a thread of its own.

    `look` is given this service: to wait by `pause`, which a stop cuts short, and to `tell` of trouble.
    """

    def __init__(self, name: str, look: "Callable[[Repeated], None]", *, every_seconds: float) -> None:
        self.name = name
        self.trouble: str | None = None
        self._look = look
        self._every_seconds = every_seconds
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for an end, and wait for it."""
        self._stops.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def stops(self) -> bool:
        """Whether an end was asked for."""
        return self._stops.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, unless an end is asked for."""
        self._stops.wait(seconds)

    def tell(self, trouble: str | None) -> None:
        """Say why the work cannot be done, or that it is done again; the log hears of each change once."""
        if trouble is not None and trouble != self.trouble:
            LOGGER.warning("%s: %s", self.name, trouble)
        self.trouble = trouble

    def _run(self) -> None:
        while not self.stops:
            try:
                self._look(self)
            except Exception as error:  # A service that ended by a fault would be missed by nobody.
                LOGGER.exception("%s failed, and looks again", self.name)
                self.tell(f"failed with {type(error).__name__}; see the log")
            self.pause(self._every_seconds)
