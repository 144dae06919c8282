"""Which rows of a stream a measure reads: the `where` of a selector as one generated list comprehension."""

from collections.abc import Callable, Sequence

from pipeline.conditions import OPERATIONS, Scope, holds
from pipeline.layout import ABSENT, TEXT_MASK, Layout
from rules.catalogue import Field
from rules.rule import Comparator, Condition

# (rows, first, end, number of each text of this `where` for the borrower) -> where the matching rows begin
Picker = Callable[[Sequence[int], int, int, Sequence[int]], Sequence[int]]
Scale = Callable[[Field], int]


def picker_of(layout: Layout, where: Condition | None, scale: Scale) -> tuple[Picker, tuple[str, ...]]:
    """The picker of a `where`, and the texts it compares with."""
    if where is None:
        width = layout.width
        return (lambda rows, first, end, codes: range(first, end, width)), ()
    texts: list[str] = []

    def column(name: str) -> str:
        return f"rows[i + {layout.columns[name].offset}]"

    def exact(name: str) -> tuple[str, int]:
        return f"(NAN if {column(name)} == ABSENT else {column(name)})", scale(layout.kind.fields[name])

    def text(name: str, comparator: Comparator, value: str) -> str:
        if value not in texts:
            texts.append(value)
        code = f"({column(name)} >> {layout.columns[name].shift} & {TEXT_MASK})"
        wanted = f"codes[{texts.index(value)}]"
        return f"{code} == {wanted}" if comparator == "==" else f"(0 != {code} != {wanted})"

    scope = Scope(
        exact=exact,
        at_least=lambda name: exact(name)[0],
        truth=lambda name, value: f"{column(name)} == {int(value)}",
        text=text,
    )
    code = holds(where, scope)
    source = f"lambda rows, first, end, codes: [i for i in range(first, end, {layout.width}) if {code}]"
    names = {"ABSENT": ABSENT, "NAN": float("nan"), **OPERATIONS, "__builtins__": {"range": range}}
    return eval(source, names), tuple(texts)
