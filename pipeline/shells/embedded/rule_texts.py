"""The texts of rules that ever decided on a data directory: an old alert is explained by the rule that it came of."""

import sqlite3
from dataclasses import replace

import msgspec

from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.shells.kept import KeptRule, kept_rules, loaded, of_shelves
from rules.rule import Shelf

_NAME = "rules "  # and the hash of a shelf


def keep_rules(database: sqlite3.Connection, shelf: CompiledShelf) -> None:
    """Keep the texts of a shelf, inside a transaction; where it has them by that hash, only newer words change."""
    database.execute(_KEEP, (_NAME + shelf.hash, msgspec.json.encode(kept_rules(shelf))))


def are_kept(database: sqlite3.Connection, shelf: CompiledShelf) -> bool:
    """Whether the texts of a shelf are kept, to the word."""
    return _texts_of(database, shelf.hash) == msgspec.json.encode(kept_rules(shelf))


def shelf_kept(database: sqlite3.Connection, hash_: str, terms: BankTerms) -> CompiledShelf:
    """A shelf that decided once, out of its texts: its files may be gone."""
    texts = _texts_of(database, hash_)
    assert texts is not None
    rules = tuple(replace(loaded(each), version=each.version) for each in _RULES.decode(texts))
    return compile_shelf(Shelf(rules=rules, hash=hash_), terms)


def _texts_of(database: sqlite3.Connection, hash_: str) -> bytes | None:
    row = database.execute("select value from meta where name = ?", (_NAME + hash_,)).fetchone()
    return None if row is None else bytes(row[0])


def rules_in(database: sqlite3.Connection) -> list[KeptRule]:
    """The rules of every shelf that decided, each with the shelves it was in, the newest last."""
    rows = database.execute(_ALL, (_NAME + "%",)).fetchall()
    return of_shelves({name.removeprefix(_NAME): _RULES.decode(texts) for name, texts in rows})


_KEEP = "insert or replace into meta values (?, ?)"
_ALL = "select name, value from meta where name like ?"
_RULES = msgspec.json.Decoder(list[KeptRule])
