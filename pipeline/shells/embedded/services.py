"""What runs beside an engine while it runs: each begins when the engine does, and ends before it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol


class Service(Protocol):
    """Something with a life of its own; it minds its own faults, and none of them reaches the engine."""

    def start(self) -> None:
        """Begin; return at once."""
        ...

    def stop(self) -> None:
        """End, and return when it has."""
        ...


@contextmanager
def running(services: Sequence[Service]) -> Iterator[None]:
    """Services from here to there, started in their order and stopped in the opposite one."""
    with ExitStack() as started:
        for service in services:
            service.start()
            started.callback(service.stop)
        yield
