"""Records that are refused, each in one sentence; and whatever the bytes, nothing else is raised."""

import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decode import Decoder, Refusal
from pipeline.examples import EXAMPLES
from pipeline.forms import FORM_OF_CLASS, fault_of
from tests.records import DUE, MONEY, SHANGHAI, days, decoded, raw_of, refusal

# -- refusals ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount_minor": 123.45}, f"amount_minor: expected integer minor units {MONEY}, got 123.45"),
        ({"amount_minor": 12345.0}, f"amount_minor: expected integer minor units {MONEY}, got 12345.0"),
        ({"amount_minor": "12345"}, f'amount_minor: expected integer minor units {MONEY}, got "12345"'),
        ({"amount_minor": True}, f"amount_minor: expected integer minor units {MONEY}, got true"),
        ({"amount_minor": None}, f"amount_minor: expected integer minor units {MONEY}, got null"),
        ({"amount_minor": [1]}, f"amount_minor: expected integer minor units {MONEY}, got an array"),
        ({"amount_minor": ...}, f"amount_minor: expected integer minor units {MONEY}, got nothing"),
        (
            {"amount_minor": 0},
            f"amount_minor: expected integer minor units from 1 to 9007199254740992 {MONEY}, got 0",
        ),
        (
            {"amount_minor": -5},
            f"amount_minor: expected integer minor units from 1 to 9007199254740992 {MONEY}, got -5",
        ),
        (
            {"amount_minor": 2**53 + 1},
            f"amount_minor: expected integer minor units from 1 to 9007199254740992 {MONEY}, got 9007199254740993",
        ),
        (
            {"due_on": "2025-02-30"},
            'due_on: expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got "2025-02-30"',
        ),
        (
            {"due_on": "2200-01-01"},
            'due_on: expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got "2200-01-01"',
        ),
        (
            {"business_date": 20250305},
            "business_date: expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got 20250305",
        ),
        (
            {"at": "2025-03-05T10:00:00"},
            'at: expected an instant with offset such as 2025-03-05T09:30:00+08:00, got "2025-03-05T10:00:00"',
        ),
        (
            {"at": "1969-12-31T23:59:59Z"},
            "at: expected an instant from 1970-01-01 to 2199-12-31, got 1969-12-31T23:59:59+00:00",
        ),
        ({"id": ...}, "id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : -, got nothing"),
        ({"id": ""}, 'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : -, got ""'),
        ({"id": "a/b"}, 'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : -, got "a/b"'),
        ({"loan_id": "贷款"}, 'loan_id: expected 1 to 64 characters of A-Z a-z 0-9 . _ : -, got "贷款"'),
        ({"loan_id": "L4\n"}, r'loan_id: expected 1 to 64 characters of A-Z a-z 0-9 . _ : -, got "L4\n"'),
        (
            {"borrower_id": "B" * 65},
            f'borrower_id: expected 1 to 64 characters of A-Z a-z 0-9 . _ : -, got "{"B" * 56}...',
        ),
        ({"source": "core\tbank"}, r'source: expected 1 to 128 characters of one line of text, got "core\tbank"'),
        ({"currency": "XYZ"}, 'currency: expected an ISO 4217 currency with minor units such as CNY, got "XYZ"'),
        ({"currency": "cny"}, 'currency: expected an ISO 4217 currency with minor units such as CNY, got "cny"'),
        ({"instalment": 0}, "instalment: expected an integer from 1 to 1000000, got 0"),
        ({"type": ...}, 'type: expected a type of the catalogue such as "repayment.due", got nothing'),
        ({"type": 7}, 'type: expected a type of the catalogue such as "repayment.due", got 7'),
    ],
)
def test_a_bad_field_is_refused_in_one_sentence(changes, why):
    assert refusal(raw_of(DUE, **changes)) == ("bad_field", why)


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        (
            "repayment.received",
            {"kind": "ful"},
            'kind: expected early, full, minimum or partial, got "ful"; did you mean "full"?',
        ),
        (
            "loan.disbursed",
            {"schedule": [EXAMPLES["loan.disbursed"]["schedule"][0] | {"due_on": "2025-02-30"}]},
            'schedule[0].due_on: expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got "2025-02-30"',
        ),
        (
            "loan.disbursed",
            {"schedule": [EXAMPLES["loan.disbursed"]["schedule"][0] | {"due_on": "1969-12-31"}]},
            'schedule[0].due_on: expected a date such as 2025-03-05, from 1970-01-01 to 2199-12-31, got "1969-12-31"',
        ),
        ("loan.disbursed", {"schedule": [3]}, "schedule[0]: expected an object with one instalment, got 3"),
        ("loan.disbursed", {"schedule": {}}, "schedule: expected an array of instalments, got an object"),
        ("loan.rescheduled", {"distressed": "yes"}, 'distressed: expected true or false, got "yes"'),
        (
            "loan.paused",
            {"until_date": "2025-03-31"},
            'until_date: expected a date not before from_date, got "2025-03-31"',
        ),
        ("loan.snapshot", {"days_past_due": -1}, "days_past_due: expected an integer from 0 to 100000, got -1"),
        (
            "account.balance",
            {"used_share_ppm": 0.85},
            "used_share_ppm: expected integer parts per million (850000 is 0.85), got 0.85",
        ),
        (
            "model.payment_stress",
            {"score_ppm": 1000001},
            "score_ppm: expected integer parts per million from 0 to 1000000 (850000 is 0.85), got 1000001",
        ),
        (
            "model.payment_stress",
            {"type": "model.a/b"},
            'type: expected model. and a name of 1 to 64 characters of A-Z a-z 0-9 . _ : -, got "model.a/b"',
        ),
        (
            "day.ended",
            {"feeds": {"acount": "missing"}},
            'feeds: expected a feed of the catalogue, got "acount"; did you mean "account"?',
        ),
        ("day.ended", {"feeds": {"account": "late"}}, 'feeds.account: expected missing, got "late"'),
        (
            "fx.published",
            {"rates": {"USX": 1}},
            'rates: expected an ISO 4217 currency with minor units such as CNY, got "USX"',
        ),
        (
            "fx.published",
            {"rates": {"USD": 7.25}},
            "rates.USD: expected an integer from 1 to 9007199254740992, got 7.25",
        ),
        (
            "fx.published",
            {"at": ...},
            "at: expected an instant with offset such as 2025-03-05T09:30:00+08:00, got nothing",
        ),
        ("task.done", {"task_id": "a b"}, 'task_id: expected 1 to 256 characters of A-Z a-z 0-9 . _ : / -, got "a b"'),
    ],
)
def test_a_bad_field_of_any_type_is_refused_in_one_sentence(name, changes, why):
    assert refusal(raw_of(EXAMPLES[name], **changes)) == ("bad_field", why)


def test_the_example_of_minor_units_is_in_the_reporting_currency():
    _, why = refusal(raw_of(DUE, amount_minor=1.5), by=Decoder("Asia/Tokyo", "JPY"))
    assert why == "amount_minor: expected integer minor units (12345 is 12345 JPY), got 1.5"


def test_an_unknown_type_is_refused_with_a_suggestion():
    assert refusal(raw_of(DUE, type="repayment.du")) == (
        "unknown_type",
        'type: expected a type of the catalogue, got "repayment.du"; did you mean "repayment.due"?',
    )
    assert refusal(raw_of(DUE, type="model"))[0] == "unknown_type"


DEEP = b'{"x":' + b"[" * 64 + b"]" * 64 + b',"type":"day.ended","date":"2025-03-08"}'
ALMOST_DEEP = b'{"x":' + b"[" * 63 + b"]" * 63 + b',"type":"day.ended","date":"2025-03-08"}'


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[1]", "expected one JSON object a record, got an array"),
        (b"7", "expected one JSON object a record, got 7"),
        (b"null", "expected one JSON object a record, got null"),
        (b"", "expected one JSON object a record, got text that is no JSON: it breaks off"),
        (b'{"a":"\xff"}', "expected JSON in UTF-8, got byte 0xff at position 6; send UTF-8"),
        (b"\xff\xfe{\x00}\x00", "expected JSON in UTF-8, got byte 0xff at position 0; send UTF-8"),
        (b'{"a":["\\u0000"]}', "expected texts of whole characters, got a NUL character; take it out"),
        (b'{"a":{"\\u0000":1}}', "expected texts of whole characters, got a NUL character; take it out"),
        (b'{"a":1e400,"b":"\\ud800"}', "expected texts of whole characters, got half of a surrogate pair; take it out"),
        (DEEP, "expected at most 64 levels of nesting, got more; send one flat object"),
        (b'{"x":' + b"[" * 500_000, "expected at most 64 levels of nesting, got more; send one flat object"),
        (b'{"x":' * 100_000, "expected at most 64 levels of nesting, got more; send one flat object"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_no_json_object_is_refused(raw, why):
    assert refusal(raw) == ("not_json", why)


@pytest.mark.parametrize("raw", [b"{} {}", b'{"type":NaN}', b"\xef\xbb\xbf{}", b"{'type':1}", b'{"type":1,}'])
def test_what_other_readers_may_take_for_json_is_refused(raw):
    reason, why = refusal(raw)
    assert reason == "not_json"
    assert why.startswith("expected one JSON object a record, got text that is no JSON: ")


@pytest.mark.parametrize(
    "text", [b"\\ud800", b"x\\ud800", b"\\udc00x", b"\\ud800\\ud800", b"\x00", b"\x1f", b"\xed\xa0\x80"]
)
def test_half_a_surrogate_pair_and_bare_control_characters_are_refused(text):
    assert refusal(raw_of(DUE).replace(b'"core"', b'"' + text + b'"'))[0] == "not_json"


def test_a_nul_in_a_known_text_is_refused_as_one_in_an_unknown_field_is():
    nul = ("not_json", "expected texts of whole characters, got a NUL character; take it out")
    assert refusal(raw_of(EXAMPLES["loan.paused"], reason="flood\0")) == nul
    assert refusal(raw_of(EXAMPLES["loan.paused"], note="flood\0")) == nul


def test_an_escape_of_an_escape_is_no_nul():
    assert decoded(DUE, source="a\\u0000b").event.source == "a\\u0000b"


def test_unknown_fields_may_be_nested_up_to_the_limit():
    assert SHANGHAI.decode(ALMOST_DEEP, {}).unknown == 1


def test_the_limit_of_nesting_does_not_depend_on_how_deep_the_caller_is():
    def from_below(levels, raw):
        return refusal(raw) if levels == 0 else from_below(levels - 1, raw)

    assert from_below(300, DEEP) == refusal(DEEP)


def test_a_record_over_one_mebibyte_is_too_long_before_anything_else():
    longest = raw_of(DUE, note="x" * (2**20 - len(raw_of(DUE, note=""))))
    assert len(longest) == 2**20
    assert SHANGHAI.decode(longest, {}).unknown == 1
    assert refusal(longest + b" ") == (
        "too_long",
        "expected at most 1048576 bytes, got 1048577; split it or drop what is long",
    )
    assert refusal(raw_of(DUE) + b" " * 2**20)[0] == "too_long"
    assert refusal(b"\xff" * 10_000_000)[0] == "too_long"


def test_a_number_of_five_thousand_digits_is_refused_and_shown_short():
    raw = raw_of(DUE).replace(b"120000", b"9" * 5000)
    _, why = refusal(raw)
    assert why.endswith(f"{MONEY}, got {'9' * 57}...")


def test_a_number_beyond_all_floats_is_refused():
    assert refusal(raw_of(DUE).replace(b"120000", b"1e400"))[1].endswith("got 1e400")


# -- whatever the bytes ------------------------------------------------------


def survives(raw):
    try:
        arrival = SHANGHAI.decode(raw, {})
    except Refusal as refused:
        assert refused.reason in {"not_json", "too_long", "unknown_type", "bad_field"}
        assert re.search(r"expected .+, got .+", refused.why)
        assert "\n" not in refused.why
        assert len(refused.why) < 400
        return None
    assert 0 <= arrival.date <= days(2199, 12, 31)
    assert 0 <= arrival.at_ms < 2**43
    return arrival


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_refusal(raw):
    survives(raw)


WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=140),
    st.sampled_from(
        ["2025-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999-14:00", "CNY", "\0", "L4\n"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@st.composite
def mutated_events(draw):
    event = dict(EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))])
    for field in draw(st.lists(st.sampled_from([*event, "unknown"]), max_size=3)):
        event[field] = draw(WRONG)
    return {key: value for key, value in event.items() if key != draw(st.sampled_from([*event, ""]))}


@settings(max_examples=500, deadline=None)
@given(mutated_events())
def test_no_mutated_event_raises_anything_but_a_refusal(event):
    arrival = survives(json.dumps(event).encode())
    if arrival is not None:
        assert_is_fine(arrival)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_no_damaged_bytes_raise_anything_but_a_refusal(name, data):
    raw = bytearray(raw_of(EXAMPLES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(
            st.sampled_from([b"", b'"', b"}", b"[", b"\\", b"\\u0000", b"\x00", b"\xff", b"1e999", b"-", b"\xc3"])
        )
        raw[at : at + data.draw(st.integers(0, 3))] = piece
        if not raw:
            break
    survives(bytes(raw))


def assert_is_fine(arrival):
    """The words for a fault and the check of the usual way agree: what is decoded has no fault left."""
    event = arrival.event
    data = json.loads(msgspec.json.encode(event))
    assert fault_of(type(event), data, example="") is None
    assert (
        FORM_OF_CLASS[type(event)].is_fine(event)
        or not event.source.isprintable()
        or not getattr(event, "by", "").isprintable()
    )
