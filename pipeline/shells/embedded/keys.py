"""API keys: who may ask for what. Only hashes are kept; a key itself is shown once, when it is made."""

import os
import secrets
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pipeline.shells.publishing.register import is_name

Scope = Literal["ingest", "read", "author", "approve", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
HASHED, PERSON = "sha256:", "person="
KEYS = "keys"  # the file of an engine that was given none


class KeyFileError(Exception):
    """A file of keys that cannot be used, in one sentence with its line."""


class Grant(NamedTuple):
    """What a key allows, the last date on which it does, and whose it is: what two persons do needs one each."""

    scopes: frozenset[str]
    until: date | None
    person: str | None = None


class Keys:
    """The grants by the hash of their key."""

    def __init__(self, grants: dict[str, Grant]) -> None:
        self._grants = grants

    def grant(self, key: str, today: date) -> Grant | None:
        """What a key allows today; None for one that is unknown or has expired."""
        grant = self._grants.get(_hash(key))
        if grant is None or (grant.until is not None and grant.until < today):
            return None
        return grant


def read_keys(file: Path) -> Keys:
    """Keys from lines `key scope,scope [last date] [person=NAME]`; a key may stand as `sha256:` and its hash in hex."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{file}: expected a file of keys, got none that can be read ({error})") from None
    grants = {}
    for number, line in enumerate(lines, 1):
        words = line.split("#", 1)[0].split()
        if words:
            key, grant = _grant(words, f"{file}, line {number}")
            grants[key] = grant
    if not grants:
        raise KeyFileError(f"{file}: expected lines such as 'KEY ingest,read', got none; write one key a line")
    return Keys(grants)


def _grant(words: list[str], place: str) -> tuple[str, Grant]:
    form = "'KEY scope,scope [last date] [person=NAME]'"
    person = words.pop().removeprefix(PERSON) if len(words) > 2 and words[-1].startswith(PERSON) else None
    if len(words) not in (2, 3):
        raise KeyFileError(f"{place}: expected {form}, got {len(words)} words before the person; see the manual")
    if person is not None and not is_name(person):
        raise KeyFileError(f"{place}: expected a person of letters, digits and . _ @ -, got {person!r}; correct it")
    scopes = frozenset(words[1].split(","))
    strange = sorted(scopes - set(SCOPES))
    if strange:
        raise KeyFileError(f"{place}: expected scopes of {', '.join(SCOPES)}, got {strange[0]!r}; correct it")
    try:
        until = date.fromisoformat(words[2]) if len(words) == 3 else None
    except ValueError:
        raise KeyFileError(f"{place}: expected a last date such as 2026-12-31, got {words[2]!r}; correct it") from None
    key = words[0].removeprefix(HASHED) if words[0].startswith(HASHED) else _hash(words[0])
    return key, Grant(scopes, until, person)


def fresh_key() -> str:
    """A new key."""
    return secrets.token_urlsafe(24)


def own_key(folder: Path) -> str | None:
    """A new key with every scope, where a data directory has no file of keys yet; the file keeps its hash."""
    file = folder / KEYS
    if file.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    key = fresh_key()
    draft = file.with_suffix(".draft")
    draft.touch(0o600)
    draft.write_text(hashed_line(key, SCOPES))
    os.replace(draft, file)  # whole or not at all
    return key


def hashed_line(key: str, scopes: Sequence[Scope], *, person: str | None = None, until: date | None = None) -> str:
    """The line of a key for a file, without the key itself."""
    last = "" if until is None else f" {until}"
    whose = "" if person is None else f" {PERSON}{person}"
    return f"{HASHED}{_hash(key)} {','.join(scopes)}{last}{whose}\n"


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
