"""How the webhooks of a data directory stand, for a person or a monitor; the engine may run meanwhile."""

from pathlib import Path
from typing import NamedTuple

from pipeline.shells.embedded.standing import muted_in
from pipeline.shells.embedded.webhooks.cursors import FILE, Cursor, Cursors, Outbox


class State(NamedTuple):
    """A webhook: where it stands, and how many rows of its kinds it has not been sent yet."""

    cursor: Cursor
    waiting: int


def states_in(folder: Path) -> list[State]:
    """Every webhook that was ever in the file of a run, by name."""
    if not (folder / FILE).exists():
        return []
    outbox, cursors = Outbox(folder), Cursors(folder)
    try:
        muted = muted_in(outbox.database)
        return [State(each, outbox.waiting(max(each.n, muted), tuple(each.kinds.split(",")))) for each in cursors.all()]
    finally:
        outbox.close()
        cursors.close()
