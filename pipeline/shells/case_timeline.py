"""A case day by day: the events, what the measures were worth, whether the conditions held, what was said of it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.announce import in_unit
from pipeline.decisions import Alert
from pipeline.judge import keys_of
from pipeline.look import Look
from pipeline.sheet import Sheet
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.shells.cases import (
    Moment,
    Outcome,
    arrivals_of,
    expected_of,
    is_as_expected,
    moments,
    shelf_of_case,
    shelf_of_rule,
)
from rules.rule import Expected, Rule, Shelf

WHEN = "when"


class Worth(NamedTuple):
    """What a measure is worth: unknown (None), exactly this, or at least this."""

    value: Any
    is_least: bool = False


class Row(NamedTuple):
    """One look at one borrower, loan or account."""

    day: int
    key: str
    given: dict[str, Any] | None  # None: the day ended
    missing: tuple[str, ...]  # feeds that are missing on this day
    worth: dict[str, Worth]
    truths: dict[str, bool | None]  # `when` and each severity of `escalate`
    got: tuple[Expected, ...]


class Timeline(NamedTuple):
    """The looks of a case that show something, and every look at the days on which an alert was expected or came."""

    rows: tuple[Row, ...]
    expected: dict[int, tuple[Expected, ...]]

    def is_as_expected(self, day: int) -> bool:
        """Whether a day brought what was expected of it."""
        wanted = self.expected.get(day, ())
        got = [each for row in self.rows if row.day == day for each in row.got]
        return len(wanted) == len(got) and all(map(is_as_expected, wanted, got))


def timeline(outcome: Outcome, terms: BankTerms) -> Timeline:
    """The story of a case, run once more."""
    rule, case = outcome.rule, outcome.case
    shelf = shelf_of_case(shelf_of_rule(rule, terms), case)
    looks = compile_shelf(Shelf(tuple(_apart(rule)), ""), shelf.terms)
    expected: dict[int, tuple[Expected, ...]] = {}
    for want in case.expect:
        expected[want.day] = (*expected.get(want.day, ()), want)
    rows: list[Row] = []
    last: dict[str, Row] = {}
    for moment in moments(rule, case, shelf, arrivals_of(case, shelf)):
        for row in _rows(moment, rule, outcome, looks):
            if _shows_something(row, last.get(row.key), is_awaited=moment.on in expected):
                rows.append(row)
            last[row.key] = row
    if rows and rows[-1] not in last.values():
        rows += [each for each in last.values() if each.given is None]
    return Timeline(tuple(rows), expected)


def _apart(rule: Rule) -> Iterator[Rule]:
    """The rule's conditions as rules of their own, each under its name."""
    plain = replace(rule, status="live", inhibited_by=(), escalate={})
    yield replace(plain, rule=WHEN)
    for severity, condition in rule.escalate.items():
        yield replace(plain, rule=severity, when=condition)


def _shows_something(row: Row, before: Row | None, *, is_awaited: bool) -> bool:
    is_close = row.given is None
    if not is_close or row.got:
        return True
    if before is None:
        return is_awaited
    return is_awaited or row.truths != before.truths or row.missing != before.missing


def _rows(moment: Moment, rule: Rule, outcome: Outcome, looks: CompiledShelf) -> Iterator[Row]:
    arrival = moment.arrival
    alerts: dict[str, list[Expected]] = {}
    for alert in (each for each in moment.decisions if isinstance(each, Alert)):
        alerts.setdefault(_whose(alert, rule), []).append(expected_of(alert, moment.on))
    for key, sheet in _sheets(moment, rule, looks, alerts):
        yield Row(
            day=moment.on,
            key=key,
            given=None if arrival is None else outcome.case.given[arrival.position["case"]],
            missing=tuple(sorted(moment.day.missing)),
            worth={} if sheet is None else {name: _worth(sheet, looks, name) for name in rule.measure},
            truths={name: None if sheet is None else _truth(sheet, looks, name) for name in (WHEN, *rule.escalate)},
            got=tuple(alerts.get(key, ())),
        )


def _sheets(
    moment: Moment, rule: Rule, looks: CompiledShelf, told: Iterable[str]
) -> Iterator[tuple[str, Sheet | None]]:
    """Whom the rule looks at, with what is measured of each; nothing of one that it looks at no more, or not yet."""
    bench, memory = looks.benches[looks.judged[WHEN][0]], moment.memory
    keys = keys_of(bench, memory)
    if rule.per == "borrower_id":
        yield memory.borrower_id, Sheet(bench, memory, "", _look(moment, looks))
        return
    of_event = None if moment.arrival is None else getattr(moment.arrival.event, rule.per, None)
    concerned = [of_event] if of_event is not None else keys or [""]
    for key in dict.fromkeys([*concerned, *told]):
        yield key, Sheet(bench, memory, key, _look(moment, looks)) if key in keys else None


def _whose(alert: Alert, rule: Rule) -> str:
    return alert.borrower_id if rule.per == "borrower_id" else alert.loan_id or alert.account_id or ""


def _look(moment: Moment, looks: CompiledShelf) -> Look:
    zone = looks.terms.zone
    now = zone.end_of(moment.day.date) if moment.arrival is None else moment.memory.head.clock
    return Look(moment.day, now, zone.date_of, looks.terms.history)


def _truth(sheet: Sheet, looks: CompiledShelf, name: str) -> bool | None:
    return sheet.truth(looks.judged[name][1])


def _worth(sheet: Sheet, looks: CompiledShelf, name: str) -> Worth:
    place = looks.judged[WHEN][1].measures[name]
    exact = sheet.ask(place)
    value = in_unit(sheet, place)
    return Worth(value, is_least=value is not None and exact != exact)
