"""Files that break a promise: each gives one sentence that says where, and leaves nothing half-done behind."""

import gzip
import zlib
from pathlib import Path

import pytest

from connectors.arrival_log import write_lines
from connectors.ingest import ingest
from connectors.mapping import MappingError
from connectors.samples import TAIWAN_CARDS

HEADER = (
    "id,time,mat_time,balance_time,LTV_time,interest_rate_time,hpi_time,gdp_time,uer_time,balance_orig_time,"
    "default_time,payoff_time"
)
TWO_LOANS = f"""{HEADER}
7,1,120,60000.00,80,6.5,100.25,2.5,4.7,64000,0,0
7,2,120,59000.5,75,6.5,101,-1.5,4.8,64000,0,1
8,2,20,1000,,0,101,-1.5,4.8,0,1,0
"""


def refusal(tmp_path: Path, content: str | bytes) -> str:
    (tmp_path / "source.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(MappingError) as caught:
        ingest(tmp_path / "source.csv", "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    # Neither events nor anything that was put aside stays behind.
    assert [path.name for path in tmp_path.iterdir()] == ["source.csv"]
    return str(caught.value)


def test_a_gzip_that_breaks_off_gives_its_whole_lines_and_then_an_error(tmp_path):
    whole = TAIWAN_CARDS.read_bytes()
    cut = whole[: len(whole) // 2]
    text = zlib.decompressobj(wbits=31).decompress(cut)
    whole_rows = text.count(b"\n") - 1  # without the header; what follows the last line feed is no whole line
    (tmp_path / "cut.csv.gz").write_bytes(cut)
    with pytest.raises(MappingError, match=f"breaks off after {whole_rows} rows") as caught:
        ingest(tmp_path / "cut.csv.gz", "taiwan_cards", tmp_path / "events.jsonl", quiet=True)
    totals = caught.value.totals
    assert totals is not None and totals.is_cut_off and totals.agree
    assert 0 < whole_rows < 1_000 and totals.written["loan.snapshot"] == 6 * whole_rows
    assert (tmp_path / "events.jsonl").read_bytes().count(b"\n") == sum(totals.written.values())


@pytest.mark.parametrize(
    ("replaced", "by", "sentence"),
    [
        ("hpi_time", "hpi_tme", "us_mortgages, 'hpi_time' not there; did you mean 'hpi_tme'?"),
        ("59000.5", "59,000.5", "row 3: expected 12 columns as in the header, got 13"),
        ("59000.5", "abc", "row 3, column balance_time: expected a number such as 1234.50, got 'abc'"),
        ("59000.5", "nan", "row 3, column balance_time: expected a number such as 1234.50, got 'nan'"),
        ("59000.5", "٣", "row 3, column balance_time: expected a number such as 1234.50, got '٣'"),
        ("59000.5", "9" * 61, "row 3, column balance_time: expected a number"),
        ("59000.5", "-1", "outstanding_minor"),
        ("7,2,120", "7,2.5,120", "row 3, column time: expected a whole number, got '2.5'"),
        ("7,2,120", "7,900,120", "row 3, column time: expected the number of a quarter from 1970 to 2199"),
        ("7,2,120", "7,,120", "row 3, id, time: expected a key, got an empty cell"),
        ("7,2,120", "7/x,2,120", "row 3, borrower_id: expected letters, digits and . _ : - only, got 'B7/x'"),
        ("7,2,120", "7,1,120", "row 3: expected one row for id=7, time=1, got another one than row 2"),
        ("1000,,0,101", "1000,,0,102", "row 4: expected the same macro.published for 2 as in row 3, got hpi 102"),
        ("4.8,0,1,0", "4.8,,1,0", "row 4, principal_minor of loan.disbursed: expected a value, got an empty cell"),
        ("7,2,120,59000.5", '7,2,120,"59000.5', "row 4: expected comma-separated values"),
        ("id,time", "time,time", "source.csv: expected each column once, got 'time' twice"),
    ],
)  # fmt: skip
def test_a_wrong_source_gives_one_sentence_that_says_where(tmp_path, replaced, by, sentence):
    assert replaced in TWO_LOANS
    text = TWO_LOANS.replace(replaced, by, 1)
    got = refusal(tmp_path, text)
    assert sentence in got and "\n" not in got


def test_rows_of_a_key_out_of_order_are_refused(tmp_path):
    header, first, second, *_ = TWO_LOANS.splitlines()
    got = refusal(tmp_path, "\n".join([header, second, first]))
    assert got.startswith("row 3: expected the rows of 7 in order of date, got 2000-03-31 after 2000-06-30 in row 2")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected a header line with the names of the columns, got an empty file"),
        (b"\x1f\x8b\x08\x00", "got a gzip stream that breaks off before its first line"),
        (HEADER.encode(), "expected rows that give events, got 0 rows and no event"),
        (HEADER.encode() + b"\n7,1,\xff", "row 2: expected UTF-8, got byte 0xff"),
    ],
)
def test_an_unreadable_source_gives_one_sentence(tmp_path, content, sentence):
    assert sentence in refusal(tmp_path, content)


def test_a_source_that_is_not_there_or_is_the_output_is_refused(tmp_path):
    with pytest.raises(MappingError, match="expected a readable CSV file"):
        ingest(tmp_path / "none.csv", "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    (tmp_path / "source.csv").write_text(TWO_LOANS)
    with pytest.raises(MappingError, match="got the source itself"):
        ingest(tmp_path / "source.csv", "us_mortgages", tmp_path / "source.csv", quiet=True)
    assert (tmp_path / "source.csv").read_text() == TWO_LOANS


def test_a_disk_that_loses_a_line_is_found_out_by_the_totals(tmp_path, monkeypatch):
    def lossy(lines, file, *, is_gzip):
        write_lines([line for line in lines if b"L7-2-snapshot" not in line], file, is_gzip=is_gzip)

    monkeypatch.setattr("connectors.ingest.write_lines", lossy)
    got = refusal(tmp_path, TWO_LOANS)
    # 60000.00 + 59000.50 + 1000.00 read; the second is lost.
    assert "loan.snapshot outstanding_minor: 12000050 read, 6100000 written" in got


def test_two_streams_in_one_gzip_are_one_file(tmp_path):
    lines = TWO_LOANS.encode().splitlines(keepends=True)
    (tmp_path / "source.csv").write_bytes(
        gzip.compress(b"".join(lines[:2])) + gzip.compress(b"".join(lines[2:])) + b"\0\0"
    )
    totals = ingest(tmp_path / "source.csv", "us_mortgages", tmp_path / "events.jsonl", quiet=True)
    assert totals.rows_read == 3


def test_a_damaged_gzip_is_refused_whole(tmp_path):
    packed = bytearray(gzip.compress(TWO_LOANS.encode()))
    packed[-8] ^= 1  # the first byte of the checksum
    assert "expected a sound gzip file, got a damaged one" in refusal(tmp_path, bytes(packed))
