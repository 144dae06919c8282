"""A rule after it was read and checked: values only, ready to be compiled or explained."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
Status = Literal["draft", "shadow", "live", "retired"]
Per = Literal["borrower_id", "loan_id", "account_id"]
Verb = Literal[
    "count", "days_since", "sum", "average", "min", "max", "distinct", "latest", "sequence", "now", "macro"
]  # fmt: skip
Across = Literal["worst", "sum", "average"]
WARNED = "connected.warned"  # the event that tells of a warning of a connected borrower


@dataclass(frozen=True)
class Number:
    """A literal, exact, in the unit it is written in (`85%` is 0.85)."""

    value: Decimal


@dataclass(frozen=True)
class Text:
    """A quoted text; only in a `where`."""

    value: str


@dataclass(frozen=True)
class Name:
    """The value of a measure in a `when`, of an event's field in a `where`."""

    name: str


@dataclass(frozen=True)
class Negative:
    """Minus an expression."""

    of: "Expression"


@dataclass(frozen=True)
class Arithmetic:
    """Two expressions joined by `+ - * /`."""

    operator: Literal["+", "-", "*", "/"]
    left: "Expression"
    right: "Expression"


Expression = Number | Text | Name | Negative | Arithmetic
Comparator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True)
class Comparison:
    """Two expressions compared; a chain `a < b < c` is read as `a < b and b < c`."""

    comparator: Comparator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Holds:
    """A measure (or field) that is itself true or false: a sequence, a flag."""

    name: str


@dataclass(frozen=True)
class And:
    """All of these."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    """Any of these."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """The opposite."""

    of: "Condition"


Condition = Comparison | Holds | And | Or | Not


@dataclass(frozen=True)
class Span:
    """A length of time as it was written: `36h`, `60d` or `8w`."""

    count: int
    unit: Literal["h", "d", "w"]

    @property
    def days(self) -> int | None:
        """Whole days, or None for a span in hours."""
        return None if self.unit == "h" else self.count * (7 if self.unit == "w" else 1)

    @property
    def milliseconds(self) -> int:
        """The length in milliseconds."""
        return self.count * {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True)
class Selector:
    """The events that a measure reads: a type, perhaps narrowed by `where`."""

    event: str
    where: Condition | None = None


WINDOWS = ("over", "within")


@dataclass(frozen=True)
class Measure:
    """One named measure: a verb over selected events, a fact of the ledger, or a published figure.

    `what` is the field of `sum, average, min, max, distinct, latest`, the fact of `now`, the figure of `macro`.
    """

    name: str
    verb: Verb
    what: str | None = None
    select: tuple[Selector, ...] = ()  # one; several for a sequence; none for now and macro
    over: Span | None = None
    ending: Span | None = None
    within: Span | None = None
    of_borrower: bool = False  # `of: borrower` under per loan or account
    across: Across | None = None

    @property
    def windows(self) -> frozenset[str]:
        """The windows that a message may show."""
        return frozenset(each for each in WINDOWS if getattr(self, each) is not None)


@dataclass(frozen=True)
class FaultyMeasure:
    """What is known of a measure that has a fault of its own, so that its use can be checked all the same."""

    verb: Verb | None = None
    windows: frozenset[str] = frozenset(WINDOWS)  # those that a message may show, once it is mended


@dataclass(frozen=True)
class Task:
    """What collections should do: queue, action and the days to do it in."""

    queue: str
    action: str
    due_in: int


@dataclass(frozen=True)
class Expected:
    """One alert that a case expects."""

    day: int
    alert: str  # a severity, or "closed"
    say: str | None = None


@dataclass(frozen=True)
class Case:
    """One test of a rule: events by day, and every alert that must come of them."""

    name: str
    given: tuple[dict[str, Any], ...]
    expect: tuple[Expected, ...]  # empty: nothing
    missing: dict[str, tuple[int, ...]] = field(default_factory=dict)
    known_from: dict[str, int] = field(default_factory=dict)
    line: int = 1


@dataclass(frozen=True)
class Rule:
    """One rule, whole."""

    rule: str
    title: str
    status: Status
    owner: str
    since: str
    why: str
    per: Per
    measure: dict[str, Measure]
    when: Condition
    severity: Severity
    say: str
    hold: int = 0  # `for`, in days
    quiet: int = 0
    clear_after: int = 0
    escalate: dict[Severity, Condition] = field(default_factory=dict)
    task: Task | None = None
    inhibited_by: tuple[str, ...] = ()
    spreads: tuple[str, ...] = ()
    daily_openings: int | None = None
    challenges: str | None = None
    retired_because: str | None = None
    refs: tuple[str, ...] = ()
    basis: dict[str, Any] = field(default_factory=dict)
    guide: tuple[str, ...] = ()
    false_alarms: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    tests: tuple[Case, ...] = ()
    file: str = ""
    text: str = ""  # the file as it stands, for `forewarn explain`
    version: int = 1  # the lock's counter; 1 without a lock
    hash: str = ""  # sha256 over the deciding fields (rules.md, Meaning)
    shape: str = ""  # sha256 over measure, per and status: a change here closes open episodes (rule_changed)

    @property
    def is_warned(self) -> bool:
        """Whether it reads warnings of connected borrowers; then it sends none, so that none ever spreads twice."""
        return any(each.event == WARNED for measure in self.measure.values() for each in measure.select)


@dataclass(frozen=True)
class Shelf:
    """Every rule that was loaded, sorted by name, with one hash over their names and hashes."""

    rules: tuple[Rule, ...]
    hash: str
