"""Moves of deciding numbers and operators: which there are, which are the same rule, and that cases notice them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import load
from pipeline.conditions import OPERATIONS, Scope, fails, holds
from pipeline.events import CATALOGUE
from pipeline.measures import NAN
from pipeline.shells.nudging import least_of, nudged
from pipeline.shells.terms import terms_of
from rules.condition_text import condition_text
from rules.conditions import parse_when
from rules.loader import load_file, load_shelf
from rules.nudges import nudges
from rules.rule import Condition, Measure, Rule, Selector, Span
from rules.sameness import sameness
from tests.arrival_logs import COUNTS_MISSES, Told, forewarn, shelf

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf"
TERMS = terms_of(load())


def rule_of(tmp_path: Path, **own: Any) -> Rule:
    folder = shelf(tmp_path / "rules", moved=COUNTS_MISSES | {"say": "it holds"} | own)
    loaded = load_file(folder / "moved.yaml", CATALOGUE)
    assert loaded.rule is not None and loaded.faults == ()
    return loaded.rule


def moves(rule: Rule) -> list[tuple[str, str, str]]:
    return [(".".join(map(str, each.path)), each.was, each.became) for each in nudges(rule, CATALOGUE, least_of)]


# -- which moves there are --------------------------------------------------


def test_windows_times_and_thresholds_move_by_one_both_ways(tmp_path):
    rule = rule_of(tmp_path, when="missed >= 3", quiet="1w", clear_after="1d", **{"for": "3d"})
    # `>= 3` to `> 3` is what `>= 4` is, so it is moved once.
    assert moves(rule) == [
        ("measure.missed.over", "60d", "61d"),
        ("measure.missed.over", "60d", "59d"),
        ("when", "missed >= 3", "missed > 3"),
        ("when", "missed >= 3", "missed >= 2"),
        ("for", "3d", "4d"),
        ("for", "3d", "2d"),
        ("quiet", "7d", "8d"),
        ("quiet", "7d", "6d"),
        ("clear_after", "1d", "2d"),
        ("clear_after", "1d", "0d"),
    ]


def test_a_share_moves_by_a_hundredth_and_a_finer_number_by_its_last_digit(tmp_path):
    measure = {"used": {"latest": "used_share", "from": "account.balance"}}
    rule = rule_of(tmp_path, per="account_id", measure=measure, when="used >= 0.9", escalate={"high": "used >= 99.5%"})
    assert [each for each in moves(rule) if each[0] != "measure.used.latest"] == [
        ("when", "used >= 0.9", "used > 0.9"),
        ("when", "used >= 0.9", "used >= 0.91"),
        ("when", "used >= 0.9", "used >= 0.89"),
        ("escalate.high", "used >= 0.995", "used > 0.995"),
        ("escalate.high", "used >= 0.995", "used >= 0.996"),
        ("escalate.high", "used >= 0.995", "used >= 0.994"),
    ]


def test_a_time_in_weeks_moves_by_a_day_and_one_in_hours_by_an_hour(tmp_path):
    measure = {
        "a": {"count": "repayment.missed", "over": "2w", "ending": "1d ago"},
        "b": {"count": "repayment.missed", "over": "36h"},
    }
    found = moves(rule_of(tmp_path, measure=measure, when="a >= 1 and b >= 1"))
    assert [(was, became) for path, was, became in found if path.endswith(("over", "ending"))] == [
        ("2w", "15d"), ("2w", "13d"), ("1d ago", "2d ago"), ("36h", "37h"), ("36h", "35h"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "became"),
    [
        ("a >= 2 and b >= 2 and c >= 2", ["a >= 2 or b >= 2 and c >= 2", "a >= 2 and b >= 2 or c >= 2"]),
        ("a >= 2 or b >= 2 or c >= 2", ["a >= 2 and b >= 2 or c >= 2", "a >= 2 or b >= 2 and c >= 2"]),
        ("a - b >= 2 * c", ["a + b >= 2 * c", "a - b >= 2 / c"]),
        ("not (a >= 2)", ["a >= 2"]),
    ],
)
def test_each_and_or_not_and_sign_is_turned_alone_as_the_text_would_read(tmp_path, when, became):
    measure = {name: {"count": "repayment.missed", "over": f"{n}d"} for n, name in enumerate("abc", 10)}
    found = [text for path, _, text in moves(rule_of(tmp_path, measure=measure, when=when)) if path == "when"]
    assert set(became) <= set(found)


def test_a_verb_an_across_and_the_order_of_steps_move_to_a_near_one(tmp_path):
    per = {"per": "borrower_id"}
    lenders = {"kinds": {"distinct": "lender_kind", "from": "external.inquiry", "over": "30d"}}
    assert ("measure.kinds.distinct", "distinct", "count") in moves(
        rule_of(tmp_path, **per, measure=lenders, when="kinds >= 2")
    )
    worst = {"used": {"max": "used_share", "from": "account.balance", "over": "30d", "across": "worst"}}
    found = moves(rule_of(tmp_path, **per, measure=worst, when="used >= 0.9"))
    assert ("measure.used.max", "max", "latest") in found
    assert ("measure.used.across", "worst", "average") in found
    steps = {"slide": {"sequence": ["repayment.due", "repayment.missed"], "within": "30d"}}
    found = moves(rule_of(tmp_path, measure=steps, when="slide"))
    assert ("measure.slide.sequence.0", "repayment.due, repayment.missed", "repayment.missed, repayment.due") in found


def test_a_window_as_long_as_memory_is_moved_down_only(tmp_path):
    rule = rule_of(tmp_path, measure={"missed": {"count": "repayment.missed", "over": "400d"}})
    assert [became for path, _, became in moves(rule) if path.endswith("over")] == ["399d"]


def test_a_measure_that_only_the_message_shows_decides_nothing(tmp_path):
    measure = COUNTS_MISSES["measure"] | {"paid": {"count": "repayment.received", "over": "30d"}}
    rule = rule_of(tmp_path, measure=measure, say="{missed} missed, {paid} paid in {paid.over}")
    assert [path for path, *_ in moves(rule) if "paid" in path] == []


def test_what_when_already_says_is_not_moved_in_an_escalation_of_an_alert_that_closes_at_once(tmp_path):
    own: Told = {"when": "missed >= 2", "escalate": {"high": "missed >= 2 and late >= 9"}}
    own["measure"] = COUNTS_MISSES["measure"] | {"late": {"now": "days_past_due"}}
    at_once = [was for path, was, _ in moves(rule_of(tmp_path, **own)) if path.startswith("escalate")]
    assert "missed >= 2" not in at_once and "late >= 9" in at_once
    later = [was for path, was, _ in moves(rule_of(tmp_path, **own, clear_after="7d")) if path.startswith("escalate")]
    assert "missed >= 2" in later  # it may be false while the alert is still open


# -- which moves are the same rule ------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "is_same"),
    [
        ("missed >= 1", "missed > 0", True),
        ("missed == 0", "missed < 1", True),  # a count is never below 0
        # Two misses known at least: the first is unknown and the second false, which matters where another part held.
        ("missed == 0 or missed >= 5", "missed <= 0 or missed >= 5", False),
        ("missed == 0", "missed == 0 and missed != 1", True),
        ("missed < 1", "not (missed > 0)", True),
        ("missed < 0", "missed <= -1", True),
        ("missed >= 2 and missed >= 1", "missed >= 2", True),
        ("missed < 2 or missed < 3", "missed < 3", True),
        ("not (missed < 2)", "missed >= 2", True),
        ("2 <= missed", "missed >= 2", True),
        ("missed >= 1", "missed >= 2", False),
        ("missed >= 0", "missed >= 1", False),
        # `>` holds on what is known at least, `!=` asks for what is known exactly.
        ("missed != 0", "missed > 0", False),
        ("missed * 2 >= 3", "missed * 2 > 2", True),
        ("missed / 2 >= 1", "missed / 2 > 1", False),
    ],
)
def test_two_spellings_are_the_same_where_they_never_differ(tmp_path, one, two, is_same):
    a, b = (rule_of(tmp_path, when=when) for when in (one, two))
    assert (sameness(a, CATALOGUE, least_of) == sameness(b, CATALOGUE, least_of)) is is_same


def test_an_amount_is_above_nothing_so_that_or_more_than_nothing_is_the_same(tmp_path):
    def over(where: str) -> Rule:
        count = f"account.debit where {where}"
        return rule_of(
            tmp_path, per="account_id", measure={"large": {"count": count, "over": "30d"}}, when="large >= 1"
        )

    same = [sameness(over(where), CATALOGUE, least_of) for where in ("amount > 0", "amount >= 0", "amount > -1")]
    assert same[0] == same[1] == same[2]
    assert same[0] != sameness(over("amount > 1"), CATALOGUE, least_of)


NAMES = ("missed", "paid")
COMPARISONS = st.builds(
    "{} {} {}".format,
    st.sampled_from([*NAMES, "missed - paid"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.sampled_from(["0", "1", "2", "1.5"]),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=4,
)


def counting(when: Condition) -> Rule:
    """A rule over two counts."""
    measures = {
        name: Measure(name, "count", select=(Selector("repayment.missed"),), over=Span(60, "d")) for name in NAMES
    }
    return Rule("r", "", "live", "", "", "", "loan_id", measures, when, "low", "")


# Known exactly, known at least, or not known at all.
Pair = tuple[Any, Any]
VALUES: list[Any] = [*((n, n) for n in range(4)), (NAN, 0), (NAN, 2), (NAN, NAN)]


def verdict(condition: Condition, side: Callable[[Condition, Scope], str]) -> Callable[[Pair], bool]:
    """Whether the condition holds (or fails) for a pair of values."""
    scope = Scope(
        exact=lambda name: (f"x[{NAMES.index(name)}]", 1),
        at_least=lambda name: f"low[{NAMES.index(name)}]",
        truth=lambda name, value: "False",
        text=lambda name, comparator, text: "False",
    )
    compiled = eval(f"lambda x, low: {side(condition, scope)}", dict(OPERATIONS))
    return lambda pair: compiled((pair[0][0], pair[1][0]), (pair[0][1], pair[1][1]))


def may_follow(value: Any, later: Any) -> bool:
    """What was known exactly is known exactly later, or its feed is missing: windows only move forward."""
    return value[0] != value[0] or later[0] == later[0] or later is VALUES[-1]


@given(CONDITIONS, CONDITIONS)
def test_what_is_called_the_same_decides_the_same_whatever_is_known(one, two):
    a, b = (parse_when(each, dict.fromkeys(NAMES, "number")) for each in (one, two))
    if sameness(counting(a), CATALOGUE, least_of) != sameness(counting(b), CATALOGUE, least_of):
        return
    pairs = [(x, y) for x in VALUES for y in VALUES]
    opens, opens_too = verdict(a, holds), verdict(b, holds)
    assert [opens(pair) for pair in pairs] == [opens_too(pair) for pair in pairs], (one, two)
    # How it fails is asked only while an alert is open or pending, so after the condition held.
    closes, closes_too = verdict(a, fails), verdict(b, fails)
    differ = [pair for pair in pairs if closes(pair) != closes_too(pair)]
    for before in filter(opens, pairs):
        assert not [later for later in differ if all(map(may_follow, before, later))], (one, two, before)


@given(CONDITIONS)
def test_every_move_that_is_kept_reads_back_as_itself(condition):
    rule = counting(parse_when(condition, dict.fromkeys(NAMES, "number")))
    for each in nudges(rule, CATALOGUE, least_of):
        text = condition_text(each.rule.when)
        assert condition_text(parse_when(text, dict.fromkeys(NAMES, "number"))) == text


# -- what cases notice ------------------------------------------------------

PINNED: Told = {
    "quiet": "30d",
    "clear_after": "7d",
    "when": "missed >= 2",
    "escalate": {"high": "missed >= 3"},
    "say": "{missed} missed in {missed.over}",
}
MISS: Told = {"event": "repayment.missed"}


def case(name: str, days: list[int], *expect: tuple[int, str]) -> Told:
    alerts = [{"day": day, "alert": alert} for day, alert in expect]
    return {"name": name, "given": [{"day": day} | MISS for day in days], "expect": alerts or "nothing"}


#  misses 0 and 59: opened -- 60: day 0 is out -- 67: false for 7 days; 80: two again, but quiet until 59 + 30
LIFE = case("a life", [0, 59, 80], (59, "low"), (67, "closed"), (89, "low"))
WORSE = case("a third", [0, 20, 40], (20, "low"), (40, "high"))


def test_a_move_that_no_case_notices_is_told_with_its_line_and_both_texts(tmp_path):
    rules = shelf(tmp_path / "rules", pinned=COUNTS_MISSES | PINNED | {"tests": [WORSE, case("none", [0])]})
    (rule,) = load_shelf([rules], CATALOGUE).rules
    unnoticed = {(each.nudge.was, each.nudge.became) for each in nudged(rule, TERMS).unnoticed}
    # Three misses within forty days say nothing of the sixtieth day, of the end, or of what comes after it.
    assert unnoticed == {
        ("60d", "61d"), ("60d", "59d"), ("30d", "31d"), ("30d", "29d"), ("7d", "8d"), ("7d", "6d")
    }  # fmt: skip


def test_a_message_that_tells_the_moved_window_is_no_case_that_notices_it(tmp_path):
    worse = WORSE | {"expect": [{"day": 20, "alert": "low", "say": "2 missed in 60 days"}, WORSE["expect"][1]]}
    rules = shelf(tmp_path / "rules", pinned=COUNTS_MISSES | PINNED | {"tests": [worse]})
    (rule,) = load_shelf([rules], CATALOGUE).rules
    assert ("60d", "61d") in {(each.nudge.was, each.nudge.became) for each in nudged(rule, TERMS).unnoticed}


def test_cases_at_the_edges_notice_every_move(tmp_path):
    rules = shelf(tmp_path / "rules", pinned=COUNTS_MISSES | PINNED | {"tests": [LIFE, WORSE]})
    ran = forewarn("rules", "test", "--nudge", "--strict", rules)
    assert ran.code == 0 and "10 moves: 10 noticed by a case, 0 not, 0 excused in the file" in ran.out


def test_unnoticed_moves_are_exit_code_one_only_when_that_is_asked_for(tmp_path):
    rules = shelf(tmp_path / "rules", pinned=COUNTS_MISSES | PINNED | {"tests": [WORSE]})
    ran = forewarn("rules", "test", "--nudge", rules)
    assert ran.code == 0 and "4 noticed by a case, 6 not" in ran.out
    assert "pinned.yaml:1 quiet" in ran.out and "30d" in ran.out and "31d" in ran.out
    assert forewarn("rules", "test", "--nudge", "--strict", rules).code == 1
    quiet = forewarn("rules", "test", "--nudge", "--quiet", "--lang", "zh", rules)
    assert quiet.code == 0 and "没有用例发现的改动" in quiet.out


def test_strict_alone_is_refused_with_a_sentence():
    ran = forewarn("rules", "test", "--strict")
    assert ran.code == 2 and ran.err.startswith("--strict: expected --nudge beside it")


def test_a_rule_whose_case_fails_is_not_moved(tmp_path):
    wrong = case("wrong", [0], (0, "low"))
    rules = shelf(tmp_path / "rules", pinned=COUNTS_MISSES | PINNED | {"tests": [wrong]})
    ran = forewarn("rules", "test", "--nudge", rules)
    assert ran.code == 1 and "not moved, as a case fails: pinned" in ran.out


def test_a_comment_excuses_the_field_that_it_names_and_no_other(tmp_path):
    text = (SHIPPED / "external" / "late-elsewhere.yaml").read_text("utf-8")
    path = tmp_path / "late-elsewhere.yaml"
    path.write_text(text.replace("nudge-ok max, over:", "nudge-ok max:"), "utf-8")
    (rule,) = load_shelf([path], CATALOGUE).rules
    found = nudged(rule, TERMS)
    assert {each.nudge.path for each in found.unnoticed} == {("measure", "longest", "over")}
    assert found.excused == 3  # the verb, and `quiet` both ways


@pytest.mark.parametrize("rule", load_shelf([SHIPPED], CATALOGUE).rules, ids=lambda rule: rule.rule)
def test_the_cases_of_a_shipped_rule_notice_every_move(rule):
    found = nudged(rule, TERMS)
    assert found.moves >= 2
    assert [(each.line, each.nudge.was, each.nudge.became) for each in found.unnoticed] == []
