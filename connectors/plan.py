"""A mapping bound to the header of one file: functions from a row to the events it gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from connectors.bind import Binder
from connectors.cells import Row
from connectors.exact import EXACT
from connectors.mapping import Emission, Group, Heading, MappingError, Reading
from connectors.mapping_checks import TYPES, is_control, sorts_of
from connectors.values import Requirement, Value
from pipeline.events import FEED_OF_CLASS, rank_of
from rules.faults import suggestion

HALF = Decimal("0.5")


@dataclass
class Money:
    """What became of one column of money on its way into one field of one type of event."""

    event: str
    name: str
    column: int | None  # None: a computed or constant amount, which has no column
    heading: str
    shift: int
    has_floor: bool
    read: Decimal = Decimal(0)  # all rows, in the column's own unit
    used: Decimal = Decimal(0)  # rows that gave such an event
    raised: Decimal = Decimal(0)  # minor units added where a negative amount became 0
    rounding: Decimal = Decimal(0)  # minor units added or taken by rounding
    made: int = 0  # minor units of a computed amount
    rounded_values: int = 0

    def see(self, row: Row) -> None:
        """Count what the row holds, whether it is used or not."""
        amount = None if self.column is None else row.number(self.column)
        if amount is not None:
            self.read = EXACT.add(self.read, amount)

    def use(self, row: Row, amount: int | None) -> None:
        """Count what the event says; a difference that neither rounding nor the floor explains stays a difference."""
        if self.column is None:
            self.made += amount if amount is not None else 0
            return
        exact = row.number(self.column)
        if exact is None:
            return
        self.used = EXACT.add(self.used, exact)
        if amount is None:
            return
        exact = exact.scaleb(self.shift, context=EXACT)
        change = EXACT.subtract(Decimal(amount), exact)
        if self.has_floor and exact < 0:
            self.raised = EXACT.add(self.raised, change)
        elif change and change.copy_abs() <= HALF:
            self.rounding = EXACT.add(self.rounding, change)
            self.rounded_values += 1

    def expected(self) -> Decimal:
        """The sum that the written events must have, in minor units."""
        if self.column is None:
            return Decimal(self.made)
        used = self.used.scaleb(self.shift, context=EXACT)
        return EXACT.add(EXACT.add(used, self.raised), self.rounding)


@dataclass
class Field:
    """One field of an event and how a row fills it; absent values are left out of the event."""

    name: str
    make: Callable[[Row], Any]
    needed: bool
    money: Money | None = None


@dataclass
class Emitter:
    """One event that a row may give."""

    event: str
    rank: int
    clock: str
    is_control: bool
    identity: Callable[[Row], str]
    day: Callable[[Row], date]
    holds: list[Callable[[Row], bool]]
    scope: Literal["row", "first", "once"]
    scope_key: Callable[[Row], tuple[str, ...]]
    fields: list[Field]
    figures: list[Field]
    seen: dict[tuple[str, ...], Any] = field(default_factory=dict)


@dataclass
class Refused:
    """Rows that give no event, and why."""

    because: str
    holds: list[Callable[[Row], bool]]


@dataclass
class Plan:
    """Everything that is asked of each row of one file."""

    terms: Heading
    part: Reading
    row_key: Callable[[Row], tuple[str, ...]]
    borrower: Callable[[Row], str]
    refused: list[Refused]
    emitters: list[Emitter]
    money: list[Money]


def bind(
    terms: Heading, part: Reading, header: list[str], *, file: str, missing: dict[str, None] | None = None
) -> Plan:
    """The plan for a file with this header; every column that is missing, here or in `missing`, is named at once."""
    binder = Binder(header, terms, missing=missing)
    emitters = [_emitter(each, part, binder, None) for each in part.events]
    if part.repeat is not None:
        for group in part.repeat.groups:
            in_group = Binder(header, terms, group=group, missing=binder.missing)
            emitters += [_emitter(each, part, in_group, group) for each in part.repeat.events]
    plan = Plan(
        terms=terms,
        part=part,
        row_key=binder.key(part.row_key),
        borrower=binder.template(part.borrower_id or "", what="borrower_id") if emitters else _nobody,
        refused=[Refused(each.because, _requirements(each.when, binder)) for each in part.refused],
        emitters=emitters,
        money=[f.money for each in emitters for f in each.fields if f.money is not None],
    )
    if binder.missing:
        names = ", ".join(f"'{name}'" for name in binder.missing)
        hint = suggestion(next(iter(binder.missing)), header)
        raise MappingError(f"{file}: expected the columns of mapping {terms.mapping}, {names} not there{hint}")
    return plan


def _nobody(row: Row) -> str:
    return ""


def _requirements(when: dict[str, Requirement], binder: Binder) -> list[Callable[[Row], bool]]:
    return [binder.requirement(name, each) for name, each in when.items()]


def _emitter(emission: Emission, part: Reading, binder: Binder, group: Group | None) -> Emitter:
    written = emission.dated if emission.dated is not None else part.dated if group is None else None
    day = binder.required_date(written, what=emission.event) if written is not None else _dated(group)
    sorts = sorts_of(emission.event)
    fields = []
    for name, value in emission.fields.items():
        sort, needed = sorts[name]
        make = day if value.form == "same_as" else binder.value(value, sort, name)
        money = _money(emission.event, name, value, binder) if sort == "money" else None
        fields.append(Field(name, make, needed, money))
    scoped = emission.first_of or emission.once_per
    return Emitter(
        event=emission.event,
        rank=rank_of(FEED_OF_CLASS[TYPES[emission.event]]),
        clock=emission.at,
        is_control=is_control(emission.event),
        identity=binder.template(emission.id, what=f"id of {emission.event}"),
        day=day,
        holds=_requirements(emission.when, binder),
        scope="first" if emission.first_of else "once" if emission.once_per else "row",
        scope_key=binder.key(scoped),
        fields=fields,
        figures=[Field(name, binder.value(each, "share", name), True) for name, each in emission.figures.items()],
    )


def _dated(group: Group | None) -> Callable[[Row], date]:
    assert group is not None
    day = group.dated
    return lambda row: day


def _money(event: str, name: str, value: Value, binder: Binder) -> Money:
    if value.form not in ("major", "minor"):
        return Money(event, name, None, value.form, 0, value.floor is not None)
    written = value.major or value.minor or ""
    column = binder.column(written)
    shift = binder.digits if value.form == "major" else 0
    return Money(event, name, column, binder.heading(written), shift, value.floor is not None)
