"""Settings are read over their defaults, every mistake is named with its place, and the calendar finds working days."""

from datetime import date, time
from pathlib import Path

import pytest

from config.calendar import is_working_day, next_working_day
from config.settings import Settings, SettingsError, load

CONFIG = Path(__file__).resolve().parent.parent / "config"


def loaded(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "bank.yaml").write_text(text)
    return load(tmp_path / "bank.yaml")


def fault_of(tmp_path: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    return str(caught.value)


def test_a_bank_that_says_nothing_gets_the_defaults():
    settings = load()
    assert (settings.reporting_currency, settings.zone, settings.history_from) == ("CNY", "Asia/Shanghai", None)
    assert settings.missed_from == {"default": "both"}
    assert settings.bucket_names == ("0", "1-30", "31-60", "61-90", "91+")
    assert settings.allocation == ("fee", "interest", "principal")
    assert settings.task_due_at == time(18)


def test_a_file_says_only_what_differs(tmp_path):
    said = "missed_from: {card: core}\nmateriality: {retail_minor: 5}\nqueues: [a]\nhistory_from: 2024-01-01"
    settings = loaded(tmp_path, said)
    assert settings.missed_from == {"default": "both", "card": "core"}  # a mapping is laid over key by key,
    assert settings.materiality.retail_minor == 5
    assert settings.materiality.other_minor == load().materiality.other_minor
    assert settings.queues == ("a",)  # a list is replaced
    assert settings.history_from == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("file", "currency", "buckets"),
    [("us.yaml", "USD", ("0", "1-29", "30-59", "60-89", "90+")), ("taiwan.yaml", "TWD", load().bucket_names)],
)
def test_the_shipped_configurations_load(file, currency, buckets):
    settings = load(CONFIG / file)
    assert (settings.reporting_currency, settings.bucket_names) == (currency, buckets)
    assert next_working_day(settings.calendar, date(2005, 5, 1)) == date(2005, 5, 2)  # Sunday, Monday


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zoen: Asia/Tokyo", "bank.yaml:1:1 zoen: no such field; did you mean 'zone'?"),
        ("zone: Asia/Tokio", "bank.yaml:1:1 zone: expected a time zone such as Asia/Shanghai, got 'Asia/Tokio'"),
        ("reporting_currency: RMB", "expected a currency of ISO 4217 such as CNY, got 'RMB'"),
        ("history_from: 2025-02-30", "bank.yaml:1:1 history_from: expected a date"),
        ("history_from: 20250101", "history_from: expected a date such as 2005-04-30, got 20250101"),
        ("missed_from: {card: bank}", "missed_from.card: expected core, engine or both, got 'bank'"),
        ("buckets: [0, 30, 30]", "expected rising upper bounds that begin with 0, got [0, 30, 30]"),
        ("buckets: [30, 60]", "expected rising upper bounds that begin with 0, got [30, 60]"),
        ("buckets: []", "buckets"),
        ("allocation: [fee, interest]", "expected fee, interest and principal once each, got ['fee', 'interest']"),
        ("materiality: {retail_minor: -1}", "materiality.retail_minor: expected at least 0, got -1"),
        ("materiality: {retail_minor: 1.5}", "materiality.retail_minor: expected a whole number, got 1.5"),
        ("queues: [a, a]", "expected each queue once, got 'a' twice"),
        ("queues: [A b]", "queues[0]"),
        ("task_due_at: '24:00'", "task_due_at: expected a local time such as '18:00', got '24:00'"),
        ("calendar: {working_week: [mon, fry]}", "calendar.working_week"),
        ("calendar: {holidays: [2025-05-01], workdays: [2025-05-01]}", "got 2025-05-01 in both"),
        ("calendar: none.yaml", "none.yaml: expected a readable settings file"),
        ("- a", "expected fields such as 'zone: Asia/Shanghai', got a list"),
        ("zone: Asia/Tokyo\nzone: Asia/Seoul", "bank.yaml:2:1 zone: stands here a second time"),
    ],
)  # fmt: skip
def test_a_mistake_in_settings_is_named_with_its_place(tmp_path, text, sentence):
    assert sentence in fault_of(tmp_path, text)


def test_every_fault_of_settings_is_named_at_once(tmp_path):
    faults = fault_of(tmp_path, "zone: Mars\nbuckets: [1]\nquites: 5\n").splitlines()
    assert [fault.split(" ")[0] for fault in faults] == ["bank.yaml:1:1", "bank.yaml:2:1", "bank.yaml:3:1"]


def test_a_calendar_of_a_file_of_its_own_is_named_when_it_is_wrong(tmp_path):
    (tmp_path / "days.yaml").write_text("working_week: [mon]\nholiday: [2025-01-01]\n")
    assert fault_of(tmp_path, "calendar: days.yaml").startswith("days.yaml:2:1 holiday: no such field")


def test_the_next_working_day_skips_holidays_and_knows_made_up_days():
    #  2025-01-24 Fri   25 Sat   26 Sun (worked)   27 Mon   28 Tue .. 4 Feb Spring Festival   5 Wed
    calendar = load().calendar
    assert next_working_day(calendar, date(2025, 1, 24)) == date(2025, 1, 24)
    assert next_working_day(calendar, date(2025, 1, 25)) == date(2025, 1, 26)
    assert next_working_day(calendar, date(2025, 1, 28)) == date(2025, 2, 5)
    assert not is_working_day(calendar, date(2025, 1, 25))


def test_a_made_up_day_lies_outside_the_working_week_and_a_holiday_inside():
    calendar = load().calendar
    assert all(day.weekday() >= 5 for day in calendar.workdays)
    assert all(day.weekday() < 5 for day in calendar.holidays)
