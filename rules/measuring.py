"""What a named measure means: its verb, the events it reads, and whether memory can answer it."""

import keyword
import re
from dataclasses import dataclass, replace
from typing import cast, get_args

from rules.catalogue import Catalogue, Field, Kind
from rules.conditions import FIGURE, MACRO, ConditionFaults, parse_where, where_faults
from rules.faults import one_of, shown, suggestion
from rules.language import MeasureFile
from rules.notes import Notes
from rules.parts import Parts
from rules.reach import check_reach
from rules.rule import WINDOWS, FaultyMeasure, Measure, Per, Selector, Verb
from rules.yaml_text import Path

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SELECTOR = re.compile(r"(\S+)(?:\s+where\s+(.*))?", re.DOTALL)
NUMERIC = ("amount", "share", "days", "count", "number")
OPTIONS = ("from", "over", "ending", "within", "of", "across")


@dataclass(frozen=True)
class Form:
    """What a verb needs beside itself, and what else it may have."""

    needs: tuple[str, ...]
    may: tuple[str, ...]


_FACT = Form(("from", "over"), ("ending", "of", "across"))
FORMS: dict[Verb, Form] = {
    "count": Form(("over",), ("ending", "of")),
    "days_since": Form((), ("over", "ending", "of")),
    "sum": Form(("from", "over"), ("ending", "of")),
    "average": _FACT,
    "min": _FACT,
    "max": _FACT,
    "distinct": Form(("from", "over"), ("ending", "of")),
    "latest": Form(("from",), ("over", "ending", "of", "across")),
    "sequence": Form(("within",), ("of",)),
    "now": Form((), ("of", "across")),
}


@dataclass(frozen=True)
class Reading:
    """One measure while it is read: where it stands, and against what it is checked."""

    path: Path
    per: Per | None  # None: the file does not say it rightly
    catalogue: Catalogue
    note: Notes
    parts: Parts

    def has(self, *place: str | int) -> bool:
        """Whether what stands at a place of the measure is sound."""
        return self.parts.has(*self.path, *place)

    def gives(self, word: str) -> bool:
        """Whether a verb or an option is written, soundly or not."""
        written = self.note.document.data[self.path[0]][self.path[1]]
        return isinstance(written, dict) and written.get(word) is not None

    def means(self, word: str) -> bool:
        """Whether a verb or an option is written, perhaps under a misspelt name."""
        return self.gives(word) or not self.has(word)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the measure is other than it was written."""
        return not any(path[: len(self.path)] == self.path for path in self.parts.spoiled)


def read_measure(name: str, file: MeasureFile, reading: Reading) -> Measure | FaultyMeasure:
    """The measure, or what is known of it when it was noted that it cannot be one."""
    before = len(reading.note.faults)
    if not _is_name(name):
        example = "such as 'missed' or 'salary_before'"
        reading.note(reading.path, f"expected a name of small letters, digits and _ {example}, got {shown(name)}")
    if not reading.has():
        return FaultyMeasure()
    verb = _verb(reading)
    _check_options(verb, reading)
    measure = _now(name, file, reading) if verb == "now" else _over_events(name, verb, file, reading)
    if measure is not None and reading.is_whole and len(reading.note.faults) == before:
        return measure
    if verb is None:
        return FaultyMeasure()
    return FaultyMeasure(verb, frozenset(each for each in WINDOWS if reading.means(each) or each in FORMS[verb].needs))


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name) and name != MACRO


def macro_measure(name: str) -> Measure:
    """A published figure named in a condition: a measure without a line of its own.

    >>> macro_measure("macro.unemployment").what
    'unemployment'
    """
    return Measure(name=name, verb="macro", what=name.removeprefix(f"{MACRO}."))


def _verb(reading: Reading) -> Verb | None:
    found = [verb for verb in FORMS if reading.gives(verb)] or [verb for verb in FORMS if reading.means(verb)]
    if len(found) == 1:
        return found[0]
    got = " and ".join(found) if found else "none"
    reading.note(reading.path, f"expected exactly one of {one_of(list(FORMS))}, got {got}")
    return None


def _check_options(verb: Verb | None, reading: Reading) -> None:
    form = Form((), OPTIONS) if verb is None else FORMS[verb]
    for option in form.needs:
        if not reading.means(option):
            reading.note(reading.path, f"{verb!r} needs {option!r}")
    for option in OPTIONS:
        if not reading.gives(option):
            continue
        if option not in form.needs + form.may:
            hint = f"; name the event in {verb!r}" if option == "from" and verb in ("count", "days_since") else ""
            reading.note((*reading.path, option), f"{verb!r} takes no {option!r}{hint}")
        elif option == "ending" and not reading.means("over") and "over" not in form.needs:
            reading.note(reading.path, "'ending' needs 'over'")


# -- facts of the ledger ----------------------------------------------------


def _now(name: str, file: MeasureFile, reading: Reading) -> Measure | None:
    what = file.now
    if what is None:
        return None
    if what.startswith(f"{MACRO}."):
        figure = what.removeprefix(f"{MACRO}.")
        if not FIGURE.fullmatch(figure):
            reading.note((*reading.path, "now"), f"expected a figure such as 'macro.unemployment', got {shown(what)}")
        for option in ("of", "across"):
            if reading.gives(option):
                reading.note((*reading.path, option), f"a published figure takes no {option!r}")
        return replace(macro_measure(what), name=name)
    fact = reading.catalogue.facts.get(what)
    if reading.per == "account_id" and not reading.means("of"):
        reading.note(reading.path, f"{what!r} is a fact of loans; under account_id it needs 'of: borrower'")
    elif reading.gives("across") and not _is_of_borrower(reading):
        reading.note((*reading.path, "across"), "one loan has nothing to look across; add 'of: borrower', or delete it")
    if fact is None:
        reading.note((*reading.path, "now"), f"no fact named {shown(what)}{suggestion(what, reading.catalogue.facts)}")
        return None
    _check_worst(file, fact, reading)
    return Measure(name=name, verb="now", what=what, of_borrower=file.of is not None, across=file.across)


# -- events -----------------------------------------------------------------


def _over_events(name: str, verb: Verb | None, file: MeasureFile, reading: Reading) -> Measure | None:
    texts = _selector_texts(verb, file, reading)
    read = [(place, *_selector(text, place, reading)) for place, text in texts]
    if verb is None:
        return None
    if verb == "sequence" and file.sequence is not None and len(file.sequence) < 2:
        reading.note((*reading.path, "sequence"), f"expected at least two steps, got {len(file.sequence)}")
    kinds = [kind for _, _, kind in read if kind is not None]
    for place, _, kind in read:
        if kind is not None:
            _check_key(kind, reading, place)
    what: str | None = None if verb in ("count", "days_since", "sequence") else getattr(file, verb)
    field = _field(verb, what, kinds[0], reading) if kinds and what is not None else None
    if verb in ("latest", "average", "min", "max") and kinds:
        _check_across(verb, file, kinds[0], field, reading)
    measure = Measure(
        name=name,
        verb=verb,
        what=None if field is None else field.name,
        select=tuple(Selector("") if selector is None else selector for _, selector, _ in read),
        over=file.over,
        ending=file.ending,
        within=file.within,
        of_borrower=file.of is not None,
        across=file.across,
    )
    spans = [each for each in (*WINDOWS, "ending") if reading.means(each) or each in FORMS[verb].needs]
    if kinds and all(getattr(file, each) is not None for each in spans):
        # A field that is not known may be the one that daily totals answer.
        asked = replace(measure, what="amount") if field is None and verb in ("sum", "average") else measure
        check_reach(asked, kinds, reading.path, reading.note)
    return measure if len(kinds) == len(texts) > 0 else None


def _selector_texts(verb: Verb | None, file: MeasureFile, reading: Reading) -> list[tuple[Path, str]]:
    """The sound selectors of a measure as written, by their place inside it; all of them while the verb is open."""
    found: list[tuple[Path, str]] = []
    if verb in (None, "sequence"):
        steps = enumerate(file.sequence or ())
        found += [(("sequence", i), step) for i, step in steps if reading.has("sequence", i)]
    for word in ("count", "days_since"):
        if verb in (None, word) and (event := getattr(file, word)) is not None:
            found.append(((word,), event))
    if verb not in ("count", "days_since", "sequence") and file.source is not None:
        found.append((("from",), file.source))
    return found


def _selector(text: str, place: Path, reading: Reading) -> tuple[Selector | None, Kind | None]:
    path = (*reading.path, *place)
    found = _SELECTOR.fullmatch(text.strip())
    if found is None:
        reading.note(path, f"expected an event such as 'repayment.missed', perhaps with 'where', got {shown(text)}")
        return None, None
    event, where = found[1], found[2]
    kind = kind_of(event, reading.catalogue)
    if kind is None:
        reading.note(path, no_event(event, reading.catalogue))
        fields = frozenset(name for each in reading.catalogue.events.values() for name in each.fields)
        for message in where_faults(where, fields) if where is not None else ():
            reading.note(path, message)
        return None, None
    if where is None:
        return Selector(event), kind
    try:
        return Selector(event, parse_where(where, kind)), kind
    except ConditionFaults as faults:
        for message in faults.messages:
            reading.note(path, message)
        return None, kind


def kind_of(event: str, catalogue: Catalogue) -> Kind | None:
    """The kind of an event by its name; every `model.NAME` is one.

    >>> empty = Catalogue({}, {}, Kind("model", "model", None, {}, 400))
    >>> kind_of("model.payment_stress", empty).feed, kind_of("model.", empty)
    ('model.payment_stress', None)
    """
    prefix, _, name = event.partition(".")
    if prefix == "model" and FIGURE.fullmatch(name):
        return replace(catalogue.model, name=event, feed=event)
    return catalogue.events.get(event)


def no_event(event: str, catalogue: Catalogue) -> str:
    """The sentence about an event that does not exist."""
    return f"no event named {shown(event)}{suggestion(event, catalogue.events)}"


def _field(verb: Verb, name: str, kind: Kind, reading: Reading) -> Field | None:
    field = kind.fields.get(name)
    if field is None:
        reading.note((*reading.path, verb), f"{kind.name!r} has no field {shown(name)}{suggestion(name, kind.fields)}")
        return None
    if verb != "distinct" and field.unit not in NUMERIC:
        numbers = [each.name for each in kind.fields.values() if each.unit in NUMERIC]
        hint = f"; numbers are {', '.join(numbers)}" if numbers else "; count its events instead"
        reading.note((*reading.path, verb), f"{verb!r} needs a number, and {name!r} is a {field.unit}{hint}")
        return None
    return field


def _check_key(kind: Kind, reading: Reading, place: Path) -> None:
    if reading.per in (None, "borrower_id") or reading.means("of") or kind.key == reading.per:
        return
    whose = cast(str, reading.per).removesuffix("_id")
    reading.note(
        (*reading.path, *place), f"{kind.name!r} names no {whose}; under {reading.per} it needs 'of: borrower'"
    )


def _check_across(verb: Verb, file: MeasureFile, kind: Kind, field: Field | None, reading: Reading) -> None:
    if reading.per is None:
        return
    if not _is_of_borrower(reading) or kind.key is None:
        if reading.gives("across"):
            what = f"{kind.name!r} is of the borrower" if kind.key is None else f"it is of one {_thing(kind)}"
            reading.note((*reading.path, "across"), f"{what}, so there is nothing to look across; delete it")
        return
    if not reading.means("across"):
        several = f"two {_thing(kind)}s must not overwrite each other"
        reading.note(reading.path, f"{verb!r} of {kind.name!r} needs 'across: worst', 'sum' or 'average'; {several}")
    elif field is not None:
        _check_worst(file, field, reading)


def _check_worst(file: MeasureFile, field: Field, reading: Reading) -> None:
    if file.across == "worst" and field.worse is None:
        known = "the catalogue does not say which end of it is worse"
        reading.note((*reading.path, "across"), f"expected sum or average for {field.name!r}, got 'worst'; {known}")


def _is_of_borrower(reading: Reading) -> bool:
    return reading.per in (None, "borrower_id") or reading.means("of")


def _thing(kind: Kind) -> str:
    return (kind.key or "").removesuffix("_id")


assert set(FORMS) | {MACRO} == set(get_args(Verb))
