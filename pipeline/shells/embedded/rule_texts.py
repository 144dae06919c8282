"""The texts of rules that ever decided on a data directory: an old alert is explained by the rule that it came of."""

import sqlite3

import msgspec

from pipeline.shelf import CompiledShelf
from pipeline.shells.kept import KeptRule, kept_rules, of_shelves

_NAME = "rules "  # and the hash of a shelf


def keep_rules(database: sqlite3.Connection, shelf: CompiledShelf) -> None:
    """Keep the texts of a shelf, inside a transaction; where it has them by that hash, only newer words change."""
    database.execute(_KEEP, (_NAME + shelf.hash, msgspec.json.encode(kept_rules(shelf))))


def rules_in(database: sqlite3.Connection) -> list[KeptRule]:
    """The rules of every shelf that decided, each with the shelves it was in, the newest last."""
    rows = database.execute(_ALL, (_NAME + "%",)).fetchall()
    return of_shelves({name.removeprefix(_NAME): _RULES.decode(texts) for name, texts in rows})


_KEEP = "insert or replace into meta values (?, ?)"
_ALL = "select name, value from meta where name like ?"
_RULES = msgspec.json.Decoder(list[KeptRule])
