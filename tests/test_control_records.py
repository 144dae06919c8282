"""What is published: rates of exchange for foreign amounts, and figures of the economy that rules may read."""

from pathlib import Path

import pytest

from tests.arrival_logs import Ran, Told, day_ended, replayed, replayed_records, shelf, told, written

#  The limit is 500.00 of the reporting currency, CNY.
LARGE_DEBITS: Told = {
    "per": "borrower_id",
    "measure": {"spent": {"sum": "amount", "from": "account.debit", "over": "7d"}},
    "when": "spent >= 500",
    "say": "{spent} spent",
}
NEW_WORLD: Told = {
    "per": "borrower_id",
    "measure": {
        "jobless": {"now": "macro.unemployment"},
        "asked": {"count": "external.inquiry", "over": "30d"},
    },
    "when": "jobless >= 0.05 and asked >= 1",
    "say": "it is {jobless}",
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf(tmp_path_factory.mktemp("shelf"), debits=LARGE_DEBITS, jobless=NEW_WORLD)


def fx(at: str, **rates: int) -> Told:
    return {"type": "fx.published", "at": f"{at}T08:00:00+08:00", "rates": rates}


def macro(at: str, **figures: int) -> Told:
    return {"type": "macro.published", "at": f"{at}T08:00:00+08:00", "figures": figures}


def debit(event_id: str, at: str, amount_minor: int, currency: str, **own: object) -> Told:
    return told(event_id, "account.debit", at, account_id="A1", amount_minor=amount_minor, currency=currency, **own)


def spent(ran: Ran) -> list[float]:
    """What every alert of the debits says was spent."""
    alerts = ran.records("alerts.jsonl")
    return [alert["evidence"]["spent"]["value"] for alert in alerts if alert["rule"] == "debits"]


# -- rates of exchange ------------------------------------------------------


def test_a_foreign_amount_is_measured_at_the_published_rate(tmp_path, rules):
    #  100.00 USD at 7.2 = 720.00 CNY
    ran = replayed_records(
        tmp_path, fx("2025-03-01", USD=7_200_000), debit("e1", "2025-03-01", 10_000, "USD"), rules=rules
    )
    assert (ran.reasons, spent(ran)) == ([], [720])


@pytest.mark.parametrize(
    ("currency", "amount_minor", "rate"),
    [("JPY", 15_000, 48_000), ("KWD", 30_720, 23_437_500)],  # 15,000 yen at 0.048; 30.720 dinars at 23.4375
    ids=["no digits", "three digits"],
)
def test_the_digits_of_a_currency_count(tmp_path, rules, currency, amount_minor, rate):
    ran = replayed_records(
        tmp_path, fx("2025-03-01", **{currency: rate}), debit("e1", "2025-03-01", amount_minor, currency), rules=rules
    )
    assert (ran.reasons, spent(ran)) == ([], [720])


def test_an_event_with_its_own_base_amount_needs_no_rate(tmp_path, rules):
    ran = replayed_records(tmp_path, debit("e1", "2025-03-01", 10_000, "USD", base_amount_minor=70_000), rules=rules)
    assert (ran.reasons, spent(ran)) == ([], [700])


def test_a_foreign_amount_without_any_rate_is_a_bad_field(tmp_path, rules):
    ran = replayed_records(
        tmp_path, fx("2025-03-01", EUR=7_800_000), debit("e1", "2025-03-01", 10_000, "USD"), rules=rules
    )
    [letter] = ran.records("dead-letters.jsonl")
    assert (letter["reason"], letter["source"]["line"]) == ("bad_field", 2)
    assert letter["why"] == (
        "amount_minor: expected base_amount_minor or a published rate from USD to CNY, got neither; "
        "send fx.published first"
    )
    assert spent(ran) == []


def test_the_latest_rate_holds_until_another_is_published(tmp_path, rules):
    #  1st: 60.00 at 7.2 = 432, below 500.  9th, the first is out of the window: 60.00 at 9 = 540; EUR changes nothing.
    ran = replayed_records(
        tmp_path,
        fx("2025-03-01", USD=7_200_000),
        debit("e1", "2025-03-01", 6_000, "USD"),
        fx("2025-03-08", USD=9_000_000),
        fx("2025-03-09", EUR=1),
        debit("e2", "2025-03-09", 6_000, "USD"),
        rules=rules,
    )
    assert spent(ran) == [540]


def test_the_rates_are_those_of_the_reporting_currency_of_the_settings(tmp_path, rules):
    settings = tmp_path / "settings.yaml"
    settings.write_text("reporting_currency: USD\nzone: America/New_York\n")
    #  USD are what is reported; 5,000.00 CNY at 0.14 = 700.00 USD
    log = written(tmp_path / "log.jsonl", fx("2025-03-01", CNY=140_000), debit("e1", "2025-03-01", 500_000, "CNY"))
    assert spent(replayed(log, rules=rules, config=settings)) == [700]


@pytest.mark.parametrize("rates", [{"XYZ": 1}, {"USD": 0}, {"USD": -1}, {"USD": 7.2}, {"USD": "7"}], ids=str)
def test_a_rate_that_is_none_is_a_dead_letter(tmp_path, rules, rates):
    ran = replayed_records(
        tmp_path, {"type": "fx.published", "at": "2025-03-01T08:00:00Z", "rates": rates}, rules=rules
    )
    assert ran.reasons == ["bad_field"]


# -- figures of the economy -------------------------------------------------


def inquiry(event_id: str, at: str) -> Told:
    return told(event_id, "external.inquiry", at)


def test_a_rule_reads_a_published_figure(tmp_path, rules):
    ran = replayed_records(tmp_path, macro("2025-03-01", unemployment=52_000), inquiry("e1", "2025-03-01"), rules=rules)
    [alert] = ran.records("alerts.jsonl")
    assert alert["evidence"]["jobless"] == {"value": 0.052, "truth": "true"}


def test_a_condition_may_name_a_published_figure_itself(tmp_path):
    own = {key: value for key, value in NEW_WORLD["measure"].items() if key != "jobless"}
    when = {"when": "macro.unemployment >= 5% and asked >= 1", "say": "{asked} asked"}
    rules = shelf(tmp_path / "rules", named=NEW_WORLD | {"measure": own} | when)
    records = [macro("2025-03-01", unemployment=50_000), inquiry("e1", "2025-03-01")]
    assert replayed_records(tmp_path, *records, rules=rules).alerts == ["named/B17/1/opened"]
    records[0] = macro("2025-03-01", unemployment=49_999)
    assert replayed_records(tmp_path, *records, rules=rules, out="below").alerts == []


def test_a_figure_that_nobody_published_is_unknown_and_opens_nothing(tmp_path, rules):
    ran = replayed_records(tmp_path, macro("2025-03-01", inflation=52_000), inquiry("e1", "2025-03-01"), rules=rules)
    assert ran.alerts == []
    assert ran.records("profiles.jsonl")[0]["measures"]["jobless"]["B17"]["jobless"] is None


def test_a_new_figure_is_noticed_at_the_next_close_of_every_borrower(tmp_path, rules):
    #  3rd: 4.9 %  ──  4th: 5.0 %, exactly the limit  ──  close of the 4th
    ran = replayed_records(
        tmp_path,
        macro("2025-03-03", unemployment=49_000),
        inquiry("e1", "2025-03-03"),
        day_ended("2025-03-03"),
        macro("2025-03-04", unemployment=50_000),
        day_ended("2025-03-04"),
        day_ended("2025-03-05"),
        rules=rules,
    )
    [alert] = ran.records("alerts.jsonl")
    assert (alert["business_date"], alert["cause"]) == ("2025-03-04", {"type": "day.ended", "date": "2025-03-04"})


def test_a_figure_holds_until_it_is_published_again(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        macro("2025-03-01", unemployment=60_000),
        macro("2025-03-02", inflation=1),
        inquiry("e1", "2025-03-03"),
        macro("2025-03-04", unemployment=40_000),
        day_ended("2025-03-04"),
        rules=rules,
    )
    assert ran.alerts == ["jobless/B17/1/opened", "jobless/B17/1/closed"]


def test_a_figure_that_comes_before_its_date_holds_from_its_date_on(tmp_path, rules):
    #  On the 1st comes the figure of the 3rd. The inquiry of the 2nd is judged at 4 %, the close of the 3rd at 6 %.
    ran = replayed_records(
        tmp_path,
        macro("2025-03-01", unemployment=40_000),
        macro("2025-03-03", unemployment=60_000),
        inquiry("e1", "2025-03-02"),
        day_ended("2025-03-03"),
        rules=rules,
    )
    assert [alert["business_date"] for alert in ran.records("alerts.jsonl")] == ["2025-03-03"]


def test_a_late_figure_does_not_replace_a_newer_one(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        macro("2025-03-02", unemployment=40_000),
        macro("2025-03-01", unemployment=60_000),
        inquiry("e1", "2025-03-02"),
        rules=rules,
    )
    assert ran.alerts == []


def test_a_rate_that_comes_before_its_date_changes_no_amount_of_today(tmp_path, rules):
    #  60.00 USD at 7.2 = 432, at 9 = 540
    records = [
        fx("2025-03-01", USD=7_200_000),
        fx("2025-03-02", USD=9_000_000),
        debit("e1", "2025-03-01", 6_000, "USD"),
    ]
    assert spent(replayed_records(tmp_path, *records, day_ended("2025-03-02"), rules=rules)) == []
    records[2] = debit("e1", "2025-03-02", 6_000, "USD")
    assert spent(replayed_records(tmp_path, *records, day_ended("2025-03-02"), rules=rules)) == [540]


def test_control_records_alone_make_days_but_no_borrowers(tmp_path, rules):
    ran = replayed_records(tmp_path, macro("2025-03-01", unemployment=60_000), fx("2025-03-02", USD=1), rules=rules)
    assert (ran.summary["borrowers"], ran.closes, ran.reasons) == (0, ["2025-03-01", "2025-03-02"], [])
