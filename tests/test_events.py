import re
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from pipeline.events import (
    ATTRIBUTES,
    CATALOGUE,
    EVENT_CLASSES,
    FEED_OF_CLASS,
    FEEDS,
    RANK,
    TOPICS,
    TYPES,
    DayEnded,
    Event,
    Record,
    RepaymentDue,
    Scored,
    digits,
    feed_of,
    rank_of,
    type_of,
)
from pipeline.examples import EXAMPLES
from rules.catalogue import Field

# What the specification names, type by type: `?` marks what may be absent.
WRITTEN = """
loan.disbursed: loan_id product principal_minor rate_ppm? collateral_value_minor? matures_on? purpose? segment? \
schedule?
loan.rescheduled: loan_id schedule reason? distressed
loan.paused: loan_id from_date until_date reason?
repayment.due: loan_id instalment due_on amount_minor
repayment.received: loan_id amount_minor kind? channel?
repayment.reversed: loan_id reverses
repayment.missed: loan_id instalment? months?
loan.snapshot: loan_id outstanding_minor? arrears_minor? days_past_due? collateral_value_minor? rate_ppm?
loan.classified loan.defaulted loan.written_off loan.closed: loan_id class? reason?
account.credit account.debit: account_id amount_minor category? counterparty_kind? balance_minor?
account.balance: account_id balance_minor limit_minor? used_share_ppm?
account.statement: account_id balance_minor minimum_due_minor? limit_minor? closed_on
account.overdrawn account.frozen account.closed: account_id amount_minor?
external.inquiry: lender_kind? purpose?
external.score: score agency?
external.rating: agency grade outlook?
external.debt: total_minor? overdue_minor? overdue_over_90d_minor? lenders?
external.delinquency: days_past_due lender_kind?
external.legal external.insolvency external.tax: kind? amount_minor?
external.news: sentiment_ppm? topic?
external.employment: status
external.financials: period_ends revenue_minor? profit_minor? equity_minor? assets_minor? receivables_minor?
relation.set: related_id kind ended?
borrower.updated: segment? region? industry? zone?
contact.attempted contact.held: task_id? loan_id? channel answered? by?
promise.made promise.kept promise.broken: promise_id amount_minor due_on
dispute.opened dispute.closed hardship.granted borrower.deceased: loan_id? until? reason?
alert.acknowledged alert.dismissed task.begun task.done rule.snoozed: alert_id? task_id? rule? reason? outcome? \
until? by
watch.added watch.removed loan.class_confirmed: loan_id? class? reason? review_on? by approved_by?
borrower.erased: by approved_by
connected.warned: about kind severity rule episode
model: model score_ppm
day.ended: date feeds?
shelf.published: hash author approver
model.published: hash author approver model?
macro.published: figures
fx.published: rates
"""
OWN_FIELDS = {
    name: set(fields.split())
    for line in WRITTEN.strip().splitlines()
    for names, fields in [line.split(":")]
    for name in names.split()
}
COMMON = {"id", "source", "at", "borrower_id", "currency?", "business_date?", "base_amount_minor?"}
COMMON_OF_CONTROL = {"id?", "source?", "at"}


def fields_on_the_wire(event_class):
    return {f.encode_name + ("" if f.required else "?") for f in msgspec.structs.fields(event_class)}


def test_the_catalogue_has_every_type_that_is_specified_and_no_other():
    assert set(EVENT_CLASSES) == set(OWN_FIELDS)


@pytest.mark.parametrize("name", OWN_FIELDS)
def test_a_type_has_the_fields_that_are_specified_and_no_other(name):
    event_class = EVENT_CLASSES[name]
    if issubclass(event_class, Record):
        common = COMMON
    else:
        common = COMMON_OF_CONTROL - {"at"} | {"at?"} if event_class is DayEnded else COMMON_OF_CONTROL
    assert fields_on_the_wire(event_class) == OWN_FIELDS[name] | common


def test_every_class_stands_in_one_topic_but_a_score_which_is_a_feed_of_its_own():
    in_topics = [each for classes in TOPICS.values() for each in classes]
    assert len(in_topics) == len(set(in_topics))
    assert set(TYPES) - set(in_topics) == {Scored}
    assert TOPICS.keys() == FEEDS.keys()


def test_ranks_are_control_repayment_account_external_connected_outcomes_officer_models():
    order = ["control", "repayment", "account", "external", "connected", "outcomes", "officer", "models"]
    assert sorted(RANK, key=RANK.__getitem__) == order
    assert [rank_of(feed) for feed in FEEDS.values()] == [1, 2, 3, 5, 6, 4, 0]
    assert rank_of("model.payment_stress") == 7


def test_an_event_knows_its_type_and_its_feed():
    due = event_of("repayment.due")
    assert isinstance(due, RepaymentDue)
    assert (type_of(due), feed_of(due)) == ("repayment.due", "repayment")
    score = msgspec.convert(
        {**EXAMPLES["model.payment_stress"], "type": "model", "model": "model.payment_stress"}, Scored
    )
    assert (type_of(score), feed_of(score)) == ("model.payment_stress", "model.payment_stress")


def test_there_is_an_example_of_every_type_and_it_leaves_out_only_what_cannot_stand_together():
    for name, event_class in EVENT_CLASSES.items():
        example = EXAMPLES["model.payment_stress" if event_class is Scored else name]
        fields = {f.encode_name for f in msgspec.structs.fields(event_class)} - {"model"} | set(example) & {"model"}
        assert set(example) <= fields | {"type"}, name
        assert fields - set(example) <= {"base_amount_minor", "alert_id", "task_id", "rule"}, name


def test_an_event_survives_the_packing_of_memory():
    for name in EXAMPLES.keys() - {"model.payment_stress"}:
        event = event_of(name)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


# -- what a rule sees --------------------------------------------------------


def test_a_rule_sees_every_event_of_a_borrower_and_no_control_record():
    assert set(CATALOGUE.events) == {
        name for name, each in EVENT_CLASSES.items() if FEED_OF_CLASS.get(each, "control") != "control"
    }


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("repayment.due", Field("amount", "amount", None)),
        ("repayment.due", Field("instalment", "count", None)),
        ("repayment.due", Field("due_on", "date", None)),
        ("repayment.missed", Field("months", "count", "high")),
        ("repayment.received", Field("kind", "text", None)),
        ("loan.rescheduled", Field("distressed", "flag", None)),
        ("loan.snapshot", Field("days_past_due", "days", "high")),
        ("loan.snapshot", Field("arrears", "amount", "high")),
        ("loan.snapshot", Field("outstanding", "amount", None)),
        ("loan.snapshot", Field("collateral_value", "amount", "low")),
        ("loan.classified", Field("class", "text", None)),
        ("account.balance", Field("balance", "amount", "low")),
        ("account.balance", Field("limit", "amount", "low")),
        ("account.balance", Field("used_share", "share", "high")),
        ("account.statement", Field("minimum_due", "amount", "high")),
        ("external.score", Field("score", "number", "low")),
        ("external.debt", Field("total", "amount", "high")),
        ("external.debt", Field("overdue_over_90d", "amount", "high")),
        ("external.debt", Field("lenders", "count", "high")),
        ("external.news", Field("sentiment", "share", "low")),
        ("external.financials", Field("profit", "amount", "low")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_field_has_the_unit_and_the_worse_end_that_it_should(event, field):
    # What values keep to is asked where rules are judged by it.
    assert replace(CATALOGUE.events[event].fields[field.name], least=None, most=None) == field


def test_the_score_of_a_model_is_a_share_and_high_is_worse():
    assert CATALOGUE.model.fields == {"score": Field("score", "share", "high", least=0, most=1)}


def test_names_of_people_and_single_things_are_not_for_rules():
    for kind in CATALOGUE.events.values():
        assert not kind.fields.keys() & {
            "by",
            "approved_by",
            "alert_id",
            "task_id",
            "promise_id",
            "loan_id",
            "id",
            "schedule",
        }


def test_no_name_of_a_field_says_its_unit_to_a_rule():
    names = {name for kind in CATALOGUE.events.values() for name in kind.fields} | set(CATALOGUE.facts)
    assert not [name for name in names if re.search("_(minor|ppm)$", name)]


def test_movements_are_kept_a_hundred_days_and_then_as_totals_and_all_else_four_hundred():
    kept = {name: (kind.kept_days, kind.totals_days) for name, kind in CATALOGUE.events.items()}
    assert kept.pop("account.credit") == kept.pop("account.debit") == (100, 800)
    assert set(kept.values()) == {(400, 0)}


def test_events_are_of_the_loan_or_account_that_they_name():
    keys = {name: kind.key for name, kind in CATALOGUE.events.items()}
    assert keys["repayment.due"] == keys["dispute.opened"] == "loan_id"
    assert keys["account.debit"] == "account_id"
    assert keys["external.debt"] is keys["connected.warned"] is None


def test_every_field_of_a_rule_is_found_in_the_event():
    for name, kind in CATALOGUE.events.items():
        assert ATTRIBUTES[name].keys() == kind.fields.keys()
        for attribute in ATTRIBUTES[name].values():
            assert hasattr(event_of(name), attribute)
    assert ATTRIBUTES["watch.added"]["class"] == "class_"


# -- money -------------------------------------------------------------------


def test_digits_are_those_of_iso_4217():
    assert [digits(code) for code in ("CNY", "USD", "JPY", "KWD", "CLF")] == [2, 2, 0, 3, 4]
    assert Decimal(12345).scaleb(-digits("KWD")) == Decimal("12.345")


@pytest.mark.parametrize("code", ["XYZ", "cny", "", "XAU"])
def test_a_currency_that_is_unknown_or_without_minor_units_has_no_digits(code):
    with pytest.raises(KeyError, match=re.escape(repr(code))):
        digits(code)


def event_of(name):
    return msgspec.convert(EXAMPLES[name], EVENT_CLASSES[name])
