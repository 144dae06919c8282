"""The shipped mappings of several files, on made-up rows of the form of their sources, each worked by hand."""

from pathlib import Path

import msgspec
import pytest

from config.settings import load
from connectors.ingest import ingest
from connectors.mapping_file import load_mapping, shipped_mappings
from connectors.totals import Totals

NIGERIA = {
    "previous_loans.csv": """\
customerid,systemloanid,loannumber,approveddate,creationdate,loanamount,totaldue,termdays,closeddate,referredby,\
firstduedate,firstrepaiddate
8a2a,301,1,2017-01-30 23:30:00.000000,2017-01-30 22:29:50.000000,10000.0000,13000.0000,30,\
2017-03-02 08:00:00.000000,,2017-03-01 00:00:00.000000,2017-03-02 07:45:00.000000
8a2a,302,2,2017-03-10 10:00:00.000000,2017-03-10 08:59:50.000000,20000.0000,26000.0100,60,\
2017-05-08 09:00:00.000000,,2017-04-10 00:00:00.000000,2017-04-09 00:00:00.000000
8a2b,303,1,2017-03-10 10:00:00.000000,2017-03-10 08:59:50.000000,30000.0000,40000.0000,90,\
2017-06-08 09:00:00.000000,8a2a,2017-04-10 00:00:00.000000,2017-04-12 00:00:00.000000
""",
    "outcome_loans.csv": """\
customerid,systemloanid,loannumber,approveddate,creationdate,loanamount,totaldue,termdays,referredby,good_bad_flag
8a2a,304,3,2017-07-05 17:04:41.000000,2017-07-05 16:04:18.000000,15000.0000,17250.0000,30,,Bad
8a2b,305,2,2017-07-05 17:04:41.000000,2017-07-05 16:04:18.000000,15000.0000,17250.0000,15,,Good
""",
}

KIVA = {
    "loans.csv": """\
loan_id,status,activity,posted_date,funded_date,paid_date,disbursal_date,disbursal_amount,funded_amount,repayment_term
84,paid,Butcher Shop,2005-05-15T17:00:00Z,2005-03-31T06:27:55Z,2005-12-13T12:00:40Z,2005-04-14T05:27:55Z,500,500,6.0
313,paid,Bakery,2006-05-01T10:00:00Z,2006-05-03T05:00:00Z,2006-08-03T07:30:00Z,2006-05-17T05:00:00Z,100,100,3.0
314,defaulted,Farming,2006-05-01T10:00:00Z,2006-05-04T20:00:00Z,2007-08-21T06:44:04Z,2006-05-18T20:00:00Z,100,100,3.0
315,defaulted,Farming,2006-05-01T10:00:00Z,2006-05-04T20:00:00Z,,2006-05-18T20:00:00Z,100,100,3.0
316,refunded,Farming,2006-05-01T10:00:00Z,2006-05-04T20:00:00Z,,2006-05-18T20:00:00Z,100,0,3.0
317,deleted,Farming,,,,,75,0,
""",
    "schedule.csv": """\
loan_id,seq,due_date,amount
313,1,2006-06-03T07:00:00Z,50.0
313,2,2006-12-03T08:00:00Z,50.0
316,1,2006-06-03T07:00:00Z,100.0
999,1,2006-06-03T07:00:00Z,100.0
""",
    "payments.csv": """\
loan_id,payment_id,processed_date,settlement_date,amount,local_amount
313,8,2006-06-03T06:59:59Z,2010-06-29T01:11:54Z,49.5,49.5
""",
}

CZECH = {
    "trans.asc": """\
"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"
1;25;"950731";"PRIJEM";"VKLAD";1000.00;1000.00;"";"";
2;25;"950731";"VYDAJ";"PREVOD NA UCET";1500.50;-490.40;"SIPO";"AB";"123"
3;25;"950731";"PRIJEM";"";10.10;1010.10;"UROK";"";
4;25;"950831";"VYDAJ";"VYBER";2.20;-492.60;"SANKC. UROK";"";
5;25;"950831";"VYBER";"VYBER";0;-492.60;" ";"";
""",
    "loan.asc": """\
"loan_id";"account_id";"date";"amount";"duration";"payments";"status"
1;25;950831;96396;12;8033.00;"B"
2;26;930705;1200;24;50.00;"A"
3;27;980705;1200;24;50.00;"C"
4;28;980705;1200;24;50.00;"D"
""",
    "account.asc": '"account_id";"district_id";"frequency";"date"\n25;18;"POPLATEK MESICNE";930101\n',
    "district.asc": 'A1;A2;A3\n18;"Pisek";"south Bohemia"\n',
    "disp.asc": '"disp_id";"client_id";"account_id";"type"\n1;1;25;"OWNER"\n2;2;25;"DISPONENT"\n',
    "client.asc": '"client_id";"birth_number";"district_id"\n1;"706213";18\n',
    "card.asc": '"card_id";"disp_id";"type";"issued"\n1;1;"classic";931107 00:00:00\n',
    "order.asc": '"order_id";"account_id";"bank_to";"amount";"k_symbol"\n1;25;"YZ";24.50;"SIPO"\n',
}

RATINGS = {
    "corporateCreditRatingWithFinancialRatios.csv": """\
Rating Agency,Corporation,Rating,Rating Date,CIK,Net Profit Margin,Asset Turnover,ROE - Return On Equity
Standard & Poor's Ratings Services,One Co.,A-,11/30/2010,12,10,0.5,20
Moody's Investors Service,ONE CO,BBB+,11/30/2010,12,-2.5,0.25,12.5
""",
    "corporate_rating.csv": """\
Rating,Name,Symbol,Rating Agency Name,Date,netProfitMargin,assetTurnover,companyEquityMultiplier
BBB,One Company,ONE,Egan-Jones Ratings Company,2/13/2014,0.05,2,4
BB,One Company,ONE,Egan-Jones Ratings Company,2/29/2016,0.05,-0.1,4
""",
}
SETS = {"nigeria_short_loans": NIGERIA, "kiva": KIVA, "czech_bank": CZECH, "corporate_ratings": RATINGS}
CONFIGS = {
    "nigeria_short_loans": "nigeria",
    "kiva": "kiva",
    "czech_bank": "czech",
    "corporate_ratings": "us",
    "taiwan_cards": "taiwan",
    "us_mortgages": "us",
}


def ingested(tmp_path: Path, name: str) -> tuple[Totals, list[dict]]:
    folder = tmp_path / name
    folder.mkdir()
    for file, text in SETS[name].items():
        (folder / file).write_text(text)
    totals = ingest(folder, name, tmp_path / "events.jsonl", quiet=True)
    return totals, [msgspec.json.decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]


def told(events: list[dict], borrower: str) -> list[tuple[str, str]]:
    return [(event["at"], event["id"]) for event in events if event["borrower_id"] == borrower]


@pytest.mark.parametrize("name", shipped_mappings())
def test_the_settings_for_a_replay_have_the_zone_and_currency_of_the_mapping(name):
    mapping = load_mapping(name)
    settings = load(Path(__file__).parent.parent / "config" / f"{CONFIGS[name]}.yaml")
    assert (settings.zone, settings.reporting_currency) == (mapping.zone, mapping.currency)


@pytest.mark.parametrize("name", SETS)
def test_every_row_is_used_or_refused_and_every_total_agrees(tmp_path, name):
    totals, events = ingested(tmp_path, name)
    assert totals.agree and sum(totals.written.values()) == len(events) == len({event["id"] for event in events})
    for each, text in zip(totals.files, [SETS[name][each.file] for each in totals.files], strict=True):
        assert each.read == len(text.splitlines()) - 1
        assert each.read == each.used + sum(each.refused.values()) and not each.skipped


def test_a_past_loan_of_nigeria_is_due_paid_and_closed_and_the_label_comes_with_the_end_of_the_term(tmp_path):
    _, events = ingested(tmp_path, "nigeria_short_loans")
    assert told(events, "B8a2a") == [
        ("2017-01-30T20:00:00+01:00", "L301-disbursed"),  # 23:30 in Lagos: the date in the source is local
        ("2017-03-01T08:00:00+01:00", "L301-due-1"),
        ("2017-03-02T21:00:00+01:00", "L301-received-1"),
        ("2017-03-02T22:00:00+01:00", "L301-closed"),
        ("2017-03-10T20:00:00+01:00", "L302-disbursed"),
        ("2017-04-09T21:00:00+01:00", "L302-received-1-of-2"),
        ("2017-04-10T08:00:00+01:00", "L302-due-1-of-2"),
        ("2017-05-08T21:30:00+01:00", "L302-received-2-of-60"),
        ("2017-05-08T22:00:00+01:00", "L302-closed"),
        ("2017-05-09T08:00:00+01:00", "L302-due-2-of-60"),  # 10 March and 60 days
        ("2017-07-05T20:00:00+01:00", "L304-latest-disbursed"),
        ("2017-08-04T22:00:00+01:00", "L304-latest-defaulted"),  # 5 July and 30 days
    ]
    by_id = {event["id"]: event for event in events}
    assert by_id["L305-latest-closed"]["at"] == "2017-07-20T22:00:00+01:00"
    assert by_id["L301-disbursed"]["matures_on"] == "2017-03-01"
    assert {event["currency"] for event in events} == {"NGN"}
    amounts = [by_id[f"L{loan}-due-{which}"]["amount_minor"] for loan, which in
               [(301, "1"), (302, "1-of-2"), (302, "2-of-60"), (303, "1-of-2"), (303, "2-of-90")]]  # fmt: skip
    # 26000.01 in halves is 13000.005, to the even 13000.00; 40000 in a third and two.
    assert amounts == [1_300_000, 1_300_000, 1_300_000, 1_333_333, 2_666_667]


def test_a_loan_of_kiva_is_dated_in_the_zone_of_its_dues_and_unfunded_ones_are_refused_with_all_they_have(tmp_path):
    totals, events = ingested(tmp_path, "kiva")
    assert told(events, "B313") == [
        ("2006-05-02T20:00:00-07:00", "L313-funded"),  # 05:00 UTC of the third is the evening of the second
        ("2006-06-02T21:00:00-07:00", "P8"),  # a second before the midnight on which the instalment is due
        ("2006-06-03T08:00:00-07:00", "L313-due-1"),
        ("2006-08-03T22:00:00-07:00", "L313-closed"),
        ("2006-12-03T08:00:00-08:00", "L313-due-2"),  # 08:00 UTC is midnight in winter
    ]
    by_id = {event["id"]: event for event in events}
    assert by_id["L84-posted"]["at"] == "2005-05-15T20:00:00-07:00"  # not on the stand-in of March
    assert by_id["L84-posted"]["matures_on"] == "2005-11-15"
    assert by_id["L314-defaulted"]["at"] == "2007-08-20T22:00:00-07:00"
    # Posted on 1 May, three months to 1 August, 183 days to 31 January.
    assert by_id["L315-defaulted-after-term"]["at"] == "2007-01-31T22:00:00-08:00"
    assert by_id["P8"]["amount_minor"] == 4_950
    assert [each.refused for each in totals.files] == [
        {"nothing of the loan was funded": 2},
        {"nothing of the loan was funded": 1, "the loan is not in loans.csv": 1},
        {},
    ]


def test_an_account_of_the_czech_bank_moves_in_the_order_that_its_balances_have(tmp_path):
    totals, events = ingested(tmp_path, "czech_bank")
    assert told(events, "B25") == [
        ("1993-01-01T08:00:00+01:00", "A25-opened"),
        ("1995-07-31T06:00:00+02:00", "T3-interest"),
        ("1995-07-31T09:00:00+02:00", "T1-credit"),
        ("1995-07-31T12:00:00+02:00", "T2-debit"),
        ("1995-08-31T12:00:00+02:00", "T4-debit"),
        ("1995-08-31T12:00:00+02:00", "T4-overdrawn"),
        ("1995-08-31T20:00:00+02:00", "L1-disbursed"),
        ("1996-08-31T22:00:00+02:00", "L1-unpaid"),
    ]
    by_id = {event["id"]: event for event in events}
    assert [by_id[f"T{which}"].get("category") for which in ("1-credit", "2-debit", "3-interest", "4-debit")] == [
        None,
        "household",
        "interest",
        "penalty",
    ]
    assert (by_id["T2-debit"]["amount_minor"], by_id["T2-debit"]["balance_minor"]) == (150_050, -49_040)
    assert by_id["A25-opened"]["region"] == "Pisek"
    assert by_id["L2-closed"]["at"] == "1995-07-05T22:00:00+02:00"
    assert told(events, "B27") == [("1998-07-05T20:00:00+02:00", "L3-disbursed")]  # running and fine
    assert by_id["L4-in-debt"]["at"] == "1998-12-31T22:00:00+01:00"
    assert {each.file: sum(each.refused.values()) for each in totals.files} == {
        "trans.asc": 1,
        "loan.asc": 0,
        "account.asc": 0,
        "district.asc": 1,
        "disp.asc": 2,
        "client.asc": 1,
        "card.asc": 1,
        "order.asc": 1,
    }


def test_figures_of_a_firm_are_told_after_they_were_public(tmp_path):
    totals, events = ingested(tmp_path, "corporate_ratings")
    by_id = {event["id"]: event for event in events}
    rating = by_id["C12-SP-2010-11-30-rating"]
    assert (rating["agency"], rating["grade"]) == ("Standard & Poor's Ratings Services", "A-")
    assert rating["at"] == "2010-11-30T20:00:00-05:00"
    figures = by_id["C12-SP-2010-11-30-financials"]
    assert (figures["at"], figures["period_ends"]) == ("2011-02-28T20:00:00-05:00", "2010-11-30")
    # Of a revenue of 1,000,000: 10 % profit, assets 1 / 0.5 of it, equity 0.1 / 0.2 of it.
    names = ("revenue_minor", "profit_minor", "assets_minor", "equity_minor")
    assert [figures[name] for name in names] == [100_000_000, 10_000_000, 200_000_000, 50_000_000]
    loss = by_id["C12-MDY-2010-11-30-financials"]
    assert (loss["profit_minor"], loss["equity_minor"]) == (-2_500_000, -20_000_000)
    other = by_id["SONE-EJ-2014-02-13-financials"]
    # Margin 0.05; assets 1 / 2 of revenue; a quarter of those is equity.
    assert [other[name] for name in names] == [100_000_000, 5_000_000, 50_000_000, 12_500_000]
    assert (other["at"], other["period_ends"]) == ("2015-02-13T20:00:00-05:00", "2014-08-13")
    # Assets below nothing are a fault of the source: the grade stands, the figures are left out.
    assert totals.written == {"external.financials": 3, "external.rating": 4}
    assert "SONE-EJ-2016-02-29-rating" in by_id
