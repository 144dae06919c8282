"""What a measure can be at all, by its verb and by the limits that the catalogue gives to what it reads."""

from dataclasses import replace
from fractions import Fraction

from rules.catalogue import Catalogue, Field
from rules.intervals import ANY, INFINITY, Interval
from rules.measuring import kind_of
from rules.reach import whole_days
from rules.rule import Measure

_WHOLE_UNITS = ("days", "count", "number")
_FROM_ZERO = Interval(Fraction(0), is_whole=True)


def measure_domain(measure: Measure, catalogue: Catalogue) -> Interval:
    """The numbers that a measure may give; a sequence, which is a truth, gives none and is not asked.

    >>> from rules.catalogue import Kind
    >>> from rules.rule import Selector, Span
    >>> of_events = Catalogue({}, {}, Kind("model", "model", None, {}, 400))
    >>> str(measure_domain(Measure("n", "count", None, (Selector("x"),), Span(60, "d")), of_events))
    'a whole number of at least 0'
    >>> str(measure_domain(Measure("n", "days_since", None, (Selector("x"),), Span(60, "d")), of_events))
    'a whole number of at least 0 and at most 59'
    """
    if measure.verb in ("count", "distinct"):
        return _FROM_ZERO
    if measure.verb == "days_since":
        return _days_since(measure)
    field = _field(measure, catalogue)
    if field is None:
        return ANY
    return _of_several(measure, field_domain(field))


def field_domain(field: Field) -> Interval:
    """The numbers that a field of an event, or a fact, may hold, in the unit of a rule."""
    low = -INFINITY if field.least is None else Fraction(field.least)
    high = INFINITY if field.most is None else Fraction(field.most)
    return Interval(low, high, is_whole=field.unit in _WHOLE_UNITS)


def _days_since(measure: Measure) -> Interval:
    # In hours an event counts by its instant and its days by its date, and a bank may give these as it likes.
    if measure.over is not None and measure.over.unit == "h":
        return replace(_FROM_ZERO, low=-INFINITY)
    back = Fraction(whole_days(measure.ending))
    longest = INFINITY if measure.over is None else back + whole_days(measure.over) - 1
    return Interval(back, longest, is_whole=True)


def _field(measure: Measure, catalogue: Catalogue) -> Field | None:
    if measure.verb == "now":
        return catalogue.facts.get(measure.what or "")
    kind = kind_of(measure.select[0].event, catalogue) if measure.select else None
    return None if kind is None else kind.fields.get(measure.what or "")


def _of_several(measure: Measure, one: Interval) -> Interval:
    """The range of several values brought together, of which each lies in a range."""
    if measure.verb == "average" or measure.across == "average":
        one = replace(one, is_whole=False)
    if measure.verb != "sum" and measure.across != "sum":
        return one
    # No event sums up to 0; several sum up to more than one of them.
    return replace(
        one,
        low=(Fraction(0) if measure.verb == "sum" else one.low) if one.low >= 0 else -INFINITY,
        high=INFINITY if one.high > 0 else Fraction(0),
    )
