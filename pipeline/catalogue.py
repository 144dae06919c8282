"""What a rule may read of the events, made from their classes, and the facts of the ledger."""

from typing import Any, cast

from msgspec import inspect

from pipeline.fields import MAX_MONEY, PPM
from rules.catalogue import IDS, Catalogue, Field, Key, Kind, Unit, Worse

KEPT_DAYS = 400
MOVEMENT_DAYS = 100  # Account credits and debits are many: one by one for these days,
MOVEMENT_TOTALS_DAYS = 800  # and as daily totals by category until then.
MOVEMENTS = frozenset({"account.credit", "account.debit"})

# What every event has says who, when and in which currency; a rule gets at it by `per` and by windows.
_COMMON = frozenset({"id", "source", "at", "borrower_id", "currency", "business_date", "base_amount_minor"})
# Names of single things and people. A rule asks what kind of thing happened, and they would fill a borrower's memory.
_NAMES = frozenset(
    {"account_id", "alert_id", "approved_by", "by", "episode", "loan_id", "model", "promise_id", "reverses", "task_id"}
)
_SUFFIXES: dict[str, Unit] = {"_minor": "amount", "_ppm": "share"}

FACTS: dict[str, Field] = {
    fact.name: fact
    for fact in (
        Field("days_past_due", "days", "high", least=0),
        Field("arrears", "amount", "high", least=0),
        Field("exposure", "amount", "high", least=0),
        Field("outstanding", "amount", "high", least=0),
        Field("open_loans", "count", "high", least=0),
        Field("instalments_missed", "count", "high", least=0),
        Field("instalments_left", "count", least=0),
        Field("material_days", "days", "high", least=0),
        Field("collateral_value", "amount", "low", least=0),
        Field("rate", "share", "high"),
    )
}


def rule_name(wire_name: str) -> str:
    """The name that a rule uses for a field: the suffix of the unit falls away.

    >>> rule_name("amount_minor"), rule_name("used_share_ppm"), rule_name("days_past_due")
    ('amount', 'used_share', 'days_past_due')
    """
    for suffix in _SUFFIXES:
        wire_name = wire_name.removesuffix(suffix)
    return wire_name


def bare(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """The type of a field without `| None`, and what its class says beside it."""
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.Metadata):
        return kind.type, kind.extra or {}
    return kind, {}


def fields_of(event_class: type) -> tuple[inspect.Field, ...]:
    """The fields of a class of events."""
    return cast(inspect.StructType, inspect.type_info(event_class)).fields


def attributes_of(event_class: type) -> dict[str, str]:
    """Where a rule's field stands in the event: its name in a rule -> the attribute."""
    return {rule_name(field.encode_name): field.name for field in fields_of(event_class) if _is_for_rules(field)}


def catalogue_of(events: dict[str, tuple[type, str]], *, model: type) -> Catalogue:
    """The table of the rule language, from type -> (class, feed) of each event, and the class of a model's score."""
    return Catalogue(
        events={name: _kind(name, each, feed) for name, (each, feed) in events.items()},
        facts=FACTS,
        model=_kind("model", model, "model"),
    )


def _kind(name: str, event_class: type, feed: str) -> Kind:
    own = {field.encode_name for field in fields_of(event_class)}
    key: Key | None = "loan_id" if "loan_id" in own else "account_id" if "account_id" in own else None
    return Kind(
        name=name,
        feed=feed,
        key=key,
        fields={each.name: each for each in map(_field, filter(_is_for_rules, fields_of(event_class)))},
        kept_days=MOVEMENT_DAYS if name in MOVEMENTS else KEPT_DAYS,
        totals_days=MOVEMENT_TOTALS_DAYS if name in MOVEMENTS else 0,
        ids=tuple(each for each in IDS if each in own),
    )


def _is_for_rules(field: inspect.Field) -> bool:
    kind, _ = bare(field.type)
    is_single = not isinstance(kind, inspect.VarTupleType)
    return is_single and field.encode_name not in _COMMON | _NAMES


def _field(field: inspect.Field) -> Field:
    kind, extra = bare(field.type)
    unit = _unit(field.encode_name, kind, extra)
    least, most = _limits(unit, kind)
    return Field(rule_name(field.encode_name), unit, cast(Worse | None, extra.get("worse")), least, most)


def _limits(unit: Unit, kind: inspect.Type) -> tuple[int | None, int | None]:
    """The ends of a field in the unit of a rule, but for those that only keep numbers within what a reader can hold."""
    if not isinstance(kind, inspect.IntType):
        return None, None
    # An amount above 0 may be 0 once it was turned into another currency.
    least = kind.ge if kind.ge is not None else kind.gt
    is_share = unit == "share"
    most = kind.le // PPM if is_share and kind.le is not None and kind.le < MAX_MONEY else None
    if least is None or least <= -MAX_MONEY:
        return None, most
    return (least // PPM if is_share else least), most


def _unit(wire_name: str, kind: inspect.Type, extra: dict[str, Any]) -> Unit:
    for suffix, unit in _SUFFIXES.items():
        if wire_name.endswith(suffix):
            return unit
    if isinstance(kind, inspect.IntType):
        return cast(Unit, extra["unit"])
    if isinstance(kind, inspect.DateType):
        return "date"
    return "flag" if isinstance(kind, inspect.BoolType) else "text"
