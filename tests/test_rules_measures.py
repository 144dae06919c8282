"""A measure means what its line says; conditions, cases and texts are checked together with it."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.loader import load_rule
from rules.rule import Comparison, Expected, Measure, Name, Number, Rule, Selector, Span, Task, Text

RULE = """\
rule: late
title: Somebody is late
status: {status}
owner: early-collections
since: 2025-03-01
why: Because.
per: {per}
measure:
{measures}
when: {when}
severity: medium
say: Somebody is late
guide: [Ask.]
false_alarms: [None known.]
blind_spots: [Cash.]
{more}
tests:
  - {{name: nothing happens, given: [], expect: nothing}}
{cases}
"""


@pytest.fixture
def written(tmp_path):
    """Writes a rule around some measures and loads it."""

    def write(*measures: str, when="m >= 1", per="borrower_id", status="draft", more="", cases="") -> Rule:
        lines = "\n".join(f"  {measure}" for measure in measures)
        text = RULE.format(measures=lines, when=when, per=per, status=status, more=more, cases=cases)
        path: Path = tmp_path / "late.yaml"
        path.write_text(text, "utf-8")
        return load_rule(path, CATALOGUE)

    return write


@pytest.fixture
def refused(written):
    """The sentences about a rule, without their places."""

    def sentences(*measures: str, **fields: str) -> list[str]:
        with pytest.raises(RuleError) as caught:
            written(*measures, **fields)
        return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]

    return sentences


MISSED = "m: {count: repayment.missed, over: 60d}"


def test_each_verb_becomes_one_measure(written):
    rule = written(
        "m: {count: repayment.missed, over: 8w}",
        "b: {days_since: repayment.received}",
        "c: {sum: amount, from: account.credit, over: 36h}",
        "d: {average: used_share, from: account.balance, over: 14d, across: worst}",
        "e: {distinct: lender_kind, from: external.inquiry, over: 30d}",
        "f: {latest: score, from: model.payment_stress}",
        "g: {sequence: [repayment.missed, contact.held], within: 5d}",
        "h: {now: arrears}",
        "i: {now: macro.unemployment}",
        "j: {max: amount, from: account.debit, over: 7d, ending: 2w ago, across: sum}",
    )
    missed = (Selector("repayment.missed"),)
    assert rule.measure == {
        "m": Measure("m", "count", select=missed, over=Span(8, "w")),
        "b": Measure("b", "days_since", select=(Selector("repayment.received"),)),
        "c": Measure("c", "sum", "amount", (Selector("account.credit"),), over=Span(36, "h")),
        "d": Measure(
            "d", "average", "used_share", (Selector("account.balance"),), over=Span(14, "d"), across="worst"
        ),
        "e": Measure("e", "distinct", "lender_kind", (Selector("external.inquiry"),), over=Span(30, "d")),
        "f": Measure("f", "latest", "score", (Selector("model.payment_stress"),)),
        "g": Measure("g", "sequence", select=(*missed, Selector("contact.held")), within=Span(5, "d")),
        "h": Measure("h", "now", "arrears"),
        "i": Measure("i", "macro", "unemployment"),
        "j": Measure(
            "j", "max", "amount", (Selector("account.debit"),), over=Span(7, "d"), ending=Span(2, "w"), across="sum"
        ),
    }  # fmt: skip


def test_a_where_narrows_the_event(written):
    rule = written("m: {count: account.debit where category == 'rent', over: 60d}")
    assert rule.measure["m"].select == (Selector("account.debit", Comparison("==", Name("category"), Text("rent"))),)


def test_a_published_figure_in_a_condition_becomes_a_measure(written):
    rule = written(MISSED, when="m >= 1 and macro.unemployment >= 6%", more="escalate: {high: macro.gdp < 0}")
    assert list(rule.measure) == ["m", "macro.unemployment", "macro.gdp"]
    assert rule.measure["macro.gdp"] == Measure("macro.gdp", "macro", "gdp")


def test_what_is_left_out_has_its_default(written):
    rule = written(MISSED)
    assert (rule.hold, rule.quiet, rule.clear_after) == (0, 0, 0)
    assert (rule.escalate, rule.inhibited_by, rule.spreads, rule.task) == ({}, (), (), None)
    assert (rule.version, rule.daily_openings, rule.challenges) == (1, None, None)


def test_times_and_tasks_are_days(written):
    more = "for: 1w\nquiet: 2w\nclear_after: 7d\ntask: {queue: care, action: call, due_in: 0d}"
    rule = written(MISSED, more=more)
    assert (rule.hold, rule.quiet, rule.clear_after) == (7, 14, 7)
    assert rule.task == Task("care", "call", 0)
    assert written(MISSED, more="task: none").task is None


def test_severities_rise_from_low_to_critical_whatever_their_order(written):
    rule = written(MISSED, more="escalate: {critical: m >= 9, high: m >= 3}")
    assert list(rule.escalate) == ["high", "critical"]


def test_under_loan_id_events_of_that_loan_need_nothing_more(written):
    rule = written(
        MISSED,
        "n: {latest: score, from: external.score, of: borrower}",
        "d: {latest: days_past_due, from: loan.snapshot}",
        "e: {now: exposure, of: borrower}",
        per="loan_id",
    )
    assert [measure.of_borrower for measure in rule.measure.values()] == [False, True, False, True]


def test_of_borrower_looks_across_as_a_rule_per_borrower_does(refused):
    assert refused("m: {latest: balance, from: account.balance, of: borrower}", per="loan_id") == [
        "measure.m: 'latest' of 'account.balance' needs 'across: worst', 'sum' or 'average'; "
        "two accounts must not overwrite each other"
    ]


def test_a_fact_of_the_borrower_has_nothing_to_look_across(refused):
    assert refused("m: {latest: score, from: external.score, across: worst}") == [
        "measure.m.across: 'external.score' is of the borrower, so there is nothing to look across; delete it"
    ]


def test_a_fact_of_the_ledger_may_say_across(written, refused):
    assert written("m: {now: days_past_due, across: worst}").measure["m"].across == "worst"
    assert refused("m: {now: instalments_left, across: worst}")[0].startswith(
        "measure.m.across: expected sum or average"
    )


@pytest.mark.parametrize(
    "measure",
    [
        "m: {count: repayment.missed, over: 400d}",
        "m: {count: repayment.missed, over: 200d, ending: 200d ago}",
        "m: {count: repayment.missed, over: 9600h}",
        "m: {sum: amount, from: account.credit, over: 800d}",
        "m: {sum: amount, from: account.credit where category == 'salary' or not category != 'rent', over: 800d}",
        "m: {count: account.debit where category == 'fee', over: 600d, ending: 200d ago}",
        "m: {average: amount, from: account.credit, over: 365d, across: sum}",
        "m: {max: amount, from: account.credit, over: 100d, across: sum}",
        "m: {days_since: account.credit}",
    ],
)
def test_a_window_that_memory_can_answer_is_accepted(written, measure):
    assert written(measure)


@pytest.mark.parametrize(
    "measure",
    [
        "m: {count: repayment.missed, over: 201d, ending: 200d ago}",
        "m: {sum: amount, from: account.credit, over: 801d}",
        "m: {sum: amount, from: account.credit where amount >= 200, over: 101d}",
        "m: {sum: amount, from: account.credit where not amount >= 200, over: 101d}",
        "m: {sum: balance, from: account.credit, over: 101d}",
        "m: {sum: amount, from: account.credit, over: 2401h}",
        "m: {distinct: category, from: account.credit, over: 101d}",
        "m: {days_since: account.credit, over: 101d}",
        "m: {average: balance, from: account.balance, over: 401d, across: sum}",
    ],
)
def test_a_window_that_memory_cannot_answer_is_refused(refused, measure):
    assert [sentence.split(":")[0] for sentence in refused(measure)] == ["measure.m.over"]


def test_a_sequence_is_answered_by_the_shortest_memory_of_its_steps(refused):
    assert refused("m: {sequence: [repayment.missed, account.debit], within: 101d}", when="m") == [
        "measure.m.within: expected at most 100d, got 101d; 'account.debit' is kept for 100 days, "
        "and for 800 as daily totals by category, which do not answer this"
    ]


def test_one_fault_does_not_hide_another(refused):
    assert refused(
        "m: {count: repayment.mised, over: two months}",
        "n: {cuont: repayment.missed, over: 60d}",
        "o: {count: repayment.mised, over: 60d}",
        when="m >= 1 and n >= 1 and p >= 1",
        per="borrower",
        more="quite: 3d\ntask: {queue: care}",
    ) == [
        "per: expected borrower_id, loan_id or account_id, got 'borrower'; did you mean 'borrower_id'?",
        "measure.m.count: no event named 'repayment.mised'; did you mean 'repayment.missed'?",
        "measure.m.over: expected a time such as '36h', '60d' or '8w', got 'two months'",
        "measure.n.cuont: no such field; did you mean 'count'?",
        "measure.o.count: no event named 'repayment.mised'; did you mean 'repayment.missed'?",
        "when: no measure named 'p'; there are m, n and o",
        "quite: no such field; did you mean 'quiet'?",
        "task: action is missing: what to do, such as call, message, letter or visit",
        "task: due_in is missing: days to do it in, such as 2d",
    ]


def test_a_live_rule_says_where_its_thresholds_come_from(written, refused):
    assert written(MISSED, status="shadow")
    assert refused(MISSED, status="live")[0].startswith("file: basis is missing")
    basis = written(MISSED, status="live", more="basis: {when: policy, m: {fitted: 2025-02-10}}").basis
    assert basis == {"when": "policy", "m": {"fitted": "2025-02-10"}}


def test_a_retired_rule_says_why(written):
    rule = written(MISSED, status="retired", more="retired_because: Nobody misses it.")
    assert rule.retired_because == "Nobody misses it."


def test_a_case_keeps_its_events_exactly_as_written(written):
    cases = """\
  - name: one of each unit
    given:
      - {day: 0, event: account.debit, amount: 199.50, category: rent, account_id: A7}
      - {day: 3, event: account.balance, used_share: 0.9}
      - {day: 4, event: repayment.due, due_on: 5, instalment: 2}
      - {day: 4, event: model.payment_stress, score: 1}
      - {day: 5, event: loan.rescheduled, distressed: true}
    expect:
      - {day: 9, alert: medium, say: "Somebody  is late"}
      - {day: 12, alert: closed}
    missing: {account: [12, 13]}
    known_from: {account: 5, model.payment_stress: 2}
"""
    case = written(MISSED, cases=cases).tests[1]
    assert case.given[0] == {
        "day": 0, "event": "account.debit", "amount": Decimal("199.50"), "category": "rent", "account_id": "A7"
    }  # fmt: skip
    assert case.expect == (Expected(9, "medium", "Somebody is late"), Expected(12, "closed"))
    assert case.missing == {"account": (12, 13)}
    assert case.known_from == {"account": 5, "model.payment_stress": 2}
    assert case.line == 19


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{event: repayment.missed}", "tests[1].given[0]: day is missing: the day on which it happens, counted from 0"),
        ("{day: 1}", "tests[1].given[0]: event is missing: what happens, such as repayment.missed"),
        ("{day: 1.5, event: loan.closed}", "tests[1].given[0].day: expected a day from 0 to 3650, got 1.5"),
        ("{day: 1, event: 5}", "tests[1].given[0].event: expected an event, got 5"),
        (
            "{day: 1, event: account.debit, amount_minor: 5}",
            "tests[1].given[0].amount_minor: 'account.debit' has no field 'amount_minor'; did you mean 'amount'?",
        ),
        (
            "{day: 1, event: account.debit, amount: lots}",
            "tests[1].given[0].amount: expected an amount in whole currency units such as 200 or 199.50, got 'lots'",
        ),
        (
            "{day: 1, event: account.debit, amount: -1000000000001}",
            "tests[1].given[0].amount: expected a number from -1000000000000 to 1000000000000, got -1000000000001",
        ),
        (
            "{day: 1, event: account.debit, account_id: 7}",
            "tests[1].given[0].account_id: expected an id of letters, digits and . _ : -, got 7",
        ),
        (
            "{day: 1, event: repayment.received, account_id: A9}",
            "tests[1].given[0].account_id: expected an id of 'repayment.received' "
            "(borrower_id, loan_id, id, source or currency), got account_id; delete it",
        ),
        (
            "{day: 1, event: model.stress, loan_id: L1}",
            "tests[1].given[0].loan_id: expected an id of 'model.stress' (borrower_id, id, source or currency), "
            "got loan_id; delete it",
        ),
        (
            "{day: 1, event: repayment.due, due_on: 2025-02-30}",
            "tests[1].given[0].due_on: expected a day of the case such as 5, or a date such as 2025-03-01, "
            "got '2025-02-30'",
        ),
        (
            "{day: 1, event: loan.rescheduled, distressed: 1}",
            "tests[1].given[0].distressed: expected true or false, got 1",
        ),
    ],
)
def test_a_given_line_is_checked_against_the_catalogue(refused, given, sentence):
    cases = f"  - {{name: one line, given: [{given}], expect: nothing}}"
    assert refused(MISSED, cases=cases) == [sentence]


def test_a_number_in_a_condition_is_exact(written):
    assert written(MISSED, when="m >= 0.10").when == Comparison(">=", Name("m"), Number(Decimal("0.10")))
