"""Every fault of a rule file comes at once: some faults together give exactly what each of them gives alone.

No fault hides another, and none is told that is only the consequence of another.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.events import CATALOGUE
from rules.laws import check
from rules.loader import load_file

GOOD = """\
rule: late
title: Late and silent
status: live
owner: early-collections
since: 2025-03-01
why: Late is the sign.
refs: [a-list]
basis: {when: policy, silent: {fitted: 2025-02-10}}
per: loan_id
measure:
  missed: {count: repayment.missed where months >= 1, over: 60d, ending: 5d ago}
  silent: {days_since: repayment.received, over: 90d}
  paid: {sum: amount, from: repayment.received where kind == 'full', over: 36h}
  score: {latest: score, from: external.score, of: borrower}
  balance: {min: balance, from: account.balance, over: 30d, of: borrower, across: worst}
  again: {sequence: [repayment.missed, contact.held, repayment.received], within: 9d}
  overdue: {now: days_past_due}
  all_owed: {now: exposure, of: borrower, across: sum}
when: missed >= 2 and overdue >= 5 or again and silent >= 3 and balance < 100
for: 3d
severity: medium
escalate: {high: score < 500, critical: missed >= 3 and paid < 7}
say: "{missed} missed in {missed.over}, {overdue:.0f} days late, {again}"
quiet: 14d
clear_after: 7d
inhibited_by: [another]
spreads: [group]
daily_openings: 5
task: {queue: early-collections, action: call, due_in: 2d}
guide: [Ask what changed.]
false_alarms: [A new bank.]
blind_spots: [Cash.]
tests:
  - name: two misses
    given:
      - {day: 0, event: repayment.missed, months: 1}
      - {day: 31, event: repayment.missed, loan_id: L2}
      - {day: 32, event: loan.snapshot, days_past_due: 5}
    expect:
      - {day: 35, alert: medium, say: Late}
      - {day: 90, alert: closed}
    missing: {account: [12, 13]}
    known_from: {external: 5}
  - name: one miss
    given: [{day: 3, event: repayment.missed}]
    expect: nothing
"""


class Slip(NamedTuple):
    """A part of the good rule, what a hasty hand wrote in its place, and the one fault that this is."""

    part: str
    by: str
    fault: str

    @property
    def at(self) -> tuple[int, int]:
        """Where the part stands; the line of it that differs alone is enough."""
        assert GOOD.count(self.part) == 1, self.part
        start = GOOD.index(self.part)
        return start, start + len(self.part)


SPAN = "expected a time such as '36h', '60d' or '8w', got"
DAYS = "expected days or weeks such as '3d' or '2w', got"
VERBS = "count, days_since, sum, average, min, max, distinct, latest, sequence or now"
SEVERITY = "expected low, medium, high or critical, got"
NO_MISED = "no event named 'repayment.mised'; did you mean 'repayment.missed'?"
ID = "expected an id of letters, digits and . _ : -, got"
MEASURES = "there are missed, silent, paid, score, balance, again, overdue and all_owed"
SLIPS = [
    Slip("rule: late", "rule: lte", "rule: expected the name of its file, 'late', got 'lte'"),
    Slip("title: Late and silent", "title: 2 late", "title: the number 2 is written by hand; a title has no numbers, "
         "they stand in the rule"),
    Slip("owner: early-collections\n", "", "file: owner is missing: the team that answers for this rule"),
    Slip("since: 2025", "sicne: 2025", "sicne: no such field; did you mean 'since'?"),
    Slip("why: Late is the sign.", "why: 5", "why: expected a text, got 5"),
    Slip("[a-list]", "[7]", "refs[0]: expected a text, got 7"),
    Slip("{when: policy,", "{when: gut,", "basis.when: expected policy, contract, regulation or {fitted: 2025-02-10}, "
         "got 'gut'"),
    Slip("silent: {fitted:", "slient: {fitted:", "basis.slient: 'slient' decides nothing here; name a measure or a "
         "deciding field; did you mean 'silent'?"),
    Slip("per: loan_id", "per: loan", "per: expected borrower_id, loan_id or account_id, got 'loan'; did you mean "
         "'loan_id'?"),
    # -- measures
    Slip("count: repayment.missed", "count: repayment.mised", f"measure.missed.count: {NO_MISED}"),
    Slip("months >= 1", "mnths >= 1", "measure.missed.count: 'repayment.missed' has no field 'mnths'; did you mean "
         "'months'?"),
    Slip("over: 60d", "over: a month", f"measure.missed.over: {SPAN} 'a month'"),
    Slip("5d ago", "5d", "measure.missed.ending: expected days or weeks such as '35d ago' or '5w ago', got '5d'"),
    Slip("silent: {days", "silent: {colour: red, days", "measure.silent.colour: no such field"),
    Slip("days_since:", "dayssince:", "measure.silent.dayssince: no such field; did you mean 'days_since'?"),
    Slip("over: 90d", "over: 900d", "measure.silent.over: expected at most 400d, got 900d; 'repayment.received' is "
         "kept for 400 days"),
    Slip("sum: amount", "sum: amuont", "measure.paid.sum: 'repayment.received' has no field 'amuont'; did you mean "
         "'amount'?"),
    Slip("from: repayment.received where", "from: repayment.recieved where", "measure.paid.from: no event named "
         "'repayment.recieved'; did you mean 'repayment.received'?"),
    Slip("kind == 'full'", "kind = 'full'", "measure.paid.from: cannot read \"kind = 'full'\"; write == in place of ="),
    Slip(", over: 36h", "", "measure.paid: 'sum' needs 'over'"),
    Slip("paid: {", "paid: {within: 3d, ", "measure.paid.within: 'sum' takes no 'within'"),
    Slip("score: {latest", "score: {ending: 2d ago, latest", "measure.score: 'ending' needs 'over'"),
    Slip("external.score, of: borrower", "external.score", "measure.score.from: 'external.score' names no loan; "
         "under loan_id it needs 'of: borrower'"),
    Slip("across: worst", "across: wrost", "measure.balance.across: expected worst, sum or average, got 'wrost'; did "
         "you mean 'worst'?"),
    Slip("30d, of: borrower", "30d, of: guarantor", "measure.balance.of: expected borrower, got 'guarantor'"),
    Slip("min: balance", "min: 7", "measure.balance.min: expected a text, got 7"),
    Slip("[repayment.missed,", "[repayment.mised,", f"measure.again.sequence[0]: {NO_MISED}"),
    Slip("contact.held,", "5,", "measure.again.sequence[1]: expected a text, got 5"),
    Slip("within: 9d", "withn: 9d", "measure.again.withn: no such field; did you mean 'within'?"),
    Slip("overdue: {now: days_past_due}", "overdue: 5", "measure.overdue: expected a mapping of fields, got 5"),
    Slip("now: exposure", "now: exposrue", "measure.all_owed.now: no fact named 'exposrue'; did you mean 'exposure'?"),
    Slip("all_owed: {", "all_owed: {over: 5d, ", "measure.all_owed.over: 'now' takes no 'over'"),
    # -- conditions and texts
    Slip("when: missed >= 2", "when: misssed >= 2", "when: no measure named 'misssed'; did you mean 'missed'?"),
    Slip("or again and", "or again >= 1 and", "when: 'again' is true or false; use it alone or after not"),
    Slip("silent >= 3", "silent", "when: 'silent' is a number; compare it, such as silent >= 1"),
    Slip("for: 3d", "for: 36h", f"for: {DAYS} '36h'"),
    Slip("score < 500", "score < x", f"escalate.high: no measure named 'x'; {MEASURES}"),
    Slip("{high: score", "{low: score", "escalate.low: expected a severity above medium, got 'low'"),
    Slip("and paid < 7", "&& paid < 7", "escalate.critical: cannot read 'missed >= 3 && paid < 7'; write and in place "
         "of &&"),
    Slip("{missed} missed", "{mised} missed", "say: no measure named 'mised' to show; did you mean 'missed'?"),
    Slip("{missed.over}", "{missed.within}", "say: 'missed' has no 'within' to show; write {missed} for its value"),
    Slip("{again}", "{again:.0f}", "say: 'again', which is true or false, takes no format; delete ':.0f'"),
    Slip("days late,", "days late (5),", "say: the number 5 is written by hand; use a slot such as {missed.over}"),
    Slip("quiet: 14d", "quite: 14d", "quite: no such field; did you mean 'quiet'?"),
    Slip("clear_after: 7d", "clear_after: no", "clear_after: YAML reads no as false; write false, or 'no' if it is a "
         "text"),
    Slip("[another]", "[late]", "inhibited_by: a rule cannot mute itself; delete its own name"),
    Slip("[group]", "[groups]", "spreads[0]: expected guarantor, guaranteed, group, spouse or employer, got 'groups'; "
         "did you mean 'group'?"),
    Slip("daily_openings: 5", "daily_openings: 0", "daily_openings: expected at least 1, got 0"),
    Slip("queue: early-collections, ", "", "task: queue is missing: the team that works it"),
    Slip("due_in: 2d", "due_in: soon", f"task.due_in: {DAYS} 'soon'"),
    Slip("[Ask what changed.]", "[]", "guide: expected at least 1, got 0"),
    Slip("false_alarms:", "false_alarm:", "false_alarm: no such field; did you mean 'false_alarms'?"),
    Slip("[Cash.]", "[5]", "blind_spots[0]: expected a text, got 5"),
    # -- cases
    Slip("name: two misses", "name: 2", "tests[0].name: expected a text, got 2"),
    Slip("{day: 0,", "{day: -1,", "tests[0].given[0].day: expected a day from 0 to 3650, got -1"),
    Slip("months: 1}", "months: one}", "tests[0].given[0].months: expected a whole number, got 'one'"),
    Slip("{day: 31,", "{dya: 31,", "tests[0].given[1].dya: 'repayment.missed' has no field 'dya'; did you mean 'day'?"),
    Slip("loan_id: L2", "loan_id: 2", f"tests[0].given[1].loan_id: {ID} 2"),
    Slip("event: loan.snapshot", "event: loan.snapshto", "tests[0].given[2].event: no event named 'loan.snapshto'; did "
         "you mean 'loan.snapshot'?"),
    Slip("{day: 35, ", "{", "tests[0].expect[0]: day is missing: the day on which it comes"),
    Slip("alert: medium", "alert: low", "tests[0].expect[0].alert: this rule never says 'low'; expected medium, high, "
         "critical or closed"),
    Slip("say: Late}", "say: 5}", "tests[0].expect[0].say: expected a text, got 5"),
    Slip("alert: closed", "alret: closed", "tests[0].expect[1].alret: no such field; did you mean 'alert'?"),
    Slip("{external:", "{externl:", "tests[0].known_from.externl: no feed named 'externl'; did you mean 'external'?"),
    Slip("13]", "x]", "tests[0].missing.account[1]: expected a whole number, got 'x'"),
    Slip("external: 5", "external: five", "tests[0].known_from.external: expected a whole number, got 'five'"),
    Slip("[{day: 3, event: repayment.missed}]", "[3]", "tests[1].given[0]: expected a mapping such as {name: value}, "
         "got 3"),
    Slip("expect: nothing", "expect: nohting", "tests[1].expect: expected nothing, or a list of alerts, got 'nohting'; "
         "did you mean 'nothing'?"),
]  # fmt: skip
# What the first of two leaves open, so that nobody can know of the second.
OPEN = {
    ("count: repayment.mised", "mnths >= 1"),  # of an event that is not known no field is,
    ("from: repayment.recieved where", "sum: amuont"),
    ("dayssince:", "over: 900d"),  # nor how long it is kept;
    ("per: loan", "external.score"),  # nor what an event must be of, where the key is not known;
    ("{low: score", "alert: low"),  # nor what an alert may be, where the rule says it in the wrong place
}
CROWDS = 300


def with_slips(slips: Iterable[Slip]) -> str:
    text = GOOD
    for each in sorted(slips, key=lambda each: each.at, reverse=True):
        start, end = each.at
        text = text[:start] + each.by + text[end:]
    return text


def are_apart(one: Slip, other: Slip) -> bool:
    first, second = sorted((one.at, other.at))
    return first[1] <= second[0]


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "late.yaml"
    path.write_text(text, "utf-8")
    return sorted(f"{each.path}: {each.message}" for each in load_file(path, CATALOGUE).faults)


def expected(slips: Iterable[Slip]) -> list[str]:
    by = {each.by for each in slips}
    hidden = {second for first, second in OPEN if first in by}
    return sorted(each.fault for each in slips if each.by not in hidden)


def test_the_good_rule_is_good(tmp_path):
    assert faults(tmp_path, GOOD) == []
    assert {each for pair in OPEN for each in pair} <= {each.by for each in SLIPS}


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.fault.split(":")[0])
def test_a_slip_is_one_fault_and_takes_nothing_from_any_other(tmp_path, slip):
    assert faults(tmp_path, with_slips([slip])) == [slip.fault]
    for other in SLIPS:
        if are_apart(slip, other):
            assert faults(tmp_path, with_slips([slip, other])) == expected([slip, other])


def test_many_slips_give_the_faults_of_each(tmp_path):
    chance = random.Random("slips")
    for _ in range(CROWDS):
        crowd: list[Slip] = []
        for each in chance.sample(SLIPS, chance.randint(3, len(SLIPS))):
            if all(are_apart(each, other) for other in crowd):
                crowd.append(each)
        assert faults(tmp_path, with_slips(crowd)) == expected(crowd)


# -- where the whole of a part is gone --------------------------------------

MEASURES_OF_GOOD = GOOD[GOOD.index("measure:") : GOOD.index("\nwhen:") + 1]


@pytest.mark.parametrize("measure", ["measure: 5\n", "measure: []\n", "measure: {}\n", ""])
def test_without_measures_a_condition_and_a_message_are_checked_for_all_that_is_no_name(tmp_path, measure):
    text = GOOD.replace(MEASURES_OF_GOOD, measure).replace("silent >= 3", "silent ** 3").replace("{again}", "{again!r}")
    found = faults(tmp_path, text)
    assert [each.split(":")[0] for each in found] == ["file" if not measure else "measure", "say", "when"]
    assert "'silent ** 3' is not allowed" in found[-1]


def test_the_only_measure_hides_nothing_by_its_fault(tmp_path):
    text = GOOD.replace(MEASURES_OF_GOOD, "measure:\n  missed: {count: repayment.mised, over: a month}\n")
    text = text.replace(", silent: {fitted: 2025-02-10}", "").replace(", {overdue:.0f} days late, {again}", "")
    text = text.replace("{high: score < 500, critical: missed >= 3 and paid < 7}", "{high: paid < 7}")
    asked = "missed >= 2 and overdue >= 5 or again and silent >= 3 and balance < 100"
    text = text.replace(asked, "missed >= 2 && x > 1")
    assert faults(tmp_path, text) == [
        "escalate.high: no measure named 'paid'; there is missed",
        f"measure.missed.count: {NO_MISED}",
        f"measure.missed.over: {SPAN} 'a month'",
        "when: cannot read 'missed >= 2 && x > 1'; write and in place of &&",
        "when: no measure named 'x'; there is missed",
    ]


@pytest.mark.parametrize("name", ["Again", "again-and-again", "again and late", "再次", "2nd", "class", "if", "macro"])
def test_a_badly_named_measure_that_is_used_is_one_fault(tmp_path, name):
    text = GOOD.replace("again", name)
    assert [each.split(":")[0].split(".")[0] for each in faults(tmp_path, text)] == ["measure"]
    number = text.replace(f"or {name} and", f"or {name} >= 1 and")
    assert f"when: {name!r} is true or false; use it alone or after not" in faults(tmp_path, number)


@pytest.mark.parametrize("tests", ["tests: 5\n", "tests: []\n", "tests: [5]\n"])
def test_without_cases_the_rest_is_checked(tmp_path, tests):
    text = GOOD[: GOOD.index("tests:")] + tests
    assert len(faults(tmp_path, text)) == 1
    assert len(faults(tmp_path, text.replace("count: repayment.missed", "count: repayment.mised"))) == 2


def test_an_alias_in_the_place_of_an_option_is_one_fault(tmp_path):
    text = GOOD.replace("over: 60d", "over: &a 60d").replace("over: 90d", "over: *a").replace("over: 36h", "over: *a")
    alias = "an alias (*name) is not allowed here; write the value out"
    assert faults(tmp_path, text) == [f"measure.paid.over: {alias}", f"measure.silent.over: {alias}"]


def test_a_trap_in_what_stands_a_second_time_is_told_though_the_first_has_no_such_place(tmp_path):
    again = faults(tmp_path, GOOD + "guide: [Ask., 1:30]\n")
    assert again == [
        "guide: stands here a second time; keep one of the two",
        "guide[1]: YAML reads 1:30 as a number of base 60; write '1:30' with quotes",
    ]


# -- names of rules and challengers -----------------------------------------


@pytest.mark.parametrize(
    ("rule", "challenges", "found"),
    [
        ("late", None, []),
        ("late", "late", ["challenges"]),
        ("lte", "late", ["challenges", "rule"]),
        ("late.next", "late", ["rule"]),  # one slip: which of file and name is wrong is not known
        ("late.next", "lte", ["challenges", "rule"]),
        ("late", 5, ["challenges"]),
        ("late.next", 5, ["challenges", "rule"]),
        ("Late twice", None, ["rule"]),
    ],
)
def test_a_name_and_what_it_challenges_are_one_fault_each(tmp_path, rule, challenges, found):
    line = "" if challenges is None else f"challenges: {challenges}\n"
    text = GOOD.replace("rule: late\n", f"rule: {rule}\n{line}")
    assert [each.split(":")[0] for each in faults(tmp_path, text)] == found


# -- texts beside a rule ----------------------------------------------------

TEXTS = """\
title: 逾期
why: 逾期就是信号。
say: "{missed.over} 内漏还 {missed} 期，逾期 {overdue} 天，{again}"
guide: [问一问。]
false_alarms: [换了银行。]
blind_spots: [现金。]
"""


@pytest.mark.parametrize("slips", [[], SLIPS[2:3], SLIPS[9:10]], ids=["good", "no owner", "no such event"])
def test_a_fault_of_a_rule_hides_none_of_its_texts(tmp_path, slips):
    (tmp_path / "late.yaml").write_text(with_slips(slips), "utf-8")
    beside = tmp_path / "late.zh.yaml"

    def found(texts: str) -> list[str]:
        beside.write_text(texts, "utf-8")
        every = check([tmp_path], CATALOGUE, None, None)
        return [f"{each.line} {each.path}: {each.message}" for each in every if each.file == str(beside)]

    assert found(TEXTS) == []
    assert found(TEXTS.replace("guide:", "giude:").replace("{again}", "{again!r}")) == [
        "3 say: cannot read the slot at '{again!r}'; write {measure}, {measure.over} or {measure:.0f}",
        "4 giude: no such field; did you mean 'guide'?",
    ]
