"""The shape of a rule file, field by field; what the fields mean together is checked by the loader."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rules.faults import shown, suggestion
from rules.rule import Across, Per, Severity, Status
from rules.written import Ago, Basis, Date, Days, Prose, Title, Window, Word

Relation = Literal["guarantor", "guaranteed", "group", "spouse", "employer"]


class Written(BaseModel):
    """What a person writes: unknown fields are refused, and 5 is no text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MeasureFile(Written):
    """One named measure: one verb, and where and when it looks."""

    count: str | None = None
    days_since: str | None = None
    sum: str | None = None
    average: str | None = None
    min: str | None = None
    max: str | None = None
    distinct: str | None = None
    latest: str | None = None
    sequence: list[str] | None = None
    now: str | None = None
    source: str | None = Field(None, alias="from")
    over: Window | None = None
    ending: Ago | None = None
    within: Window | None = None
    of: Literal["borrower"] | None = None
    across: Across | None = None


class TaskFile(Written):
    """What collections should do."""

    queue: Word = Field(description="the team that works it")
    action: Word = Field(description="what to do, such as call, message, letter or visit")
    due_in: Days = Field(description="days to do it in, such as 2d")


class ExpectedFile(Written):
    """One alert of a case."""

    day: int = Field(description="the day it comes")
    alert: Literal["low", "medium", "high", "critical", "closed"] = Field(description="the severity, or closed")
    say: Prose | None = None


def _no_task(value: Any) -> Any:
    return None if value == "none" else value


def _whole_list(value: Any) -> Any:
    if value == "nothing":
        return []
    if isinstance(value, str):
        near = suggestion(value, ["nothing"])
        near = near if "did you mean" in near else ""
        raise ValueError(f"expected nothing, or a list of alerts, got {shown(value)}{near}")
    if value == []:
        raise ValueError("expected a list of alerts, got an empty one; write 'expect: nothing'")
    return value


class CaseFile(Written):
    """One test of the rule."""

    name: Prose = Field(description="a sentence that says what is special about the case")
    given: list[dict[str, Any]] = Field(description="the events by day")
    expect: Annotated[list[ExpectedFile], BeforeValidator(_whole_list)] = Field(
        description="every alert that comes, or nothing"
    )
    missing: dict[str, list[int]] = {}
    known_from: dict[str, int] = {}


class TextsFile(Written):
    """The texts of a rule in a second language: `<rule>.zh.yaml`."""

    title: Title = Field(description="one line that says what it sees")
    why: Prose = Field(description="what it sees, and why that comes before a loss")
    say: Prose = Field(description="the message of the alert, with slots")
    guide: list[Prose] = Field(min_length=1, description="steps for the person who gets the task")
    false_alarms: list[Prose] = Field(min_length=1, description="what it mistakes for trouble")
    blind_spots: list[Prose] = Field(min_length=1, description="what it cannot see")


class RuleFile(Written):
    """One rule, as it stands in its file."""

    rule: str = Field(description="its name, equal to the file name")
    title: Title = Field(description="one line that says what it sees")
    status: Status = Field(description="draft, shadow, live or retired")
    owner: Prose = Field(description="the team that answers for this rule")
    since: Date = Field(description="the day it began")
    why: Prose = Field(description="what it sees, and why that comes before a loss")
    refs: list[str] = []
    basis: dict[str, Basis] = {}
    retired_because: Prose | None = None
    challenges: str | None = None
    per: Per = Field(description="whom it looks at: borrower_id, loan_id or account_id")
    measure: dict[str, MeasureFile] = Field(min_length=1, description="the named measures it decides by")
    when: str = Field(description="the condition over the measures")
    hold: Days = Field(0, alias="for")
    severity: Severity = Field(description="low, medium, high or critical")
    escalate: dict[Severity, str] = {}
    say: Prose = Field(description="the message of the alert, with slots such as {missed}")
    quiet: Days = 0
    clear_after: Days = 0
    inhibited_by: list[str] = []
    spreads: list[Relation] = []
    daily_openings: int | None = Field(None, ge=1)
    task: Annotated[TaskFile | None, BeforeValidator(_no_task)] = None
    guide: list[Prose] = Field(min_length=1, description="steps for the person who gets the task")
    false_alarms: list[Prose] = Field(min_length=1, description="what it mistakes for trouble")
    blind_spots: list[Prose] = Field(min_length=1, description="what it cannot see")
    tests: list[CaseFile] = Field(min_length=1, description="its cases, some that alert and some that stay quiet")
