"""The cases of a rule file: each given line checked against the catalogue, each expected alert against the rule."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from rules.catalogue import IDS, Catalogue, Field, Kind, Unit
from rules.faults import nearest, one_of, shown, suggestion
from rules.language import CaseFile
from rules.measuring import kind_of, no_event
from rules.notes import Notes
from rules.parts import Parts
from rules.rule import SEVERITIES, Case, Expected, Severity
from rules.yaml_text import Path

LAST_DAY = 3_650
LARGEST = 1_000_000_000_000  # of any number in a case; in minor units or parts per million it still fits into memory
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_OF_THE_LINE = ("day", "event")


def read_case(
    file: CaseFile, path: Path, severities: frozenset[Severity] | None, catalogue: Catalogue, note: Notes, parts: Parts
) -> Case:
    """The case; what is wrong with it is noted. `severities` are those that the rule can say, None when not known."""
    for i, given in enumerate(file.given):
        if parts.has(*path, "given", i):
            _check_given(given, (*path, "given", i), catalogue, note)
    for i, expected in enumerate(file.expect):
        at = (*path, "expect", i)
        _check_day(expected.day, (*at, "day"), note)
        if severities is not None and expected.alert != "closed" and expected.alert not in severities:
            possible = [each for each in SEVERITIES if each in severities]
            note((*at, "alert"), f"this rule never says {expected.alert!r}; expected {one_of([*possible, 'closed'])}")
    _check_feeds(file, path, catalogue, note)
    return Case(
        name=file.name,
        given=tuple(file.given),
        expect=tuple(Expected(each.day, each.alert, each.say) for each in file.expect),
        missing={feed: tuple(days) for feed, days in file.missing.items()},
        known_from=dict(file.known_from),
        line=note.document.where(path)[0],
    )


def _check_given(given: dict[str, Any], path: Path, catalogue: Catalogue, note: Notes) -> None:
    event = given.get("event")
    kind = kind_of(event, catalogue) if isinstance(event, str) else None
    words = [*_OF_THE_LINE, *IDS] if kind is None else [*kind.fields, *_OF_THE_LINE, *kind.ids]
    means = {name: nearest(name, words) for name in given if name not in (*words, *IDS)}
    if "day" in given:
        _check_day(given["day"], (*path, "day"), note)
    elif "day" not in means.values():
        note(path, "day is missing: the day on which it happens, counted from 0")
    if event is None and "event" not in means.values():
        note(path, "event is missing: what happens, such as repayment.missed")
    elif event is not None and kind is None:
        note((*path, "event"), no_event(event, catalogue) if isinstance(event, str) else _not("an event", event))
    for name, value in given.items():
        if name in IDS:
            _check_id(name, value, kind, (*path, name), note)
        elif kind is not None and name in kind.fields:
            _check_value(kind.fields[name], value, (*path, name), note)
        elif kind is not None and name in means:
            note((*path, name), f"{event!r} has no field {shown(name)}{suggestion(name, words)}")
        elif means.get(name) in _OF_THE_LINE:
            note((*path, name), f"no such field{suggestion(name, words)}")


def _check_id(name: str, value: Any, kind: Kind | None, path: Path, note: Notes) -> None:
    if kind is not None and name not in kind.ids:
        note(path, f"expected an id of {kind.name!r} ({one_of(kind.ids)}), got {name}; delete it")
    elif not isinstance(value, str) or not _ID.fullmatch(value):
        note(path, _not("an id of letters, digits and . _ : -", value))


def _check_day(value: Any, path: Path, note: Notes) -> None:
    if not _is_whole(value) or not 0 <= value <= LAST_DAY:
        note(path, _not(f"a day from 0 to {LAST_DAY}", value))


def _check_value(field: Field, value: Any, path: Path, note: Notes) -> None:
    expected, is_right = _VALUES[field.unit]
    if not is_right(value):
        note(path, _not(expected, value))
    elif _is_number(value) and abs(value) > LARGEST:
        note(path, _not(f"a number from {-LARGEST} to {LARGEST}", value))


def _check_feeds(file: CaseFile, path: Path, catalogue: Catalogue, note: Notes) -> None:
    feeds = sorted({kind.feed for kind in catalogue.events.values()})
    for option, by_feed in (("missing", file.missing), ("known_from", file.known_from)):
        for feed, days in by_feed.items():
            if feed not in feeds and (not feed.startswith("model.") or kind_of(feed, catalogue) is None):
                note((*path, option, feed), f"no feed named {shown(feed)}{suggestion(feed, feeds)}")
            for day in days if isinstance(days, list) else ():
                _check_day(day, (*path, option, feed), note)


def _not(expected: str, value: Any) -> str:
    return f"expected {expected}, got {shown(value)}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, Decimal)


def _is_date(value: Any) -> bool:
    # A whole number is a day of the case.
    if not isinstance(value, str):
        return _is_whole(value) and 0 <= value <= LAST_DAY
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_VALUES: dict[Unit, tuple[str, Callable[[Any], bool]]] = {
    "amount": ("an amount in whole currency units such as 200 or 199.50", _is_number),
    "share": ("a share such as 0.85", _is_number),
    "days": ("a whole number of days", _is_whole),
    "count": ("a whole number", _is_whole),
    "number": ("a whole number", _is_whole),
    "text": ("a text", lambda value: isinstance(value, str) and value != ""),
    "date": ("a day of the case such as 5, or a date such as 2025-03-01", _is_date),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
}
