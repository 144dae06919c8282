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

    count: str | None = Field(None, description="how many such events; 0 when there was none")
    days_since: str | None = Field(None, description="days since the last such event; unknown when there was none")
    sum: str | None = Field(None, description="the sum of this field; 0 when there was no event")
    average: str | None = Field(None, description="the average of this field; unknown when there was no event")
    min: str | None = Field(None, description="the smallest value of this field; unknown when there was no event")
    max: str | None = Field(None, description="the largest value of this field; unknown when there was no event")
    distinct: str | None = Field(None, description="how many different values of this field; 0 when there was no event")
    latest: str | None = Field(None, description="the last value of this field; unknown when there was no event")
    sequence: list[str] | None = Field(
        None, description="true when these events came in this order, the first of them within the time"
    )
    now: str | None = Field(None, description="a fact of the ledger today, or a published figure: `macro.NAME`")
    source: str | None = Field(
        None,
        alias="from",
        description="the event that has the field, perhaps narrowed: `account.debit where amount >= 200`",
    )
    over: Window | None = Field(None, description="the window: 36h, 60d or 8w, up to now")
    ending: Ago | None = Field(None, description="moves the window back: 35d ago means that it ended then")
    within: Window | None = Field(None, description="how old the first step of the sequence may be")
    of: Literal["borrower"] | None = Field(None, description="all that is of the borrower, under per loan or account")
    across: Across | None = Field(None, description="how several loans or accounts become one value")


class TaskFile(Written):
    """What collections should do."""

    queue: Word = Field(description="the team that works it")
    action: Word = Field(description="what to do, such as call, message, letter or visit")
    due_in: Days = Field(description="days to do it in, such as 2d")


class ExpectedFile(Written):
    """One alert of a case."""

    day: int = Field(description="the day on which it comes")
    alert: Literal["low", "medium", "high", "critical", "closed"] = Field(description="the severity, or closed")
    say: Prose | None = Field(None, description="the message, word for word; left open when absent")


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

    name: Prose = Field(description="what is special about the case, in a few words")
    given: list[dict[str, Any]] = Field(description="the events by day")
    expect: Annotated[list[ExpectedFile], BeforeValidator(_whole_list)] = Field(
        description="every alert that comes, or nothing"
    )
    missing: dict[str, list[int]] = Field({}, description="days on which a feed sent nothing: {account: [12, 13]}")
    known_from: dict[str, int] = Field({}, description="the first day that is known of a feed: {account: 5}")


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

    rule: str = Field(description="its name, equal to the file name without .yaml")
    title: Title = Field(description="one line that says what it sees")
    status: Status = Field(description="draft, shadow, live or retired")
    owner: Prose = Field(description="the team that answers for this rule")
    since: Date = Field(description="the day it began")
    why: Prose = Field(description="what it sees, and why that comes before a loss")
    refs: list[str] = Field(
        [], description="the signs of published lists, or the policies, that it answers to, such as ifrs9:30dpd"
    )
    basis: dict[str, Basis] = Field(
        {},
        description="where each threshold comes from, by measure or deciding field: policy, contract, regulation or "
        "{fitted: 2025-02-10}",
    )
    retired_because: Prose | None = Field(None, description="why nobody needs this rule any more")
    challenges: str | None = Field(None, description="the live rule beside which this one is tried")
    per: Per = Field(description="whom it looks at: borrower_id, loan_id or account_id")
    measure: dict[str, MeasureFile] = Field(min_length=1, description="the named measures it decides by")
    when: str = Field(description="the condition over the measures")
    hold: Days = Field(0, alias="for", description="how long the condition must stay true before the alert opens: 3d")
    severity: Severity = Field(description="low, medium, high or critical")
    escalate: dict[Severity, str] = Field(
        {}, description="the conditions that raise the severity; it never falls while open"
    )
    say: Prose = Field(description="the message of the alert, with slots such as {missed} in place of numbers")
    quiet: Days = Field(
        0, description="the shortest time between two openings: 14d; only a higher severity opens within it"
    )
    clear_after: Days = Field(0, description="the alert closes when the condition was false this long: 7d")
    inhibited_by: list[str] = Field([], description="rules whose open alert of the same borrower mutes this one")
    spreads: list[Relation] = Field([], description="the connected borrowers whom an opening warns")
    daily_openings: int | None = Field(
        None, ge=1, description="storm guard: more openings a day than this are held for an officer"
    )
    task: Annotated[TaskFile | None, BeforeValidator(_no_task)] = Field(
        None, description="what collections should do; or none"
    )
    guide: list[Prose] = Field(min_length=1, description="steps for the person who gets the task")
    false_alarms: list[Prose] = Field(min_length=1, description="what it mistakes for trouble")
    blind_spots: list[Prose] = Field(min_length=1, description="what it cannot see")
    tests: list[CaseFile] = Field(min_length=1, description="its cases, some that alert and some that stay quiet")
