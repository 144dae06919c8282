"""Events decoded: fields, digests, dates; and CloudEvents."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import EVENT_CLASSES, DayEnded, LoanDisbursed, RepaymentDue, Scored
from pipeline.examples import EXAMPLES
from tests.records import DUE, EPOCH, MONEY, NEW_YORK, SHANGHAI, UNDATED, days, decoded, raw_of, refusal

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
