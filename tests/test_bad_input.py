"""Records that cannot be used, through the command: each is a dead letter with its sentence and its untouched bytes."""

import base64
from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Told,
    as_line,
    due,
    missed,
    paid,
    replayed,
    replayed_records,
    shelf,
    told,
    written,
)

MINOR = "expected integer minor units"
EXAMPLE = "(12345 is 123.45 CNY)"
ABOVE_0 = f"{MINOR} from 1 to {2**53} {EXAMPLE}, got"
NO_INTEGER = f"amount_minor: {MINOR} {EXAMPLE}, got"
NO_JSON = "expected one JSON object a record, got text that is no JSON: "
TYPE = "type: expected a type of the catalogue"
DATE = "expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got"
INSTANT = "at: expected an instant with offset such as 2025-03-05T09:30:00+08:00, got"
ID = "characters of A-Z a-z 0-9 . _ : -, got"


def payment(**own: object) -> Told:
    return paid("e1", "2025-03-01", **own)


def without(name: str) -> Told:
    return {key: value for key, value in payment().items() if key != name}


def with_text(text: bytes, by: bytes) -> bytes:
    """The bytes of a payment in which a piece of the JSON was replaced."""
    assert text in as_line(payment())
    return as_line(payment()).replace(text, by)


AMOUNT = b'"amount_minor":120000'
BAD: dict[str, tuple[Told | bytes, str, str]] = {
    "a float for an amount": (payment(amount_minor=123.45), "bad_field", f"{NO_INTEGER} 123.45"),
    "a whole float": (payment(amount_minor=12.0), "bad_field", f"{NO_INTEGER} 12.0"),
    "a text for an amount": (payment(amount_minor="12000"), "bad_field", f'{NO_INTEGER} "12000"'),
    "true for an amount": (payment(amount_minor=True), "bad_field", f"{NO_INTEGER} true"),
    "null for an amount": (payment(amount_minor=None), "bad_field", f"{NO_INTEGER} null"),
    "nothing": (payment(amount_minor=0), "bad_field", f"amount_minor: {ABOVE_0} 0"),
    "less": (payment(amount_minor=-5), "bad_field", f"amount_minor: {ABOVE_0} -5"),
    "5,000 digits": (
        with_text(AMOUNT, b'"amount_minor":' + b"9" * 5_000),
        "bad_field",
        f"{NO_INTEGER} {'9' * 57}...",
    ),
    "an infinity": (with_text(AMOUNT, b'"amount_minor":1e400'), "bad_field", f"{NO_INTEGER} 1e400"),
    "NaN": (with_text(AMOUNT, b'"amount_minor":NaN'), "not_json", NO_JSON),
    "an unknown currency": (
        payment(currency="XYZ"),
        "bad_field",
        'currency: expected an ISO 4217 currency with minor units such as CNY, got "XYZ"',
    ),
    "a date that is none": (due("e1", "2025-03-01", due_on="2025-02-30"), "bad_field", f'due_on: {DATE} "2025-02-30"'),
    "an instant that is none": (
        payment(at="2025-02-30T09:00:00+08:00"),
        "bad_field",
        f'{INSTANT} "2025-02-30T09:00:00+08:00"',
    ),
    "an instant without offset": (payment(at="2025-03-01T09:00:00"), "bad_field", f'{INSTANT} "2025-03-01T09:00:00"'),
    "no instant": (without("at"), "bad_field", f"{INSTANT} nothing"),
    "no id": (without("id"), "bad_field", f"id: expected 1 to 128 {ID} nothing"),
    "an empty id": (payment(id=""), "bad_field", f'id: expected 1 to 128 {ID} ""'),
    "an id of 129": (payment(id="x" * 129), "bad_field", f'id: expected 1 to 128 {ID} "{"x" * 56}...'),
    "no borrower": (without("borrower_id"), "bad_field", f"borrower_id: expected 1 to 64 {ID} nothing"),
    "a borrower of 65": (
        payment(borrower_id="B" * 65),
        "bad_field",
        f'borrower_id: expected 1 to 64 {ID} "{"B" * 56}...',
    ),
    "no loan": (without("loan_id"), "bad_field", f"loan_id: expected 1 to 64 {ID} nothing"),
    "a slash in an id": (payment(loan_id="L/4"), "bad_field", f'loan_id: expected 1 to 64 {ID} "L/4"'),
    "an instalment of none": (
        due("e1", "2025-03-01", instalment=0),
        "bad_field",
        "instalment: expected an integer from 1",
    ),
    "no type": (without("type"), "bad_field", f'{TYPE} such as "repayment.due", got nothing'),
    "a type misspelt": (
        payment(type="repayment.recieved"),
        "unknown_type",
        f'{TYPE}, got "repayment.recieved"; did you mean "repayment.received"?',
    ),
    "no UTF-8": (
        with_text(b"core", b"c\xffre"),
        "not_json",
        "expected JSON in UTF-8, got byte 0xff at position 22; send UTF-8",
    ),
    "100,000 brackets": (b"[" * 100_000, "not_json", "expected at most 64 levels of nesting, got more"),
    "100 objects": (b'{"a":' * 100 + b"1" + b"}" * 100, "not_json", "expected at most 64 levels of nesting, got more"),
    "deep in a field unknown": (
        with_text(b'"loan_id"', b'"more":' + b"[" * 70 + b"]" * 70 + b',"loan_id"'),
        "not_json",
        "expected at most 64 levels of nesting",
    ),
    "a NUL in a text": (payment(channel="a\0b"), "not_json", "expected texts of whole characters, got a NUL character"),
    "a bare NUL": (b"\0", "not_json", NO_JSON),
    "a NUL behind": (as_line(payment()) + b"\0", "not_json", NO_JSON),
    "an array": (b"[1]", "not_json", "expected one JSON object a record, got an array"),
    "null": (b"null", "not_json", "expected one JSON object a record, got null"),
    "half a record": (as_line(payment())[:-9], "not_json", NO_JSON),
    "two records on a line": (as_line(payment()) * 2, "not_json", NO_JSON),
    "10 MB": (payment(channel="x" * 10_000_000), "too_long", "expected at most 1048576 bytes, got 10000"),
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf(tmp_path_factory.mktemp("shelf"), misses=COUNTS_MISSES)


@pytest.mark.parametrize("name", BAD)
def test_a_record_that_cannot_be_used_is_a_dead_letter_and_the_rest_goes_on(tmp_path, rules, name):
    record, reason, why = BAD[name]
    ran = replayed_records(
        tmp_path, missed("e0", "2025-03-01"), record, missed("e9", "2025-03-01", loan_id="L9"), rules=rules
    )
    assert (ran.code, ran.err, ran.out) == (0, "", "")
    [letter] = ran.records("dead-letters.jsonl")
    assert (letter["reason"], letter["source"]) == (reason, {"file": "out.jsonl", "line": 2})
    assert letter["why"].startswith(why) and len(letter["why"]) < 200 and "\n" not in letter["why"]
    is_base64 = letter.get("encoding") == "base64"
    kept = base64.b64decode(letter["bytes"]) if is_base64 else letter["bytes"].encode()
    assert kept == as_line(record)
    assert is_base64 is (name == "no UTF-8")
    assert ran.alerts == ["misses/L4/1/opened", "misses/L9/1/opened"]
    assert ran.summary["dead_letters"] == {reason: 1}


def test_an_id_of_128_characters_is_a_good_one(tmp_path, rules):
    ran = replayed_records(
        tmp_path, missed("x" * 128, "2025-03-01", borrower_id="B" * 64, loan_id="L" * 64), rules=rules
    )
    assert (ran.reasons, ran.alerts) == ([], [f"misses/{'L' * 64}/1/opened"])


def test_all_bad_records_in_one_file_are_all_dead_letters_in_their_order(tmp_path, rules):
    short = [record for name, (record, _, _) in BAD.items() if name != "10 MB"]
    ran = replayed_records(tmp_path, *short, missed("e0", "2025-03-01"), rules=rules)
    assert [letter["source"]["line"] for letter in ran.records("dead-letters.jsonl")] == list(range(1, len(short) + 1))
    assert ran.alerts == ["misses/L4/1/opened"]
    assert ran.summary["by_type"] == {"repayment.missed": 1}


def test_bad_records_do_not_move_the_days_of_several_files(tmp_path, rules):
    first = written(
        tmp_path / "first.jsonl", missed("e1", "2025-03-01"), b"{", missed("e3", "2025-03-03", loan_id="L3")
    )
    second = written(tmp_path / "second.jsonl", b"[]", told("e2", "external.inquiry", "2025-03-02"))
    ran = replayed(first, second, rules=rules)
    assert ran.closes == ["2025-03-01", "2025-03-02", "2025-03-03"]
    assert sorted((each["source"]["file"], each["source"]["line"]) for each in ran.records("dead-letters.jsonl")) == [
        ("first.jsonl", 2),
        ("second.jsonl", 1),
    ]
