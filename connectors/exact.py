"""Exact decimal arithmetic: no float, and no rounding but the one that is asked for."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow

# Sums, shifts and products of what eight cells may hold (60 characters, exponents of two digits) never reach this
# precision: a result that would be rounded is a fault of ours and raises.
EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation, Overflow])


def half_even(value: Decimal) -> int:
    """The nearest whole number; a half goes to the even neighbour.

    >>> half_even(Decimal("0.5")), half_even(Decimal("1.5")), half_even(Decimal("-2.5"))
    (0, 2, -2)
    """
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN, context=EXACT))


def divided(numerator: Decimal, denominator: Decimal) -> int:
    """The quotient, rounded half to even, without a float or a cut-off expansion on the way.

    >>> divided(Decimal("1"), Decimal("0.4")), divided(Decimal("-10"), Decimal("3"))
    (2, -3)
    """
    top, top_scale = numerator.as_integer_ratio()
    bottom, bottom_scale = denominator.as_integer_ratio()
    top, bottom = top * bottom_scale, bottom * top_scale
    if bottom < 0:
        top, bottom = -top, -bottom
    quotient, rest = divmod(top, bottom)
    if 2 * rest > bottom or (2 * rest == bottom and quotient % 2):
        quotient += 1
    return quotient


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with every digit of it.

    >>> exact_sum([Decimal("1e30"), Decimal("0.001")])
    Decimal('1000000000000000000000000000000.001')
    """
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
