"""Event files as they come: empty lines, other line ends, gzip, and gzip that breaks off."""

import gzip
import json
import random
import zlib

import pytest

from connectors.whole_lines import CHUNK
from tests.arrival_logs import COUNTS_MISSES, Ran, as_line, forewarn, missed, paid, replayed, shelf, told


@pytest.fixture
def rules(tmp_path):
    return shelf(tmp_path / "rules", misses=COUNTS_MISSES)


def two_lines() -> list[bytes]:
    """Two misses of two loans: an alert each."""
    return [as_line(missed(f"e{n}", "2025-03-01", loan_id=f"L{n}")) for n in (1, 2)]


BOTH = ["misses/L1/1/opened", "misses/L2/1/opened"]


def replay_of(tmp_path, rules, content: bytes, name: str = "log.jsonl") -> Ran:
    (tmp_path / name).write_bytes(content)
    return replayed(tmp_path / name, rules=rules)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not-ended"])
def test_lines_end_with_a_line_feed_or_with_two_characters_and_the_last_need_not(tmp_path, rules, end, last):
    content = end.join(two_lines()) + (end if last else b"")
    assert replay_of(tmp_path, rules, content).alerts == BOTH


def test_empty_lines_are_passed_over_but_counted_in_line_numbers(tmp_path, rules):
    first, second = two_lines()
    ran = replay_of(tmp_path, rules, b"\n\n" + first + b"\n \t\r\n{\n\n" + second + b"\n\n\n")
    assert ran.alerts == BOTH
    assert [letter["source"]["line"] for letter in ran.records("dead-letters.jsonl")] == [5]
    assert ran.summary["events"] == 3


def test_only_the_end_of_a_line_is_taken_off_and_not_a_byte_of_the_record(tmp_path, rules):
    ran = replay_of(tmp_path, rules, b" {\t\r\r\n")
    assert [letter["bytes"] for letter in ran.records("dead-letters.jsonl")] == [" {\t\r"]


def test_a_mark_of_byte_order_at_the_start_of_a_file_belongs_to_no_record(tmp_path, rules):
    ran = replay_of(tmp_path, rules, b"\xef\xbb\xbf" + b"\n".join(two_lines()))
    assert (ran.alerts, ran.reasons) == (BOTH, [])


@pytest.mark.parametrize("content", [b"", b"\n \n"], ids=["no-bytes", "no-records"])
def test_an_empty_file_is_a_run_without_events(tmp_path, rules, content):
    ran = replay_of(tmp_path, rules, content)
    assert (ran.code, ran.err) == (0, "")
    for name in ("alerts", "collection-tasks", "dead-letters", "profiles", "order", "shadow"):
        assert ran.lines(f"{name}.jsonl") == []
    assert (ran.summary["events"], ran.summary["borrowers"], ran.summary["as_of"]) == (0, 0, None)


def test_an_empty_file_beside_another_changes_nothing(tmp_path, rules):
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(two_lines()))
    assert replayed(tmp_path / "empty.jsonl", tmp_path / "log.jsonl", rules=rules).alerts == BOTH


# -- gzip -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.jsonl"], ids=["named", "not-named"])
def test_a_gzip_file_is_known_by_its_content(tmp_path, rules, name):
    ran = replay_of(tmp_path, rules, gzip.compress(b"\n".join(two_lines())), name)
    assert (ran.code, ran.alerts, ran.reasons) == (0, BOTH, [])


def test_a_plain_file_with_a_gzip_name_is_read_as_it_is(tmp_path, rules):
    assert replay_of(tmp_path, rules, b"\n".join(two_lines()), "log.jsonl.gz").alerts == BOTH


def test_a_gzip_of_several_streams_and_padding_is_read_to_its_end(tmp_path, rules):
    first, second = two_lines()
    content = gzip.compress(first + b"\n" + second[:9]) + gzip.compress(second[9:]) + bytes(100)
    assert replay_of(tmp_path, rules, content, "log.jsonl.gz").alerts == BOTH


def test_a_line_that_spans_many_chunks_is_one_line(tmp_path, rules):
    long = as_line(paid("e0", "2025-03-01", channel="x" * 3 * CHUNK))
    ran = replay_of(tmp_path, rules, b"\n".join([long, *two_lines()]))
    assert ran.alerts == BOTH
    assert [letter["bytes"].encode() for letter in ran.records("dead-letters.jsonl")] == [long]


def many_lines(count: int) -> list[bytes]:
    """Misses of as many borrowers, with ids that do not compress well."""
    draw = random.Random(7)
    return [
        as_line(missed(f"e{n}", "2025-03-01", borrower_id=f"B{draw.getrandbits(160)}", loan_id=f"L{n}"))
        for n in range(count)
    ]


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_of_a_gzip_that_breaks_off_every_whole_line_is_used_and_then_the_run_fails(tmp_path, rules, share):
    packed = gzip.compress(b"".join(line + b"\n" for line in many_lines(400)))
    cut = packed[: int(len(packed) * share)]
    # What a decompressor without a buffer of its own can get out of these bytes.
    whole = zlib.decompressobj(wbits=31).decompress(cut).count(b"\n")
    ran = replay_of(tmp_path, rules, cut, "log.jsonl.gz")
    assert 100 < whole <= 400
    assert (ran.summary["events"], len(ran.alerts), ran.summary["profiles"]) == (whole, whole, whole)
    assert ran.reasons == []  # the broken last line is no dead letter
    assert ran.code == 2
    assert (
        ran.err == "log.jsonl.gz: expected a whole gzip file, got one that ends too early; its whole lines were used\n"
    )
    assert ran.summary["truncated"] == ["log.jsonl.gz"]


@pytest.mark.parametrize("length", [0, 1, 2, 9])
def test_a_gzip_that_hardly_begins_is_one_that_breaks_off(tmp_path, rules, length):
    ran = replay_of(tmp_path, rules, gzip.compress(b"\n".join(two_lines()))[:length], "log.jsonl.gz")
    assert (ran.code, ran.summary["events"], ran.summary["truncated"]) == (2, 0, ["log.jsonl.gz"])


def test_the_other_files_are_read_to_their_end_when_one_breaks_off(tmp_path, rules):
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(two_lines()[0])[:-9])
    (tmp_path / "log.jsonl").write_bytes(two_lines()[1])
    ran = replayed(tmp_path / "cut.jsonl.gz", tmp_path / "log.jsonl", rules=rules)
    assert (ran.code, ran.alerts) == (2, ["misses/L2/1/opened"])


def test_a_gzip_that_was_altered_is_refused_with_one_sentence(tmp_path, rules):
    packed = bytearray(gzip.compress(b"\n".join(many_lines(50))))
    packed[-6] ^= 1  # a bit of the checksum
    ran = replay_of(tmp_path, rules, bytes(packed), "log.jsonl.gz")
    assert ran.code == 2
    assert ran.err == (
        "log.jsonl.gz: expected a sound gzip file, got a damaged one (Error -3 while decompressing data: "
        "incorrect data check); fetch the file again\n"
    )


def test_escaped_and_plain_texts_of_any_script_come_through(tmp_path, rules):
    record = told("e1", "external.employment", "2025-03-01", status="unemployed", topic="失业")
    plain, escaped = json.dumps(record, ensure_ascii=False).encode(), json.dumps(record).encode()
    assert plain != escaped
    ran = replay_of(tmp_path, rules, plain + b"\n" + escaped)
    assert (ran.reasons, ran.summary["events"]) == ([], 2)  # the second is an exact repeat


def test_a_file_that_is_not_there_is_one_sentence(tmp_path, rules):
    ran = forewarn("replay", tmp_path / "no.jsonl", "--rules", rules, "--out", tmp_path / "out")
    assert ran.code == 2
    assert ran.err == f"{tmp_path / 'no.jsonl'}: expected an event file, got nothing there; check the name\n"
