"""What a mapping may say beyond one plain file: folders, look-ups, derived columns, refusals, words, moved dates."""

import gzip
from pathlib import Path

import msgspec
import pytest

from connectors.ingest import ingest, print_totals
from connectors.mapping import MappingError
from connectors.mapping_file import load_mapping
from connectors.row_keys import RowKeys
from connectors.totals import Totals

# Loans and payments of a made-up bank: a payment knows its loan, and the loan its customer.
BANK = """mapping: bank
about: made up
currency: CNY
zone: Asia/Shanghai
separator: ";"
files:
  - file: loans.csv
    row_key: [loan]
    borrower_id: B{customer}
    dated: {date: day, format: "%y%m%d"}
    refused:
      - because: never paid out
        when: {state: {one_of: [refused, withdrawn]}}
    events:
      - event: loan.disbursed
        id: L{loan}-disbursed
        fields:
          loan_id: L{loan}
          product: {text: kind, words: {HYP: mortgage, AUT: car-loan}}
          principal_minor: {major: amount}
          matures_on: {date: day, format: "%y%m%d", plus_months: months, plus_days: 1}
  - file: [pay*.csv, payments.txt]
    row_key: [nr]
    borrower_id: B{loan.customer}
    looks_up:
      loan: {file: loans.csv, key: loan, by: loan, columns: [customer, state]}
    derived:
      paid_on: {date: paid, format: "%d.%m.%Y"}
    dated: {date: paid_on}
    refused:
      - because: its loan is not there
        when: {loan.customer: {present: false}}
      - because: its loan was never paid out
        when: {loan.state: {equals: refused}}
    events:
      - event: repayment.received
        id: P{paid_on}-{nr}
        fields: {loan_id: "L{loan}", amount_minor: {major: amount}}
  - file: notes.csv
    refused: [{because: nobody reads them}]
"""
LOANS = """loan;customer;day;kind;amount;months;state
1;7;250131;HYP;1000.00;1;open
2;8;250201;AUT;500;12;withdrawn
3;9;250201;AUT;500;;open
4;9;250201;AUT;500;12;refused
"""
PAYMENTS = """nr;loan;paid;amount
1;1;05.03.2025;10.50
2;4;05.03.2025;20
3;77;05.03.2025;40
"""


def folder_of(tmp_path: Path, **changed: str) -> Path:
    files = {"loans.csv": LOANS, "payments.csv": PAYMENTS, "notes.csv": "note\nhello\nworld\n"}
    folder = tmp_path / "bank"
    folder.mkdir(exist_ok=True)
    for name, text in (files | {name.replace("_", "."): text for name, text in changed.items()}).items():
        (folder / name).write_text(text)
    return folder


def run(tmp_path: Path, source: Path, mapping: str = BANK) -> tuple[Totals, dict[str, dict]]:
    (tmp_path / "bank.yaml").write_text(mapping)
    totals = ingest(source, tmp_path / "bank.yaml", tmp_path / "events.jsonl", quiet=True)
    events = [msgspec.json.decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    return totals, {event["id"]: event for event in events}


def refusal(tmp_path: Path, source: Path, mapping: str = BANK) -> str:
    (tmp_path / "bank.yaml").write_text(mapping)
    with pytest.raises(MappingError) as caught:
        ingest(source, tmp_path / "bank.yaml", tmp_path / "events.jsonl", quiet=True)
    assert not (tmp_path / "events.jsonl").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def fault_of(tmp_path: Path, mapping: str) -> str:
    (tmp_path / "bank.yaml").write_text(mapping)
    with pytest.raises(MappingError) as caught:
        load_mapping(tmp_path / "bank.yaml")
    return str(caught.value)


def test_every_row_of_a_folder_gives_events_or_stands_under_one_reason(tmp_path):
    totals, events = run(tmp_path, folder_of(tmp_path))
    assert list(events) == ["L1-disbursed", "L3-disbursed", "P2025-03-05-1"]
    assert [(each.file, each.read, each.used, each.refused) for each in totals.files] == [
        ("loans.csv", 4, 2, {"never paid out": 2}),
        ("payments.csv", 3, 1, {"its loan was never paid out": 1, "its loan is not there": 1}),
        ("notes.csv", 2, 0, {"nobody reads them": 2}),
    ]
    money = {(each.event, each.field): each for each in totals.money}
    received = money["repayment.received", "amount_minor"]
    assert (received.read_minor, received.left_out_minor, received.written_minor) == (7_050, 6_000, 1_050)
    assert totals.agree and totals.rows_read == 9


def test_a_row_looks_up_what_another_file_knows_of_its_key(tmp_path):
    _, events = run(tmp_path, folder_of(tmp_path))
    assert events["P2025-03-05-1"]["borrower_id"] == "B7"
    assert events["P2025-03-05-1"]["at"] == "2025-03-05T12:00:00+08:00"


def test_dates_move_by_months_and_days_and_stay_unknown_when_a_part_is(tmp_path):
    _, events = run(tmp_path, folder_of(tmp_path))
    # A month after 31 January is 28 February, and the day after that 1 March.
    assert events["L1-disbursed"]["matures_on"] == "2025-03-01"
    assert "matures_on" not in events["L3-disbursed"]


def test_a_code_is_called_by_its_word_and_an_unknown_code_is_refused(tmp_path):
    _, events = run(tmp_path, folder_of(tmp_path))
    assert [events[f"L{loan}-disbursed"]["product"] for loan in (1, 3)] == ["mortgage", "car-loan"]
    folder = folder_of(tmp_path, loans_csv=LOANS.replace("HYP", "HYPO"))
    (tmp_path / "events.jsonl").unlink()
    assert refusal(tmp_path, folder).startswith("loans.csv, row 2, column kind: expected one of HYP, AUT, got 'HYPO'")


def test_one_file_of_a_folder_is_read_alone_with_what_it_looks_up(tmp_path):
    folder = folder_of(tmp_path)
    totals, events = run(tmp_path, folder / "payments.csv")
    assert list(events) == ["P2025-03-05-1"] and totals.rows_read == 3
    (folder / "payments.csv").rename(folder / "payments.txt")
    assert run(tmp_path, folder)[0].rows_read == 9


def test_files_that_the_mapping_does_not_name_are_told(tmp_path, capsys):
    totals, _ = run(tmp_path, folder_of(tmp_path, extra_csv="x\n1\n", _hidden="x"))
    assert totals.not_read == ("extra.csv",)
    print_totals(totals, "en")
    printed = capsys.readouterr().out
    assert "not read, the mapping does not name it: extra.csv" in printed
    assert "refused: never paid out" in printed and "payments.csv" in printed
    print_totals(totals, "zh")
    assert "拒收：never paid out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"loans_csv": LOANS.replace("1000.00", "1000,00")}, "loans.csv, row 2, column amount: expected a number such "
         "as 1234.50, got '1000,00'"),
        ({"loans_csv": LOANS.replace("250131", "250231")}, "loans.csv, row 2, column day: expected a date of the form "
         "%y%m%d, got '250231'"),
        ({"loans_csv": LOANS.replace("250131", "25131")}, "loans.csv, row 2, column day: expected a date of the form "
         "%y%m%d, got '25131'"),  # no guess at 2025-01-31 or 2025-13-1
        ({"loans_csv": LOANS.replace("250131", "25013١")}, "column day: expected a date"),
        ({"loans_csv": LOANS.replace(";1;open", ";-1;open")}, "column months: expected a number from 0 to 100000"),
        ({"loans_csv": LOANS.replace(";1;open", ";9999;open")}, "row 2: expected a date until 2199, got 2025-01-31 "
         "plus 9999 months and 1 days"),
        ({"loans_csv": LOANS.replace("2;8;", "1;8;")}, "loans.csv: row 3: expected one row for loan=1, got a second"),
        ({"loans_csv": LOANS.replace("customer", "client")}, "loans.csv: expected the columns of mapping bank, "
         "'customer' not there"),
        ({"payments_csv": PAYMENTS.replace("loan;paid", "lone;paid")}, "payments.csv: expected the column 'loan'"),
        ({"payments_csv": PAYMENTS.replace("paid;amount", "paid;paid_on")}, "payments.csv: expected a name in "
         "'derived' and 'looks_up' that no column has, got 'paid_on'"),
        ({"payments_csv": PAYMENTS.replace(";paid;", ";date;")}, "payments.csv: expected the columns of mapping bank, "
         "'paid' not there"),
        ({"payments_csv": PAYMENTS.replace("10.50", "10.50;1")}, "payments.csv, row 2: expected 4 columns as in the "
         "header, got 5"),
        ({"payments_txt": PAYMENTS}, "bank: expected one file pay*.csv or payments.txt, plain or gzip, got payments.csv"
         " and payments.txt; take one away"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_a_folder_gives_one_sentence_that_says_where(tmp_path, changed, sentence):
    assert sentence in refusal(tmp_path, folder_of(tmp_path, **changed))


def test_a_folder_or_file_of_something_else_is_refused_with_what_was_expected(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "notes.csv").unlink()
    (folder / "payments.csv").rename(folder / "taiwan.csv")
    got = refusal(tmp_path, folder)
    assert "expected the files of mapping bank, plain or gzip, got none for pay*.csv or payments.txt, notes.csv" in got
    names = "(loans.csv, pay*.csv or payments.txt, notes.csv)"
    assert f"or one of them {names}, got another name; check the name" in refusal(tmp_path, folder / "taiwan.csv")
    assert f"or one of them {names}, got nothing there; check the name" in refusal(tmp_path, tmp_path / "none")
    with pytest.raises(MappingError, match="expected one CSV file for mapping taiwan_cards, got a folder"):
        ingest(folder, "taiwan_cards", tmp_path / "events.jsonl", quiet=True)


@pytest.mark.parametrize(
    ("replaced", "by", "sentence"),
    [
        ("    row_key: [nr]\n", "", "files[1]: row_key is missing"),
        ("    borrower_id: B{customer}\n", "", "files[0]: borrower_id is missing"),
        ("[{because: nobody reads them}]", "[]", "files[2]: expected at least one event"),
        ("P{paid_on}-{nr}", "L{loan}-disbursed", "files[1].events[0].id: expected an id of its own for each event"),
        ('separator: ";"', 'separator: "-"', "separator: expected"),
        ("plus_days: 1", "plus_days: -1", "plus_days"),
        ("dated: {date: paid_on}", "dated: {date: paid_on, words: {a: b}}", "expected 'words' beside 'text' only"),
        ("{major: amount}}", "{major: amount, plus_days: 1}}", "expected 'plus_days' and 'plus_months' beside a date"),
        ('{date: paid, format: "%d.%m.%Y"}', "{major: paid}", "files[1].derived.paid_on: expected one of date"),
        ("one_of: [refused, withdrawn]", "one_of: []", "one_of"),
        ("file: notes.csv", "file: a/notes.csv", "files[2].file"),
        ("{major: amount}}", "{ratio: [{product: [{product: [2, 3]}, 4]}, 5]}}", "got a product in a product"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mapping_of_a_folder_is_named_with_its_place(tmp_path, replaced, by, sentence):
    assert replaced in BANK
    got = fault_of(tmp_path, BANK.replace(replaced, by, 1))
    assert sentence in got and got.startswith("bank.yaml:")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2025-03-05", "2025-03-05"),
        ("2025-03-05 23:59:59.000000", "2025-03-05"),  # without an offset it is meant in the zone of the mapping
        ("2025-03-05T15:59:59Z", "2025-03-05"),  # 23:59:59 in Shanghai
        ("2025-03-05T16:00:00Z", "2025-03-06"),
        ("2025-03-05T00:00:00+14:00", "2025-03-04"),  # 10:00 UTC of the day before is 18:00 in Shanghai
    ],
)
def test_an_instant_is_dated_in_the_zone_of_the_mapping(tmp_path, cell, day):
    mapping = BANK.replace('{date: paid, format: "%d.%m.%Y"}', "{date: paid}")
    payments = f"nr;loan;paid;amount\n1;1;{cell};10.50\n"
    _, events = run(tmp_path, folder_of(tmp_path, payments_csv=payments), mapping)
    assert events[f"P{day}-1"]["at"] == f"{day}T12:00:00+08:00"


def test_a_ratio_may_be_of_products(tmp_path):
    mapping = BANK.replace("{major: amount}}", "{ratio: [{product: [{major: amount}, 30]}, {product: [4, 5]}]}}")
    _, events = run(tmp_path, folder_of(tmp_path), mapping)
    assert events["P2025-03-05-1"]["amount_minor"] == 1_575  # 1050 x 30 / 20


def test_repeated_rows_are_known_after_many_others(tmp_path):
    keys = RowKeys(tmp_path / "keys")
    for line in range(5_000):
        assert keys.first(f"k{line % 4_000}", digest=bytes([line % 7]), line=line) == (
            bytes([line % 4_000 % 7]),
            line % 4_000,
        )
    keys.close()


def test_a_gzip_of_a_folder_that_breaks_off_is_named_and_its_whole_lines_are_used(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "payments.csv").unlink()
    many = PAYMENTS.splitlines()[0] + "\n" + "".join(f"{nr};1;05.03.2025;{nr}.37\n" for nr in range(1, 3_000))
    packed = gzip.compress(many.encode())
    (folder / "payments.csv.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "bank.yaml").write_text(BANK)
    with pytest.raises(
        MappingError, match=r"payments\.csv\.gz: expected a whole gzip file, got one .* after \d+ rows"
    ) as got:
        ingest(folder, tmp_path / "bank.yaml", tmp_path / "events.jsonl", quiet=True)
    assert got.value.totals is not None and got.value.totals.agree
    assert [each.is_cut_off for each in got.value.totals.files] == [False, True, False]
    assert (tmp_path / "events.jsonl").read_bytes().count(b"\n") == 2 + got.value.totals.files[1].used


def test_a_file_that_is_looked_up_must_be_whole(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "loans.csv").unlink()
    packed = gzip.compress(LOANS.encode())
    (folder / "loans.csv.gz").write_bytes(packed[:-4])
    assert refusal(tmp_path, folder / "payments.csv").startswith("loans.csv.gz: expected a whole gzip file")
