"""Which rules an engine decides by: those it was started with, until others are published while it runs."""

import msgspec

from pipeline.events import Event, ShelfPublished
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.borrowers import Kept
from pipeline.shells.embedded.disk import Halted
from pipeline.shells.embedded.in_force import bundle_at_close
from pipeline.shells.embedded.rule_texts import are_kept, keep_rules, shelf_kept
from pipeline.shells.embedded.standing import Adopted, Ran, Standing, ran_in, standing_in
from pipeline.shells.embedded.store import Store
from pipeline.shells.publishing.shelves import REGISTER, Shelves, Unloadable


class Adopting:
    """The shelves of a data directory; what is written goes into the transaction of the batch."""

    def __init__(self, started: CompiledShelf, store: Store, borrowers: Kept) -> None:
        self._started = started
        self._store, self._borrowers = store, borrowers
        self._shelves = Shelves(store.folder / REGISTER, started.terms)

    def shelf_of(self, bundle: str) -> CompiledShelf:
        """A published shelf, or with "" what the engine was started with; Unloadable where there is none."""
        return self._shelves.compiled(bundle) if bundle else self._started

    def begun(self, ran: Ran, shelf: CompiledShelf) -> Ran:
        """Note with what the engine runs from now on; nobody sleeps on where it decides otherwise than before."""
        ran = msgspec.structs.replace(ran, shelf=shelf.hash)
        before, database = ran_in(self._store.database), self._store.database
        if before != ran or not are_kept(database, shelf):
            with self._store.transaction():
                if before is None or before.decides != ran.decides:
                    self._borrowers.wake_all()
                keep_rules(database, shelf)
                self._store.write("ran", msgspec.json.encode(ran))
        self._started = self._first(standing_in(database))
        return ran

    def _first(self, standing: Standing) -> CompiledShelf:
        """What the engine ran with before anything was published, as long as the last close was judged by it."""
        database = self._store.database
        if not standing.shelves or bundle_at_close(database, standing):
            return self._started
        return shelf_kept(database, standing.shelves[0].shelf, self._started.terms)

    def refusal(self, event: Event) -> str | None:
        """Why a sender may not say so: a shelf is said to be in force that never was, or cannot be loaded."""
        if isinstance(event, ShelfPublished):
            try:
                self._shelves.compiled(event.hash)
                self._shelves.refuse_no_step(event.id, event.hash)
            except Unloadable as error:
                return str(error)
        return None

    def put_in_force(self, bundle: str, standing: Standing, ran: Ran) -> CompiledShelf:
        """Take a published shelf up; Halted where it cannot be loaded, so that nothing is decided by other rules."""
        try:
            shelf = self._shelves.compiled(bundle)
        except Unloadable as error:
            raise Halted(f"{error}; nothing is taken in until the engine is started again") from None
        if not standing.shelves:
            standing.shelves.append(Adopted(0, "", ran.shelf))
        standing.shelves.append(Adopted(standing.lines, bundle, shelf.hash))
        self._borrowers.flush()  # first: it notes who sleeps
        self._borrowers.wake_all()
        self._store.write("ran", msgspec.json.encode(msgspec.structs.replace(ran, shelf=shelf.hash)))
        keep_rules(self._store.database, shelf)
        return shelf
