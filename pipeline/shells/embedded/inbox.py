"""A folder into which files of events are dropped: taken one by one, fed to the engine, and put away.

DIR/NAME -> DIR/taken/TAKE/NAME -> DIR/done/NAME with NAME.result.json
                                -> DIR/failed/NAME with NAME.reason.txt as well

A take has an id of its own, and each batch of it is a request: a process that dies and comes back reads the file again,
and the lines that the engine has are not taken again. The folder is looked at again and again, as shares of a network
give no word of what comes.
"""

import json
import os
import secrets
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from errno import EACCES
from itertools import chain
from pathlib import Path

from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.dropped import Unusable, ending_of, events_in, in_batches, survey
from pipeline.shells.embedded.lock import held
from pipeline.shells.embedded.requests import KEY_REUSED, Outcome
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.services import LOGGER, Repeated
from pipeline.shells.embedded.worker import Full

RESULT, REASON = ".result.json", ".reason.txt"
TAKEN, DONE, FAILED, LOCK = "taken", "done", "failed", ".lock"
LOOKS_EVERY_SECONDS = 1.0
FULL_SECONDS, UNSTORED_SECONDS = 0.2, 5.0  # until a batch is tried again
_LONGEST_NAME = 200  # bytes of a file's name, so that what is put beside it still has a name

Submit = Callable[[Batch], "Future[list[Outcome]]"]
State = tuple[int, int, int]  # file, size and last change: equal in two looks, nobody writes any more


class InboxError(Exception):
    """A folder that cannot be an inbox, in one sentence."""


class Inbox:
    """The folder; `submit` puts a batch in line for the engine."""

    def __init__(self, folder: Path, submit: Submit) -> None:
        self.folder = folder
        self.is_drained = False  # nothing waited and nothing was being read at the last look
        self._submit = submit
        self._seen: dict[str, State] = {}
        if not folder.is_dir():
            got = "a file" if folder.exists() else "nothing there"
            raise InboxError(f"{folder}: expected a folder for --inbox, got {got}; make it, or check the name")
        try:
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, os.strerror(EACCES), str(folder))
            for name in (TAKEN, DONE, FAILED):
                (folder / name).mkdir(exist_ok=True)
            self._lock = held(folder / LOCK)
        except BlockingIOError:
            raise InboxError(
                f"{folder}: expected an inbox of its own, got one that another engine reads; name another folder"
            ) from None
        except OSError as error:
            raise InboxError(
                f"{error.filename or folder}: expected a folder in which files can be moved, got {error.strerror}; "
                "give this user the right to write there"
            ) from None

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._lock)

    def look(self, life: Repeated) -> None:
        """Read what was begun before, then every file that has come to rest, in the order of names."""
        self.is_drained = False
        try:
            for take in chain(self._begun(), self._new()):
                self._read(take, life)
                if life.stops:
                    return
            self.is_drained = not self._names()
            life.tell(None)
        except OSError as error:
            life.tell(f"{error.filename}: expected to read and move it, got {error.strerror}; it is tried again")

    # -- taking --

    def _begun(self) -> list[Path]:
        return sorted(each for each in (self.folder / TAKEN).iterdir() if each.is_dir())

    def _new(self) -> Iterator[Path]:
        for name in self._at_rest():
            take = self._taken(name)
            if take is not None:
                yield take

    def _names(self) -> list[str]:
        """What lies in the folder and is not still being written."""
        return [name for name in os.listdir(self.folder) if not is_draft(name) and name not in (TAKEN, DONE, FAILED)]

    def _at_rest(self) -> list[str]:
        seen, self._seen = self._seen, {}
        for name in self._names():
            with suppress(FileNotFoundError):
                found = os.lstat(self.folder / name)
                self._seen[name] = (found.st_ino, found.st_size, found.st_mtime_ns)
        return sorted(name for name, state in self._seen.items() if seen.get(name) == state)

    def _taken(self, name: str) -> Path | None:
        """The folder of a new take, the file in it; None when somebody took the file away."""
        take = self.folder / TAKEN / secrets.token_hex(8)
        take.mkdir()
        try:
            os.rename(self.folder / name, take / name)
        except FileNotFoundError:
            take.rmdir()
            return None
        for folder in (take, take.parent, self.folder):  # Else a take could be forgotten of which lines are kept.
            _synced(folder)
        return take

    # -- reading --

    def _read(self, take: Path, life: Repeated) -> None:
        files = sorted(take.iterdir())
        if not files:  # The process died between making the take and moving the file.
            take.rmdir()
            return
        counts: Counter[tuple[str, str | None]] = Counter()
        faults: list[str] = []
        try:
            refuse_no_file(files[0])
            survey(files[0])
            for n, lines in enumerate(in_batches(events_in(files[0], faults))):
                outcomes = self._fed(
                    Batch(lines, f"inbox/{take.name}/{n}", is_foreign=True), shown(files[0].name), life
                )
                if outcomes is None:
                    return  # It is gone on with at the next start.
                counts.update((each.status, each.reason) for each in outcomes)
        except Unusable as error:
            faults.append(str(error))
        self._put_away(files[0], result_of(counts), faults)

    def _fed(self, batch: Batch, name: str, life: Repeated) -> list[Outcome] | None:
        """What came of a batch, however long the engine has no room for it; None when an end is asked for."""
        while not life.stops:
            try:
                outcomes = self._submit(batch).result()
            except Full:
                life.pause(FULL_SECONDS)
            except Unstored as error:
                life.tell(f"the disk took nothing ({error}); make room: {name} is kept and tried again")
                life.pause(UNSTORED_SECONDS)
            except Halted as error:
                life.tell(f"{error}; {name} is kept for the next start")
                life.pause(UNSTORED_SECONDS)
            except Exception as error:  # The worker logged it, and kept nothing of the batch.
                raise Unusable(
                    f"{name}: expected events that the engine can take, got {type(error).__name__} at one of them; the "
                    "lines before it were used: drop the file again when the engine is repaired"
                ) from error
            else:
                life.tell(None)
                if outcomes[0].reason == KEY_REUSED:
                    raise Unusable(f"{name}: expected the file as it was taken, got another one; drop it again")
                return outcomes
        return None

    # -- putting away --

    def _put_away(self, file: Path, result: dict[str, object], faults: list[str]) -> None:
        """What is told of the file first, then the file: it lies there only when everything of it is done."""
        target = self.folder / (FAILED if faults else DONE)
        name = free_name(target, file.name)
        told = json.dumps({"file": shown(file.name)} | result, ensure_ascii=False, indent=2)
        (target / f"{name}{RESULT}").write_text(f"{told}\n", "utf-8")
        if faults:
            (target / f"{name}{REASON}").write_text(f"{faults[0]}\n", "utf-8", "replace")
            LOGGER.warning("inbox: %s", faults[0])
        os.rename(file, target / name)
        file.parent.rmdir()


def is_draft(name: str) -> bool:
    """Whether a file is still being written, as its name says.

    >>> [is_draft(name) for name in (".a.jsonl", "a.jsonl.part", "a.jsonl.tmp", "a.jsonl")]
    [True, True, True, False]
    """
    return name.startswith(".") or name.lower().endswith((".part", ".tmp"))


def refuse_no_file(file: Path) -> None:
    """Unusable for what is no file of its own: a link could name any file that the engine may read."""
    mode = os.lstat(file).st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "a device or a pipe"
        raise Unusable(f"{shown(file.name)}: expected a file of events, got {kind}; put the file itself here")


def result_of(counts: Counter[tuple[str, str | None]]) -> dict[str, object]:
    """What came of the lines of a file; those taken before an interruption count as what they were then."""
    refused = Counter[str]()
    for (_, reason), count in counts.items():
        if reason is not None:
            refused[reason] += count
    lines = counts.total()
    return {
        "lines": lines,
        "accepted": lines - refused.total(),
        "refused": refused.total(),
        "reasons": dict(sorted(refused.items())),
    }


def free_name(folder: Path, name: str) -> str:
    """The name of a file in a folder, with a number before its ending when the name is taken there."""
    ending = name[len(name) - len(ending_of(name)) :]
    stem = os.fsdecode(os.fsencode(name.removesuffix(ending))[: _LONGEST_NAME - len(ending)])
    free, n = f"{stem}{ending}", 1
    while os.path.lexists(folder / free) or os.path.lexists(folder / f"{free}{RESULT}"):
        n += 1
        free = f"{stem}-{n}{ending}"
    return free


def shown(name: str) -> str:
    """A name as text, whatever bytes it is of."""
    return os.fsencode(name).decode("utf-8", "replace")


def _synced(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
