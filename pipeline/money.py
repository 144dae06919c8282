"""Amounts in other currencies: what a rule measures is in the reporting currency, the ledger runs in the loan's own."""

from typing import Any

import msgspec

from pipeline.decode import Refusal
from pipeline.events import Event, digits

PPM = 1_000_000


def converted(amount: int, currency: str, into: str, rates: dict[str, int], reporting: str) -> int | None:
    """An amount of minor units in another currency, halves away from zero; None without a rate.

    Rates are parts per million of one unit of the reporting currency for one unit of a currency.

    >>> converted(10_000, "USD", "CNY", {"USD": 7_200_000}, "CNY")
    72000
    """
    if currency == into:
        return amount
    rate = PPM if currency == reporting else rates.get(currency)
    other = PPM if into == reporting else rates.get(into)
    if not rate or not other:
        return None
    return _divided(amount * rate * 10 ** digits(into), other * 10 ** digits(currency))


def _divided(a: int, b: int) -> int:
    """A division rounded to the nearest whole, halves away from zero."""
    rounded = (2 * abs(a) + b) // (2 * b)
    return rounded if a >= 0 else -rounded


def in_reporting_currency(event: Event, reporting: str, rates: dict[str, int]) -> Event:
    """The event with every amount in the reporting currency.

    `base_amount_minor` is the event's amount (its first one, where it has no `amount_minor`) in the reporting currency;
    with it the event brings its own rate for its other amounts, too. Raises Refusal
    (bad_field) for a foreign amount without any rate.
    """
    own = getattr(event, "currency", None)
    if own is None or own == reporting:
        return event
    base, amounts = getattr(event, "base_amount_minor", None), amounts_of(event)
    amount = amounts.get("amount_minor", next(iter(amounts.values()), 0))
    if base is not None and amount:
        changed = {
            name: _divided(value * base * (1 if amount > 0 else -1), abs(amount)) for name, value in amounts.items()
        }
        return msgspec.structs.replace(event, **changed)
    return in_currency(event, own, reporting, rates, reporting)


def in_currency(event: Event, own: str, wanted: str, rates: dict[str, int], reporting: str) -> Event:
    """The event with every amount in a wanted currency; raises Refusal (bad_field) without a rate."""
    if own == wanted:
        return event
    changed = {}
    for name, value in amounts_of(event).items():
        amount = converted(value, own, wanted, rates, reporting)
        if amount is None:
            why = f"{name}: expected base_amount_minor or a published rate from {own} to {wanted}, got neither"
            raise Refusal("bad_field", f"{why}; send fx.published first")
        changed[name] = amount
    return msgspec.structs.replace(event, **changed) if changed else event


def amounts_of(event: Any) -> dict[str, int]:
    """The amounts that an event holds, by name, in the order of its fields."""
    return {
        name: value
        for name in event.__struct_fields__
        if name.endswith("_minor") and name != "base_amount_minor" and (value := getattr(event, name)) is not None
    }
