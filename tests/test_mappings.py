"""What a mapping may say: its forms do what they promise, and every mistake is named with its place."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.exact import divided, half_even
from connectors.ingest import ingest
from connectors.mapping import MappingError
from connectors.mapping_file import load_mapping, shipped_mappings

MAPPING = """mapping: cards
about: made up
currency: {currency}
zone: Asia/Shanghai
row_key: [id]
borrower_id: B{{id}}
dated: {{date: day}}
events:
  - event: {event}
    id: "{{id}}-x"
    when: {when}
    fields: {fields}
"""
FIELDS = "{account_id: 'A{id}', amount_minor: {major: paid}}"
decimals = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=6)


def mapping_text(**said: str) -> str:
    defaults = {"currency": "CNY", "event": "account.credit", "when": "{}", "fields": FIELDS}
    return MAPPING.format(**defaults | said)


def fault_of(tmp_path: Path, text: str) -> str:
    (tmp_path / "cards.yaml").write_text(text)
    with pytest.raises(MappingError) as caught:
        load_mapping(tmp_path / "cards.yaml")
    return str(caught.value)


def events(tmp_path: Path, mapping: str, rows: str) -> list[dict]:
    (tmp_path / "cards.yaml").write_text(mapping)
    (tmp_path / "cards.csv").write_text(rows)
    ingest(tmp_path / "cards.csv", tmp_path / "cards.yaml", tmp_path / "events.jsonl", quiet=True)
    return [msgspec.json.decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]


def test_every_shipped_mapping_loads():
    named = ["corporate_ratings", "czech_bank", "kiva", "nigeria_short_loans", "taiwan_cards", "us_mortgages"]
    assert shipped_mappings() == named
    assert [load_mapping(name).mapping for name in shipped_mappings()] == shipped_mappings()


@pytest.mark.parametrize(("currency", "minor"), [("CNY", 1_234), ("JPY", 12), ("KWD", 12_340)])
def test_major_units_follow_the_digits_of_the_currency(tmp_path, currency, minor):
    # 12.34 yen has no half to argue about: 12.
    [event] = events(tmp_path, mapping_text(currency=currency), "id,day,paid\n1,2025-03-05,12.34\n")
    assert event["amount_minor"] == minor


def test_minor_units_are_taken_as_they_are(tmp_path):
    fields = FIELDS.replace("major", "minor")
    [event] = events(tmp_path, mapping_text(fields=fields), "id,day,paid\n1,2025-03-05,1234\n")
    assert event["amount_minor"] == 1_234


def test_dates_are_read_by_their_format(tmp_path):
    text = mapping_text().replace("{date: day}", '{date: day, format: "%d.%m.%Y"}')
    [event] = events(tmp_path, text, "id,day,paid\n1,05.03.2025,1\n")
    assert event["at"] == "2025-03-05T12:00:00+08:00"
    with pytest.raises(MappingError, match=r"row 2, column day: expected a date of the form %d\.%m\.%Y, got"):
        events(tmp_path, text, "id,day,paid\n1,2025-02-30,1\n")


def test_running_months_end_on_their_last_day(tmp_path):
    text = mapping_text().replace("{date: day}", "{month: day, one_is: 2003-12}")
    dated = [event["at"][:10] for event in events(tmp_path, text, "id,day,paid\n1,1,1\n2,3,1\n3,0,1\n")]
    assert dated == ["2003-11-30", "2003-12-31", "2004-02-29"]


@pytest.mark.parametrize(
    ("when", "ids"),
    [
        ("{paid: {equals: 5}}", ["1"]),  # 5.0 is the number 5
        ("{paid: {equals: '5'}}", []),  # but not the text
        ("{paid: {differs: 5}}", ["2"]),  # an empty cell is unknown, not different
        ("{paid: {above: 5}}", ["2"]),
        ("{paid: {at_least: 5}}", ["1", "2"]),
        ("{paid: {below: 7, above: 4}}", ["1"]),
        ("{paid: {at_most: 5.5}}", ["1"]),
        ("{paid: {present: true}}", ["1", "2"]),
        ("{paid: {one_of: [5, 6]}}", ["1"]),
        ("{paid: {one_of: ['5', '7']}}", ["2"]),
        ("{kind: {one_of: [salary, pension]}, paid: {present: true}}", ["2"]),
        ("{kind: {equals: salary}, paid: {present: true}}", ["2"]),
    ],
)
def test_an_event_is_written_when_its_columns_are_as_wanted(tmp_path, when, ids):
    rows = "id,day,paid,kind\n1,2025-03-05,5.0,rent\n2,2025-03-05,7,salary\n3,2025-03-05,,salary\n"
    if not ids:
        with pytest.raises(MappingError, match="got 3 rows and no event"):
            events(tmp_path, mapping_text(when=when), rows)
        return
    assert [event["id"] for event in events(tmp_path, mapping_text(when=when), rows)] == [f"{each}-x" for each in ids]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (mapping_text(currency="CNX"), "cards.yaml:3:1 currency: expected a currency of ISO 4217 such as CNY"),
        (mapping_text(event="account.credti"), "cards.yaml:9:5 events[0].event: expected an event of the catalogue, "
         "got 'account.credti'; did you mean 'account.credit'?"),
        (mapping_text(fields=FIELDS.replace("amount", "amuont")), "cards.yaml:12:35 events[0].fields.amuont_minor: "
         "no such field of account.credit; did you mean 'amount_minor'?"),
        (mapping_text(fields="{account_id: A}"), "cards.yaml:9:5 events[0]: amount_minor is missing"),
        (mapping_text(fields=FIELDS.replace("major", "percent")), "constant, got percent"),
        (mapping_text(fields=FIELDS.replace("major: paid", "major: paid, minor: paid")), "expected exactly one of"),
        (mapping_text(fields=FIELDS.replace("major: paid", "major: paid, floor: 1")), "expected 0, got 1"),
        (mapping_text(when="{paid: {abov: 5}}"), "cards.yaml:11:19 events[0].when.paid.abov: no such field"),
        (mapping_text(when="{paid: {}}"), "expected one of equals"),
        (mapping_text().replace("dated: {date: day}\n", ""), "'dated' is missing"),
        (mapping_text().replace("date: day", "quarter: day"), "expected 'one_is' beside 'quarter' or 'month'"),
        (mapping_text().replace("date: day", "quarter: day, one_is: 2000-05"), "such as 2000-Q1, got '2000-05'"),
        (mapping_text().replace("{date: day}", "2025-02-30"), "expected a date such as 2005-04-30, got '2025-02-30'"),
        (mapping_text().replace("mapping: cards", "mapping: card"), "cards.yaml:1:1 mapping: expected the file's own"),
        (mapping_text().replace("Asia/Shanghai", "Asia/Shangai"), "cards.yaml:4:1 zone: expected a time zone"),
        (mapping_text().replace("currency: CNY", "currency: CNY\ncurrency: CNY"), "stands here a second time"),
        ("", "expected fields"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mapping_is_named_with_its_place(tmp_path, text, sentence):
    assert sentence in fault_of(tmp_path, text)


def test_every_fault_of_a_mapping_is_named_at_once(tmp_path):
    text = mapping_text(currency="CNX").replace("row_key: [id]", "row_keys: [id]").replace("Asia/Shanghai", "Mars")
    places = [line.split(" ")[0] for line in fault_of(tmp_path, text).splitlines()]
    # Not 1:1 as well: `row_key` is not missing beside its misspelt name.
    assert places == ["cards.yaml:3:1", "cards.yaml:4:1", "cards.yaml:5:1"]


def test_two_events_of_one_id_are_refused_when_written_and_when_met(tmp_path):
    twice = mapping_text() + mapping_text().partition("events:\n")[2]
    assert "expected an id of its own for each event, got '{id}-x' twice" in fault_of(tmp_path, twice)
    same = mapping_text().replace('"{id}-x"', '"x"')
    with pytest.raises(MappingError, match="event x: expected an id of its own for each event"):
        events(tmp_path, same, "id,day,paid\n1,2025-03-05,1\n2,2025-03-05,1\n")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(MappingError, match="got 'taiwan_card'; did you mean 'taiwan_cards'"):
        load_mapping("taiwan_card")


@given(decimals)
def test_rounding_is_half_to_even(value):
    assert half_even(value) == round(Fraction(value))


@given(decimals, decimals.filter(bool))
def test_a_ratio_is_rounded_once_from_the_exact_quotient(top, bottom):
    assert divided(top, bottom) == round(Fraction(top) / Fraction(bottom))


def test_a_ratio_that_a_float_gets_wrong_is_exact():
    # 2.675 / 0.01 is 267.5, which goes to 268; in floats it is 267.49999999999994.
    assert divided(Decimal("2.675"), Decimal("0.01")) == 268
