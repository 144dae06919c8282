"""What the report reads: the only module that knows in which files a replay keeps it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from config.settings import CURRENCIES
from connectors.whole_lines import BadFile
from pipeline.decisions import CollectionTask
from pipeline.refusals import shown
from pipeline.shells.decided import ALERTS, TASKS, Decided, decided_in, lines_of
from pipeline.shells.kept import RULES, KeptRule
from pipeline.shells.months import MonthEnd
from pipeline.shells.queues import QueueDay
from pipeline.shells.replay import MONTHS, PROFILES, QUEUES, SUMMARY

Told = dict[str, Any]
Read = TypeVar("Read")


class _Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    episode: str
    rule: str
    borrower_id: str
    transition: str
    severity: str
    at: str
    business_date: str
    evidence: dict[str, dict[str, Any]]
    reason: str | None = None
    say: str | None = None
    rule_version: int = 1


class _Loan(msgspec.Struct, frozen=True):
    loan_id: str
    status: str
    days_past_due: int | None
    defaulted_on: str | None


class _Episode(msgspec.Struct, frozen=True):
    episode: str
    state: str


class _Profile(msgspec.Struct, frozen=True):
    borrower_id: str
    exposure_minor: int | None
    arrears_minor: int | None
    loans: list[_Loan]
    episodes: list[_Episode]
    backstop_on: str | None = None


class _Summary(msgspec.Struct, frozen=True):
    currency: str | None = None  # a replay of an earlier version did not say


class Records(NamedTuple):
    """A replay up to its last closed day."""

    decided: Decided
    currency: str | None
    profiles: list[Told]
    alerts: list[Told]
    tasks: list[Told]
    months: list[MonthEnd] | None  # None where the replay kept none
    queues: list[QueueDay] | None  # the same
    rules: dict[tuple[str, int], KeptRule]  # by name and version


def records_in(folder: Path) -> Records:
    """Read what a replay wrote; BadFile in one sentence when a folder is none, or tells of nothing."""
    decided = decided_in(folder)
    last = decided.last.isoformat()
    found = Records(
        decided=decided,
        currency=_currency(folder / SUMMARY),
        profiles=_told(folder / PROFILES, _Profile),
        alerts=[alert for alert in _told(folder / ALERTS, _Alert) if alert["business_date"] <= last],
        tasks=_told(folder / TASKS, CollectionTask),
        months=_kept(folder / MONTHS, MonthEnd),
        queues=_kept(folder / QUEUES, QueueDay),
        rules={(rule.rule, rule.version): rule for rule in _kept(folder / RULES, KeptRule) or []},
    )
    if not found.alerts and not any(profile["loans"] for profile in found.profiles):
        raise BadFile(f"{folder}: expected a replay with loans or alerts, got one without either; replay their events")
    return found


def files_of(folder: Path, truth: Path | None) -> list[Path]:
    """The files that a report is made from."""
    names = (SUMMARY, PROFILES, ALERTS, TASKS, MONTHS, QUEUES, RULES)
    return [*(folder / name for name in names), *([] if truth is None else [truth])]


def by_borrower(records: list[Told]) -> Callable[[str], list[Told]]:
    """The records of one borrower, in their order."""
    found: dict[str, list[Told]] = {}
    for record in records:
        found.setdefault(record["borrower_id"], []).append(record)
    return lambda borrower_id: found.get(borrower_id, [])


def _currency(path: Path) -> str | None:
    code = msgspec.json.decode(path.read_bytes(), type=_Summary).currency
    if code is not None and code not in CURRENCIES:
        raise BadFile(f"{path}: expected a currency of ISO 4217, got {shown(code)}; replay again")
    return code


def _told(path: Path, kind: type[Any]) -> list[Told]:
    return [msgspec.to_builtins(each) for each in lines_of(path, kind)]


def _kept(path: Path, kind: type[Read]) -> list[Read] | None:
    lines: Iterator[Read] = lines_of(path, kind)
    return list(lines) if path.is_file() else None
