"""A file of events handed to an engine: to its address in batches, or into its inbox as a file."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from time import sleep

import httpx
import msgspec

from pipeline.shells.embedded.client import EngineError, send
from pipeline.shells.embedded.dropped import Unusable, ending_of, events_in, in_batches, survey

DRAFTS = ".ingest-"  # an inbox leaves what begins with a dot alone
_MARK = 12  # characters of a digest


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the lines of a file."""

    lines: int
    statuses: dict[str, int]
    reasons: dict[str, int]
    faults: tuple[str, ...]  # why the file could not be read to its end


def is_address(to: str) -> bool:
    """Whether it is an engine's address, and not a folder.

    >>> is_address("http://127.0.0.1:8200"), is_address("inbox")
    (True, False)
    """
    return to.lower().startswith(("http://", "https://"))


def send_file(
    engine: httpx.Client, file: Path, advance: Callable[[int, int], None], pause: Callable[[float], None] = sleep
) -> Sent:
    """Send every event; `advance` hears how many of how many are answered.

    A batch has the same key whenever the file is sent by the same sender, so a run that was cut short is run again.
    """
    found = survey(file)
    sender = engine.headers.get("Authorization", "")  # Another sender may be allowed to send what this one is not.
    key = sha256(f"{sender}\n{found.digest}".encode()).hexdigest()[:32]
    statuses, reasons = Counter[str](), Counter[str]()
    faults: list[str] = []
    for n, lines in enumerate(in_batches(events_in(file, faults))):
        done = statuses.total()
        try:
            answer = send(engine, lines, request=f"{key}/{n}", pause=pause)
        except EngineError as error:
            raise EngineError(
                f"{error} ({done:,} of {found.lines:,} events were taken; run the same command again for the rest)"
            ) from None
        statuses.update(each.status for each in answer.results)
        reasons.update(each.reason for each in answer.results if each.reason is not None)
        advance(statuses.total(), found.lines)
    return Sent(
        lines=statuses.total(),
        statuses=dict(sorted(statuses.items())),
        reasons=dict(sorted(reasons.items())),
        faults=tuple(faults),
    )


@contextmanager
def draft_folder(folder: Path | None) -> Iterator[Path]:
    """A folder for files that are not ready; inside an inbox, so that a finished one gets there in one move."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=DRAFTS) as name:
        yield Path(name)


def put_file(file: Path, inbox: Path, drafts: Path) -> Path:
    """Put a file of events into an inbox whole; `drafts` is a folder inside it.

    Its name there carries a mark of its content: the same file twice is one file, another of its name stands beside it.
    """
    found = survey(file)
    ending = ending_of(file.name)
    stem = file.name[: len(file.name) - len(ending)]
    target = inbox / f"{stem}.{found.digest[:_MARK]}{ending}"
    draft = drafts / "whole"
    shutil.copyfile(file, draft)
    with draft.open("rb") as copied:
        os.fsync(copied.fileno())
    os.replace(draft, target)
    return target


def refuse_no_inbox(to: str) -> Path:
    """The folder that is named; Unusable when there is none."""
    folder = Path(to)
    if not folder.is_dir():
        raise Unusable(
            f"--to: expected an address such as http://127.0.0.1:8200 or a folder, got {to!r}; check the name"
        )
    return folder
