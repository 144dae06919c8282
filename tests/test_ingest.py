"""Files of banks become events: what each row gives, in which order, with totals that agree."""

import csv
import gzip
import hashlib
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from connectors.arrival_log import ArrivalLog, order_of
from connectors.cells import Row
from connectors.ingest import ingest, print_totals
from connectors.mapping import MappingError
from connectors.plan import Money
from connectors.samples import TAIWAN_CARDS
from pipeline.decode import Arrival, Decoder
from pipeline.events import rank_of

HEADER = (
    "id,time,mat_time,balance_time,LTV_time,interest_rate_time,hpi_time,gdp_time,uer_time,balance_orig_time,"
    "default_time,payoff_time"
)
# Two loans by hand: 7 is paid off in its second quarter, 8 begins a quarter later and defaults at once.
TWO_LOANS = f"""{HEADER}
7,1,120,60000.00,80,6.5,100.25,2.5,4.7,64000,0,0
7,2,120,59000.5,75,6.5,101,-1.5,4.8,64000,0,1
8,2,20,1000,,0,101,-1.5,4.8,0,1,0
"""


def ingested(tmp_path: Path, text: str | bytes, mapping: str = "us_mortgages", out: str = "events.jsonl") -> list[dict]:
    source = tmp_path / "source.csv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    ingest(source, mapping, tmp_path / out, quiet=True)
    return events_of(tmp_path / out)


def events_of(file: Path) -> list[dict]:
    raw = file.read_bytes()
    return [msgspec.json.decode(line) for line in (gzip.decompress(raw) if file.suffix == ".gz" else raw).splitlines()]


def arrivals(file: Path, *, zone: str, currency: str) -> list[Arrival]:
    decoder = Decoder(zone=zone, reporting_currency=currency)
    lines = gzip.decompress(file.read_bytes()).splitlines()
    return [decoder.decode(line, {"line": number}) for number, line in enumerate(lines, start=1)]


def test_a_row_gives_the_events_that_its_mapping_says_in_arrival_order(tmp_path):
    events = ingested(tmp_path, TWO_LOANS)
    # 2000-03-31 is Eastern Standard Time; daylight saving began on 2 April, so that 2000-06-30 is four hours behind.
    assert [(event["id"], event["at"]) for event in events] == [
        ("macro-1", "2000-03-31T08:00:00-05:00"),
        ("L7-disbursed", "2000-03-31T09:00:00-05:00"),
        ("L7-1-snapshot", "2000-03-31T12:00:00-05:00"),
        ("macro-2", "2000-06-30T08:00:00-04:00"),
        ("L8-disbursed", "2000-06-30T09:00:00-04:00"),
        ("L7-2-snapshot", "2000-06-30T12:00:00-04:00"),
        ("L8-2-snapshot", "2000-06-30T12:00:00-04:00"),
        ("L7-closed", "2000-06-30T18:00:00-04:00"),
        ("L8-defaulted", "2000-06-30T18:00:00-04:00"),
    ]


def test_amounts_shares_and_dates_are_converted_exactly(tmp_path):
    by_id = {event["id"]: event for event in ingested(tmp_path, TWO_LOANS)}
    assert by_id["L7-disbursed"] == {
        "id": "L7-disbursed",
        "source": "us_mortgages",
        "type": "loan.disbursed",
        "at": "2000-03-31T09:00:00-05:00",
        "borrower_id": "B7",
        "currency": "USD",
        "loan_id": "L7",
        "product": "mortgage",
        "segment": "retail",
        "principal_minor": 6_400_000,
        "rate_ppm": 65_000,
        "collateral_value_minor": 7_500_000,  # 60000.00 / 0.80
        "matures_on": "2029-12-31",  # quarter 120 is the last of the thirtieth year
    }
    assert by_id["L7-2-snapshot"]["collateral_value_minor"] == 7_866_733  # 5900050 / 0.75 = 7866733.33
    # An index is a plain number, the others are percent.
    assert by_id["macro-1"]["figures"] == {"hpi": 100_250_000, "gdp": 25_000, "unemployment": 47_000}
    assert "borrower_id" not in by_id["macro-1"] and "currency" not in by_id["macro-1"]


def test_what_the_source_does_not_say_is_left_out_and_counted(tmp_path):
    source = tmp_path / "source.csv"
    source.write_text(TWO_LOANS)
    totals = ingest(source, "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    by_id = {event["id"]: event for event in events_of(tmp_path / "events.jsonl")}
    assert "collateral_value_minor" not in by_id["L8-2-snapshot"]
    assert by_id["L8-2-snapshot"]["rate_ppm"] == 0  # zero is said, empty is not
    assert totals.unknown_fields == {
        "loan.disbursed.collateral_value_minor": 1,
        "loan.snapshot.collateral_value_minor": 1,
    }


def test_control_totals_account_for_every_row_and_every_cent(tmp_path):
    source = tmp_path / "source.csv"
    source.write_text(TWO_LOANS)
    totals = ingest(source, "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    money = {(each.event, each.field): each for each in totals.money}
    principal = money["loan.disbursed", "principal_minor"]
    # 64000 + 64000 + 0 read; the second row of loan 7 gives no disbursal.
    assert (principal.read_minor, principal.left_out_minor, principal.written_minor) == (
        12_800_000,
        6_400_000,
        6_400_000,
    )
    outstanding = money["loan.snapshot", "outstanding_minor"]
    assert outstanding.written_minor == 6_000_000 + 5_900_050 + 100_000
    assert totals.agree and totals.rows_read == 3 and totals.rows_skipped == {}


def test_an_exact_repeat_of_a_row_is_skipped_and_counted(tmp_path):
    source = tmp_path / "source.csv"
    source.write_text(TWO_LOANS + TWO_LOANS.splitlines()[2] + "\n")
    totals = ingest(source, "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    assert totals.rows_read == 4 and totals.rows_skipped == {"repeated": 1}
    assert len(events_of(tmp_path / "events.jsonl")) == 9
    assert {each.left_out_minor for each in totals.money if each.field == "outstanding_minor"} == {5_900_050}


def test_more_digits_than_the_currency_has_are_rounded_half_to_even_and_counted(tmp_path):
    # 59000.505 and 1000.015 lie half-way: to the even neighbours 5900050 and 100002.
    text = TWO_LOANS.replace("59000.5", "59000.505").replace(",1000,", ",1000.015,")
    source = tmp_path / "source.csv"
    source.write_text(text)
    totals = ingest(source, "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    by_id = {event["id"]: event for event in events_of(tmp_path / "events.jsonl")}
    assert by_id["L7-2-snapshot"]["outstanding_minor"] == 5_900_050
    assert by_id["L8-2-snapshot"]["outstanding_minor"] == 100_002
    assert totals.rounded_values == 2
    outstanding = next(each for each in totals.money if each.field == "outstanding_minor")
    assert outstanding.rounding_minor == Decimal("0.0") and outstanding.agrees  # -0.5 and +0.5


def test_a_source_of_two_hundred_loans_decodes_whole_in_order_and_agrees(tmp_path):
    rows = [HEADER]
    for loan in range(200):
        first, length = loan % 40 + 1, loan % 17 + 1
        for time in range(first, first + length):
            is_last = time == first + length - 1
            default, payoff = int(is_last and loan % 3 == 0), int(is_last and loan % 3 == 1)
            balance = f"{10_000 + 137 * loan - 50 * time}.{loan % 100:02d}"
            rows.append(
                f"{loan},{time},{time + 100},{balance},{50 + time}.25,6.125,{100 + time},1.5,5,20000,{default},{payoff}"
            )
    source = tmp_path / "source.csv.gz"
    source.write_bytes(gzip.compress("\n".join(rows).encode()))
    totals = ingest(source, "us_mortgages", tmp_path / "events.jsonl.gz", quiet=True)
    decoded = arrivals(tmp_path / "events.jsonl.gz", zone="America/New_York", currency="USD")
    assert Counter(each.type for each in decoded) == totals.written
    # 67 of 200 numbers leave no rest after division by three, 67 leave one.
    assert (totals.written["loan.disbursed"], totals.written["loan.defaulted"], totals.written["loan.closed"]) == (
        200,
        67,
        67,
    )
    assert_in_arrival_order(decoded)


def assert_in_arrival_order(decoded: list[Arrival]) -> None:
    keys = [(each.date, each.at_ms, rank_of(each.feed), each.event.id) for each in decoded]
    assert keys == sorted(keys)
    assert len({each.event.id for each in decoded}) == len(decoded)
    assert sum(each.unknown for each in decoded) == 0


def test_the_shipped_sample_decodes_whole_in_order_and_agrees(tmp_path):
    totals = ingest(TAIWAN_CARDS, "taiwan_cards", tmp_path / "events.jsonl.gz", quiet=True)
    decoded = arrivals(tmp_path / "events.jsonl.gz", zone="Asia/Taipei", currency="TWD")
    assert_in_arrival_order(decoded)
    # Sums over the CSV's own columns, without the mapping: clients, payments above 0, months late of 1 or more, labels.
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(TAIWAN_CARDS.read_bytes()).decode())))
    late = sum(int(row[name]) >= 1 for row in rows for name in ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"))
    bills = [int(row[f"BILL_AMT{k}"]) for row in rows for k in range(1, 7)]
    paid = [int(row[f"PAY_AMT{k}"]) for row in rows for k in range(1, 7)]
    assert Counter(each.type for each in decoded) == {
        "account.balance": 6_000,
        "account.statement": 6_000,
        "loan.snapshot": 6_000,
        "loan.defaulted": 216,
        "repayment.missed": late,
        "repayment.received": sum(amount > 0 for amount in paid),
    }
    written = {(each.event, each.field): each.written_minor for each in totals.money}
    assert written["account.statement", "balance_minor"] == 100 * sum(bills)
    assert written["loan.snapshot", "outstanding_minor"] == 100 * sum(bill for bill in bills if bill > 0)
    assert written["repayment.received", "amount_minor"] == 100 * sum(paid)


def test_one_client_of_the_sample_worked_by_hand(tmp_path):
    ingest(TAIWAN_CARDS, "taiwan_cards", tmp_path / "events.jsonl", quiet=True)
    # 51,70000,...; PAY_0..PAY_6: 1,2,2,2,2,0; bills 37042,36171,38355,39423,38659,39362;
    # paid 0,3100,2000,0,1500,1500; 1
    mine = [event for event in events_of(tmp_path / "events.jsonl") if event["borrower_id"] == "B51"]
    assert [(event["at"][:16], event["type"]) for event in mine if event["at"] < "2005-06"] == [
        ("2005-04-30T09:00", "loan.snapshot"),
        ("2005-04-30T09:00", "account.balance"),
        ("2005-04-30T09:00", "account.statement"),
        ("2005-04-30T12:00", "repayment.received"),
        ("2005-05-31T09:00", "loan.snapshot"),
        ("2005-05-31T09:00", "account.balance"),
        ("2005-05-31T09:00", "account.statement"),
        ("2005-05-31T12:00", "repayment.received"),
        ("2005-05-31T18:00", "repayment.missed"),
    ]
    by_id = {event["id"]: event for event in mine}
    assert by_id["L51-2005-04-snapshot"]["outstanding_minor"] == 3_936_200
    assert [by_id[f"L51-2005-{month}-snapshot"]["days_past_due"] for month in ("04", "05", "08", "09")] == [
        0,
        60,
        60,
        30,
    ]
    assert by_id["A51-2005-09-balance"]["used_share_ppm"] == 529_171  # 37042 / 70000 = 0.5291714
    assert by_id["A51-2005-09-statement"]["closed_on"] == "2005-09-30"
    assert by_id["L51-2005-09-missed"]["months"] == 1
    assert "L51-2005-06-received" not in by_id and "L51-2005-09-received" not in by_id
    assert by_id["L51-defaulted"]["at"] == "2005-10-31T12:00:00+08:00"


def test_a_credit_balance_is_nothing_outstanding_but_stays_on_the_statement(tmp_path):
    header, *rows = gzip.decompress(TAIWAN_CARDS.read_bytes()).decode().splitlines()
    cells = dict(zip(header.split(","), rows[0].split(","), strict=True)) | {"BILL_AMT6": "-250"}
    events = ingested(tmp_path, f"{header}\n{','.join(cells.values())}\n", "taiwan_cards")
    april = {event["type"]: event for event in events if event["at"] < "2005-05"}
    assert april["loan.snapshot"]["outstanding_minor"] == 0
    assert april["account.statement"]["balance_minor"] == -25_000
    assert april["account.balance"]["used_share_ppm"] == 0


def test_the_sample_holds_the_clients_with_the_smallest_hashes():
    rows = csv.DictReader(io.StringIO(gzip.decompress(TAIWAN_CARDS.read_bytes()).decode()))
    everyone = sorted(range(1, 30_001), key=lambda client: hashlib.sha256(str(client).encode()).digest())
    assert [int(row["ID"]) for row in rows] == sorted(everyone[:1_000])


def test_equal_input_gives_equal_bytes_plain_or_gzip(tmp_path):
    ingested(tmp_path, TWO_LOANS, out="a.jsonl.gz")
    ingested(tmp_path, TWO_LOANS, out="b.jsonl.gz")
    ingested(tmp_path, TWO_LOANS, out="c.jsonl")
    packed = (tmp_path / "a.jsonl.gz").read_bytes()
    assert packed == (tmp_path / "b.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "c.jsonl").read_bytes()


def test_sorting_on_disk_gives_the_order_of_sorting_in_memory(tmp_path):
    # Day 2 before day 10, an instant before 1970 in UTC, a rank before an id, and L4 before L4-25.
    added = [
        (order_of(day=day, at_ms=at_ms, rank=rank), identity)
        for day, at_ms, rank, identity in [
            (10, 5, 1, "a"), (2, 9, 1, "L4-25"), (2, 9, 1, "L4"), (2, 9, 0, "z"), (2, -1, 3, "b"), (2, 10, 0, "c")
        ]
    ]  # fmt: skip
    expected = ["b", "z", "L4", "L4-25", "c", "a"]
    for run_length in (1, 2, 4, 100):
        log = ArrivalLog(tmp_path, run_length=run_length)
        for order, identity in added:
            log.add(order, identity, identity.encode())
        assert [line.decode().strip() for line in log.in_order()] == expected


@pytest.mark.parametrize("run_length", [1, 2, 3, 100])
def test_an_id_that_comes_twice_is_found_wherever_the_two_lie(tmp_path, run_length):
    log = ArrivalLog(tmp_path, run_length=run_length)
    for day, identity in enumerate(["b", "a", "a-1", "b-1", "c"]):
        log.add(order_of(day=day, at_ms=0, rank=1), identity, b"{}")
    log.refuse_repeated_ids()
    log.add(order_of(day=9, at_ms=0, rank=1), "a", b"{}")
    with pytest.raises(MappingError, match="event a: expected an id of its own for each event, got this one twice"):
        log.refuse_repeated_ids()


def test_a_difference_that_nothing_explains_shows_in_the_totals():
    money = Money("loan.snapshot", "outstanding_minor", 0, "balance", shift=2, has_floor=False)
    row = Row(["12.34"], line=2, header=["balance"])
    money.see(row)
    money.use(row, 1_235)
    assert (money.expected(), money.rounding) == (1_234, 0)


@pytest.mark.parametrize(("lang", "words"), [("en", ["= written", "agrees"]), ("zh", ["控制总额", "一致"])])
def test_the_totals_are_printed_in_both_languages(tmp_path, capsys, lang, words):
    source = tmp_path / "source.csv"
    source.write_text(TWO_LOANS)
    print_totals(ingest(source, "us_mortgages", tmp_path / "events.jsonl", quiet=True), lang)
    printed = capsys.readouterr().out
    assert all(word in printed for word in [*words, "64,000.00", "120,000.50", "loan.disbursed"])
