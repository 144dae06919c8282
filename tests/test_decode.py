import json
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decode import Arrival, Decoder, Refusal, digest_of
from pipeline.events import EVENT_CLASSES, DayEnded, LoanDisbursed, RepaymentDue, Scored
from pipeline.examples import EXAMPLES
from pipeline.forms import FORM_OF_CLASS, fault_of

SHANGHAI = Decoder("Asia/Shanghai", "CNY")
NEW_YORK = Decoder("America/New_York", "USD")
DUE = EXAMPLES["repayment.due"]
UNDATED = {key: value for key, value in DUE.items() if key != "business_date"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONEY = "(12345 is 123.45 CNY)"


def raw_of(event, **changes):
    changed = event | changes
    return json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()


def decoded(event, *, by=SHANGHAI, **changes):
    return by.decode(raw_of(event, **changes), {})


def refusal(raw, *, by=SHANGHAI):
    with pytest.raises(Refusal, match=r"expected .+, got .+") as caught:
        by.decode(raw, {})
    assert str(caught.value) == caught.value.why
    return caught.value.reason, caught.value.why


def days(year, month, day):
    return (date(year, month, day) - date(1970, 1, 1)).days


# -- good events -------------------------------------------------------------


def test_the_event_of_the_worked_example_arrives_with_its_date_instant_and_bytes():
    raw = b"""{"id":"p-77","source":"core","type":"repayment.due","at":"2025-03-05T00:00:00+08:00","borrower_id":"B17",
        "loan_id":"L4","instalment":3,"due_on":"2025-03-05","amount_minor":120000,"currency":"CNY"}"""
    position = {"file": "events.jsonl", "line": 1}
    arrival = SHANGHAI.decode(raw, position)
    assert arrival.event == RepaymentDue(
        id="p-77",
        source="core",
        at=datetime(2025, 3, 4, 16, tzinfo=UTC),  # midnight in Shanghai is 16:00 of the day before in UTC
        borrower_id="B17",
        currency="CNY",
        loan_id="L4",
        instalment=3,
        due_on=date(2025, 3, 5),
        amount_minor=120000,
    )
    assert (arrival.type, arrival.feed) == ("repayment.due", "repayment")
    assert arrival.date == days(2025, 3, 5)
    assert arrival.at_ms == days(2025, 3, 4) * 86_400_000 + 16 * 3_600_000
    assert (arrival.raw, arrival.position, arrival.unknown) == (raw, position, 0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_good_event_of_every_type_is_decoded(name):
    arrival = decoded(EXAMPLES[name])
    assert (arrival.type, arrival.unknown) == (name, 0)
    assert type(arrival.event) is EVENT_CLASSES.get(name, Scored)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_usual_way_and_the_longer_way_give_the_same_event(name):
    assert decoded(EXAMPLES[name], teller="T-9").event == decoded(EXAMPLES[name]).event


def test_an_arrival_survives_the_packing_of_memory():
    arrival = decoded(EXAMPLES["model.payment_stress"])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(arrival), type=Arrival) == arrival


def test_a_model_s_score_keeps_its_type_as_its_feed():
    arrival = decoded(EXAMPLES["model.payment_stress"])
    assert arrival.feed == arrival.event.model == "model.payment_stress"


def test_model_published_is_a_control_record_and_no_score():
    assert decoded(EXAMPLES["model.published"], extra=1).feed == "control"


def test_a_missed_instalment_of_the_engine_has_slashes_in_its_id():
    assert decoded(EXAMPLES["repayment.missed"]).event.id == "missed/L4/3"


def test_an_optional_field_that_is_null_is_absent():
    assert decoded(DUE, currency=None) == Arrival(
        **{
            **{name: getattr(decoded(DUE, currency=...), name) for name in Arrival.__struct_fields__},
            "raw": raw_of(DUE, currency=None),
        }
    )


def test_a_day_ends_with_its_last_millisecond():
    arrival = decoded({"type": "day.ended", "date": "2025-03-08"})
    assert isinstance(arrival.event, DayEnded)
    assert arrival.date == days(2025, 3, 8)
    assert arrival.at_ms == days(2025, 3, 8) * 86_400_000 + 16 * 3_600_000 - 1  # 24:00 in Shanghai is 16:00 in UTC


def test_balances_may_have_any_sign_and_so_may_profit_and_equity():
    assert decoded(EXAMPLES["account.balance"], balance_minor=-1, base_amount_minor=-1).event.balance_minor == -1
    firm = decoded(EXAMPLES["external.financials"], profit_minor=-2, equity_minor=-3).event
    assert (firm.profit_minor, firm.equity_minor) == (-2, -3)


# -- unknown fields ----------------------------------------------------------


def test_unknown_fields_are_counted_and_ignored():
    arrival = decoded(DUE, teller="T-9", branch={"city": ["Suzhou"]})
    assert (arrival.event, arrival.unknown) == (decoded(DUE).event, 2)


def test_unknown_fields_of_an_instalment_are_counted_too():
    loan = EXAMPLES["loan.disbursed"]
    line = loan["schedule"][0]
    arrival = decoded(loan, schedule=[line | {"tax_minor": 1}, line | {"tax_minor": 1, "note": "x"}], branch=7)
    assert isinstance(arrival.event, LoanDisbursed)
    assert arrival.unknown == 4


def test_an_unknown_field_may_hold_a_number_that_nobody_can_read():
    raw = raw_of(DUE)[:-1] + b',"big":1' + b"0" * 5000 + b',"far":1e400}'
    arrival = SHANGHAI.decode(raw, {})
    assert (arrival.event, arrival.unknown) == (decoded(DUE).event, 2)


def test_a_borrower_id_on_a_control_record_is_an_unknown_field():
    assert decoded(EXAMPLES["fx.published"], borrower_id="B17").unknown == 1


# -- digests -----------------------------------------------------------------


def test_a_digest_does_not_depend_on_spelling():
    digest = decoded(DUE).digest
    spaced = json.dumps(dict(reversed(DUE.items())), indent=3).encode()
    assert SHANGHAI.decode(spaced, {}).digest == digest
    assert decoded(DUE, teller="T-9").digest == digest
    assert decoded(DUE, at="2025-03-05T02:00:00Z").digest == digest  # the same instant, seen from Greenwich
    assert decoded(DUE, base_amount_minor=None).digest == digest
    assert SHANGHAI.decode(raw_of(DUE).replace(b"B17", b"\\u004217"), {}).digest == digest
    assert digest_of(decoded(DUE).event) == digest


def test_the_order_of_names_in_a_record_has_no_part_in_its_digest():
    rates = EXAMPLES["fx.published"]["rates"]
    turned = dict(reversed(rates.items()))
    assert list(turned) != list(rates)
    assert decoded(EXAMPLES["fx.published"], rates=turned).digest == decoded(EXAMPLES["fx.published"]).digest


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 120001},
        {"due_on": "2025-03-06"},
        {"at": "2025-03-05T10:00:01+08:00"},
        {"currency": ...},
        {"loan_id": "L5"},
        {"source": "cores"},
        {"instalment": 4},
    ],
)
def test_another_content_has_another_digest(change):
    assert decoded(DUE, **change).digest != decoded(DUE).digest


def test_the_type_is_part_of_the_digest():
    credit = EXAMPLES["account.credit"]
    assert decoded(credit, type="account.debit").digest != decoded(credit).digest
    score = EXAMPLES["model.payment_stress"]
    assert decoded(score, type="model.fraud").digest != decoded(score).digest


def test_a_digest_is_a_signed_number_of_64_bits():
    digests = [decoded(DUE, amount_minor=amount).digest for amount in range(1, 100)]
    assert all(-(2**63) <= digest < 2**63 for digest in digests)
    assert {digest < 0 for digest in digests} == {True, False}


def test_the_digest_is_over_the_packed_event_without_its_absent_fields():
    # A map of 2: "type" (4 characters) to "day.ended" (9), "date" to "2025-03-08" (10). A change of this would make
    # conflicts of all repeats across a release.
    packed = b"\x82\xa4type\xa9day.ended\xa4date\xaa2025-03-08"
    unsigned = xxhash.xxh3_64_intdigest(packed)
    assert unsigned < 2**63
    assert decoded({"type": "day.ended", "date": "2025-03-08"}).digest == unsigned
    assert None not in msgspec.msgpack.decode(msgspec.msgpack.encode(decoded(DUE).event)).values()


# -- dates and zones ---------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-03-05T23:59:59.999+08:00", (2025, 3, 5)),
        ("2025-03-06T00:00:00+08:00", (2025, 3, 6)),
        ("2025-03-05T15:59:59.999Z", (2025, 3, 5)),
        ("2025-03-05T16:00:00Z", (2025, 3, 6)),
        ("1986-05-03T15:30:00Z", (1986, 5, 3)),  # the day before Shanghai went to summer time
        ("1986-05-04T15:30:00Z", (1986, 5, 5)),  # 00:30 in summer time, +09:00
    ],
)
def test_an_event_belongs_to_the_local_date_of_its_instant(at, expected):
    assert decoded(UNDATED, at=at).date == days(*expected)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # Clocks go forward on 2025-03-09 at 02:00: midnight is 05:00 in UTC before and 04:00 after.
        ("2025-03-09T04:59:59.999Z", (2025, 3, 8)),
        ("2025-03-09T05:00:00Z", (2025, 3, 9)),
        ("2025-03-10T03:59:59.999Z", (2025, 3, 9)),
        ("2025-03-10T04:00:00Z", (2025, 3, 10)),
        # Clocks go back on 2025-11-02 at 02:00.
        ("2025-11-02T03:59:59.999Z", (2025, 11, 1)),
        ("2025-11-02T04:00:00Z", (2025, 11, 2)),
        ("2025-11-03T04:59:59.999Z", (2025, 11, 2)),
        ("2025-11-03T05:00:00Z", (2025, 11, 3)),
    ],
)
def test_the_local_date_is_exact_around_a_change_of_the_clocks(at, expected):
    assert decoded(UNDATED, at=at, by=NEW_YORK).date == days(*expected)


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(
        ["Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    seconds=st.integers(2 * 86_400, (date(2199, 12, 30) - date(1970, 1, 1)).days * 86_400),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_the_local_date_is_that_of_the_zone_s_own_clock_for_any_instant(zone, seconds, offset):
    at = EPOCH + timedelta(seconds=seconds)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = f"{(at + timedelta(minutes=offset)):%Y-%m-%dT%H:%M:%S}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    local = at.astimezone(ZoneInfo(zone)).date()
    decoder = DECODERS.setdefault(zone, Decoder(zone, "CNY"))
    arrival = decoded(UNDATED, at=text, by=decoder)
    assert (arrival.date, arrival.at_ms) == ((local - date(1970, 1, 1)).days, seconds * 1000)


DECODERS: dict[str, Decoder] = {}


def test_a_date_may_change_within_an_hour():
    # Midnight in Kathmandu (+05:45) is 18:15 in UTC.
    kathmandu = Decoder("Asia/Kathmandu", "NPR")
    instants = ["2025-03-05T18:14:59Z", "2025-03-05T18:15:00Z", "2025-03-05T18:00:00Z", "2025-03-05T18:59:59Z"]
    dates = [decoded(UNDATED, at=at, by=kathmandu).date - days(2025, 3, 5) for at in instants]
    assert dates == [0, 1, 0, 1]


def test_an_instant_whose_local_date_is_before_1970_is_refused():
    reason, why = refusal(raw_of(UNDATED, at="1970-01-01T04:59:59Z"), by=NEW_YORK)
    assert (reason, why[:3]) == ("bad_field", "at:")
    assert decoded(UNDATED, at="1970-01-01T05:00:00Z", by=NEW_YORK).date == 0


def test_a_business_date_wins_over_the_local_date():
    assert decoded(DUE, business_date="2025-03-01").date == days(2025, 3, 1)


def test_milliseconds_are_kept_and_what_is_finer_is_cut_off():
    assert decoded(UNDATED, at="2025-03-05T10:00:00.123999+08:00").at_ms % 1000 == 123


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
        ("task.done", {"task_id": "a b"}, 'task_id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / -, got "a b"'),
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


# -- CloudEvents -------------------------------------------------------------

HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"p-77"),
    ("ce_source", b"core"),
    ("ce_type", b"repayment.due"),
    ("ce_time", b"2025-03-05T10:00:00+08:00"),
    ("content-type", b"application/json"),
]
BODY = {key: value for key, value in DUE.items() if key not in {"id", "source", "type", "at"}}


def test_a_cloudevent_in_binary_mode_is_the_same_event():
    arrival = SHANGHAI.decode_cloudevent(HEADERS, raw_of(BODY), {"offset": 7})
    plain = decoded(DUE)
    assert (arrival.event, arrival.digest, arrival.date) == (plain.event, plain.digest, plain.date)
    assert (arrival.raw, arrival.position) == (raw_of(BODY), {"offset": 7})


def test_a_header_of_a_cloudevent_wins_over_its_body():
    assert SHANGHAI.decode_cloudevent(HEADERS, raw_of(DUE, id="p-78"), {}).event.id == "p-77"


@pytest.mark.parametrize(
    ("changes", "body", "why"),
    [
        (
            {"ce_id": ...},
            BODY,
            "ce_id: expected a header, got nothing; binary mode needs ce_id, ce_source, ce_type and ce_time",
        ),
        ({"ce_time": ...}, BODY, "at: expected an instant with offset such as 2025-03-05T09:30:00+08:00, got nothing"),
        ({"ce_specversion": b"0.3"}, BODY, 'ce_specversion: expected "1.0", got "0.3"'),
        ({"ce_id": b"\xff"}, BODY, "headers: expected CloudEvents attributes in UTF-8, got other bytes or none"),
        ({"ce_id": None}, BODY, "headers: expected CloudEvents attributes in UTF-8, got other bytes or none"),
        ({}, BODY | {"amount_minor": 1.5}, f"amount_minor: expected integer minor units {MONEY}, got 1.5"),
    ],
)
def test_a_bad_cloudevent_is_refused_in_one_sentence(changes, body, why):
    headers = [(name, value) for name, value in (dict(HEADERS) | changes).items() if value is not ...]
    with pytest.raises(Refusal, match="expected") as caught:
        SHANGHAI.decode_cloudevent(headers, raw_of(body), {})
    assert (caught.value.reason, caught.value.why) == ("bad_field", why)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([name for name, _ in HEADERS]), st.binary(max_size=20))), st.binary(max_size=60)
)
def test_no_cloudevent_whatever_raises_anything_but_a_refusal(headers, raw):
    with pytest.raises(Refusal, match="expected"):
        SHANGHAI.decode_cloudevent(headers, raw, {})


@pytest.mark.parametrize("code", ["CNY", "USD", "JPY", "KWD", "CLF"])
def test_a_currency_of_the_list_is_taken(code):
    assert decoded(DUE, currency=code).event.currency == code
