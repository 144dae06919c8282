"""The parts of the borrowers in processes of their own; one part stays in this one."""

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import msgspec

from config.settings import Settings
from connectors.whole_lines import BadFile
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells.backtest.part import Part, Work, part_of, together
from pipeline.shells.backtest.shards import Shard
from pipeline.shells.embedded.store import DataError
from pipeline.shells.terms import terms_of
from rules.rule import Shelf

LINES_A_PROCESS = 20_000  # of fewer, a process would take longer to start than to work
Told = Callable[[int], None]
_Sayable = (BadFile, DataError, OSError)  # what is wrong with an input


class Rules(msgspec.Struct, frozen=True):
    """The rules and settings of a backtest, as another process can be sent them."""

    shelf: Shelf
    settings: Settings

    def compiled(self) -> CompiledShelf:
        """The rules as the engine runs them."""
        return compile_shelf(self.shelf, terms_of(self.settings))


def usual_processes(lines: int) -> int:
    """One for each core that this process may use, but none for a handful of lines."""
    return max(1, min(cores(), lines // LINES_A_PROCESS))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replayed(work: Work, rules: Rules, shards: list[Shard], told: Told) -> Part:
    """All parts of the borrowers through the engine, together."""
    if len(shards) == 1:
        return part_of(work, rules.compiled(), shards[0], told)
    context = get_context("spawn")  # A fork would copy the thread that draws the progress.
    running: dict[Connection, SpawnProcess] = {}
    try:
        for shard in shards:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(there, work, rules, shard), daemon=True)
            process.start()
            there.close()
            running[here] = process
        return together(_heard(running, told))
    finally:
        for connection, process in running.items():
            process.terminate()
            process.join()
            connection.close()


def _heard(running: dict[Connection, SpawnProcess], told: Told) -> list[Part]:
    """What each process found, in the order in which they were started."""
    found: dict[Connection, Part] = {}
    while len(found) < len(running):
        for connection in wait([each for each in running if each not in found]):
            assert isinstance(connection, Connection)
            try:
                said = connection.recv()
            except EOFError:
                process = running[connection]
                process.join()
                raise BadFile(
                    f"--processes: expected every process to end its work, got one that ended with {process.exitcode}; "
                    "name fewer of them where memory is short"
                ) from None
            if isinstance(said, BaseException):
                raise said
            if isinstance(said, int):
                told(said)
            else:
                found[connection] = said
    return [found[connection] for connection in running]


def _work(connection: Connection, work: Work, rules: Rules, shard: Shard) -> None:
    """What another process does: say how far it has come, then what it found or why there is nothing."""
    try:
        connection.send(part_of(work, rules.compiled(), shard, connection.send))
    except _Sayable as error:
        connection.send(error)
    except KeyboardInterrupt:
        pass  # Whoever waits for it was interrupted, too, and says so.
