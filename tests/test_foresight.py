"""A borrower explained: what every rule says at a close, what time alone would bring, and which payment would help."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from rich.progress import Progress

from pipeline.freezing import freeze
from pipeline.shelf import CompiledShelf
from pipeline.shells.foresight.as_of import Closed, by_data, by_files
from pipeline.shells.foresight.verdicts import AHEAD_DAYS, Verdict, verdicts
from pipeline.shells.replay import replay
from pipeline.zone import date_text, day_number
from tests.arrival_logs import COUNTS_MISSES, day_ended, due, forewarn, shelf, told, written
from tests.arrival_traffic import arrival_log, rules
from tests.embedded_engines import compiled, opened, taken

LINES = arrival_log(3, with_day_ended=True)
LATE = {
    "per": "loan_id",
    "measure": {"overdue": {"now": "days_past_due"}},
    "when": "overdue >= 3",
    "severity": "medium",
    "escalate": {"high": "overdue >= 10"},
}
SILENT = {"per": "borrower_id", "measure": {"silent": {"days_since": "account.credit"}}, "when": "silent >= 40"}


def on(text: str) -> int:
    return day_number(date.fromisoformat(text))


def closed_in(files: list[Path], rules: CompiledShelf, who: str, day: str | None = None) -> Closed:
    return by_files(files, rules, who, None if day is None else on(day), Progress(disable=True))


def verdicts_of(rules: CompiledShelf, closed: Closed) -> dict[str, Verdict]:
    return {f"{each.judged.rule.rule}/{each.key}": each for each in verdicts(rules, closed.day, closed.memory)}


# -- by hand ----------------------------------------------------------------

LOAN = [
    told("l", "loan.disbursed", "2025-01-05", loan_id="L4", product="car", principal_minor=360_000),
    *(due(f"d{n}", f"2025-0{n + 1}-05", instalment=n) | {"at": "2025-01-05T10:00:00+08:00"} for n in (1, 2, 3)),
]
PAID = told("p1", "repayment.received", "2025-02-04", loan_id="L4", amount_minor=120_000)


@pytest.fixture
def late(tmp_path: Path) -> CompiledShelf:
    return compiled(shelf(tmp_path / "rules", late=LATE, silent=SILENT, misses=COUNTS_MISSES))


def loan_until(folder: Path, last: str, *more: dict[str, object]) -> list[Path]:
    return [written(folder / "loan.jsonl", *LOAN, *more, day_ended(last))]


def test_what_time_brings_and_the_instalment_that_keeps_it_away(tmp_path, late):
    """Instalment 1 is paid; 2 falls due on 03-05, is three days late on 03-08 and missed at the close of 03-06."""
    found = verdicts_of(late, closed_in(loan_until(tmp_path, "2025-02-20", PAID), late, "B17"))
    assert {place: each.truth for place, each in found.items()} == {
        "late/L4": False,
        "misses/L4": False,
        "silent/B17": None,
    }
    ahead, payment = found["late/L4"].ahead, found["late/L4"].payment
    assert ahead is not None and (ahead.transition, ahead.severity, date_text(ahead.on)) == (
        *("opened", "medium"),
        "2025-03-08",
    )
    assert payment is not None and payment[:4] == ("L4", 1, 120_000, "CNY") and payment.by == ahead.on
    missed = found["misses/L4"]
    assert missed.ahead is not None and date_text(missed.ahead.on) == "2025-03-06"
    assert found["silent/B17"].ahead is None and found["silent/B17"].payment is None


def test_an_open_alert_is_raised_by_time_and_cleared_by_all_that_is_late(tmp_path, late):
    """Two are unpaid at the close of 03-08: one more day, and after one payment the second is four days late."""
    found = verdicts_of(late, closed_in(loan_until(tmp_path, "2025-03-08"), late, "B17"))["late/L4"]
    assert (found.truth, found.state, found.severity) == (True, "open", "high")
    assert found.payment == ("L4", 2, 240_000, "CNY", on("2025-03-09"))
    early = verdicts_of(late, closed_in(loan_until(tmp_path, "2025-02-08"), late, "B17"))["late/L4"]
    assert (early.severity, early.payment) == ("medium", ("L4", 1, 120_000, "CNY", on("2025-02-09")))
    assert early.ahead is not None and (early.ahead.transition, early.ahead.severity) == ("raised", "high")
    assert date_text(early.ahead.on) == "2025-02-15"  # ten days after 02-05


def test_half_of_an_instalment_that_is_paid_leaves_the_other_half(tmp_path, late):
    half = told("h", "repayment.received", "2025-02-06", loan_id="L4", amount_minor=50_000)
    found = verdicts_of(late, closed_in(loan_until(tmp_path, "2025-02-08", half), late, "B17"))["late/L4"]
    assert found.payment is not None and found.payment[1:3] == (1, 70_000)


def test_the_parts_of_a_condition_say_which_of_them_hold(tmp_path):
    both = LATE | {"when": "overdue >= 3 and missed >= 2", "measure": LATE["measure"] | COUNTS_MISSES["measure"]}
    rules = compiled(shelf(tmp_path / "rules", both=both))
    found = verdicts_of(rules, closed_in(loan_until(tmp_path, "2025-02-20"), rules, "B17"))["both/L4"]
    assert [each.truth for each in found.parts] == [True, False]


# Late and silent for five days. Instalment 2 of 03-05 is unpaid: open on 03-08. Half of it comes on 03-10, so it is
# false for the days 03-10 to 03-14, and true again on 03-15, when nothing came for five days.
QUIETED = LATE | {
    "measure": LATE["measure"] | {"silent": {"days_since": "repayment.received"}},
    "when": "overdue >= 3 and silent >= 5",
}
HALF = told("h", "repayment.received", "2025-03-10", loan_id="L4", amount_minor=50_000)


def explained(folder: Path, **own: object) -> tuple[Verdict, str]:
    """The one alert of QUIETED at the close of 03-11, and what the command says of it."""
    rules = shelf(folder / "rules", late=QUIETED | own)
    [file] = loan_until(folder, "2025-03-11", PAID, HALF)
    verdict = verdicts_of(compiled(rules), closed_in([file], compiled(rules), "B17"))["late/L4"]
    assert (verdict.truth, verdict.severity) == (False, "medium")
    ran = forewarn("explain", "B17", "--events", file, "--rules", rules)
    assert ran.code == 0, ran.err
    return verdict, " ".join(ran.out.split())


def test_an_open_alert_that_is_false_already_wants_no_payment_but_closes_by_itself(tmp_path):
    verdict, text = explained(tmp_path, clear_after="3d")
    assert (verdict.payment, verdict.closes) == (None, on("2025-03-13"))
    assert "already false: closes by itself on 2025-03-13 if nothing happens" in text
    assert "would make it false" not in text and "->" not in text


def test_an_open_alert_that_is_false_already_and_will_be_true_again_is_not_said_to_close(tmp_path):
    verdict, text = explained(tmp_path, clear_after="10d")
    assert (verdict.payment, verdict.closes) == (None, None)
    assert verdict.ahead is not None and verdict.ahead[:2] == ("raised", "high")  # on 03-15, ten days after 03-05
    assert f"already false, but still open in {AHEAD_DAYS} days if nothing happens becomes high on 2025-03-15" in text
    assert "would make it false" not in text and "closes" not in text


def test_an_alert_that_is_muted_closes_by_itself_too(tmp_path):
    rules = compiled(shelf(tmp_path / "rules", late=QUIETED | {"clear_after": "3d", "inhibited_by": ["misses"]},
                           misses=COUNTS_MISSES))  # fmt: skip
    [file] = loan_until(tmp_path, "2025-03-11", PAID, HALF)
    verdict = verdicts_of(rules, closed_in([file], rules, "B17"))["late/L4"]
    assert (verdict.state, verdict.closes) == ("muted", on("2025-03-13"))


# -- laws -------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> CompiledShelf:
    return compiled(shelf(tmp_path_factory.mktemp("rules"), **rules()))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("log") / "log.jsonl", *LINES)


def every(rules: CompiledShelf, closed: Closed) -> Iterator[tuple[object, ...]]:
    for each in verdicts(rules, closed.day, closed.memory):
        yield each.judged.rule.rule, each.key, each.truth, each.state, each.evidence, each.ahead, each.payment


@pytest.mark.parametrize("day", ["2025-01-20", "2025-02-10", None])
def test_an_engines_log_says_the_same_as_the_files(tmp_path, whole, log, day):
    with opened(tmp_path / "data", whole) as runtime:
        taken(runtime, LINES)
    when = None if day is None else on(day)
    for who in ("B4", "B6", "B8", "B11"):  # of whom some warn and some are warned
        of_log = by_data(tmp_path / "data", whole, who, when)
        of_files = closed_in([log], whole, who, day)
        assert list(every(whole, of_log)) == list(every(whole, of_files))
        assert any(state for _, _, _, state, *_ in every(whole, of_files))


def test_nothing_that_is_tried_changes_the_borrower(whole, log):
    for who in ("B1", "B5"):
        closed = closed_in([log], whole, who, "2025-02-10")
        before = freeze(closed.memory)
        list(verdicts(whole, closed.day, closed.memory))
        assert freeze(closed.memory) == before


@pytest.mark.parametrize("who", [f"B{n}" for n in range(12)])
def test_what_is_foreseen_comes_and_a_payment_that_is_named_keeps_it_away(tmp_path, whole, log, who):
    day = "2025-02-20"
    found = verdicts_of(whole, closed_in([log], whole, who, day))
    head = LINES[: 1 + next(n for n, each in enumerate(LINES) if b'"day.ended"' in each and day.encode() in each)]
    last = date_text(on(day) + AHEAD_DAYS)
    silent = written(tmp_path / "silent.jsonl", *head, day_ended(last))
    came = _first_changes(whole, silent, who, after=day)
    assert {place: each.ahead[:3] for place, each in found.items() if each.ahead} == came
    for place, each in found.items():
        if each.severity and each.truth is False:
            closed = _first_changes(whole, silent, who, after=day, transitions=("closed",)).get(place)
            assert (each.payment, each.closes) == (None, closed and closed[2])
        if each.payment is not None:
            pays = told("x", "repayment.received", f"{date_text(each.payment.by)}T09:00:00+08:00", borrower_id=who)
            pays |= {"loan_id": each.payment.loan_id, "amount_minor": each.payment.amount_minor}
            pays |= {"currency": each.payment.currency}
            eve, by = date_text(each.payment.by - 1), date_text(each.payment.by)
            paid = written(tmp_path / "paid.jsonl", *head, day_ended(eve), pays, day_ended(by))
            then = verdicts_of(whole, closed_in([paid], whole, who))[place]
            assert then.truth is False if each.severity else then.state != "open"


def _first_changes(
    rules: CompiledShelf,
    file: Path,
    who: str,
    *,
    after: str,
    transitions: tuple[str, ...] = ("opened", "raised", "closed"),
) -> dict[str, tuple[str, str, int]]:
    out = file.parent / "out"
    replay([file], rules, out, Progress(disable=True))
    found: dict[str, tuple[str, str, int]] = {}
    for name in ("alerts.jsonl", "shadow.jsonl"):
        for line in (out / name).read_bytes().splitlines():
            alert = json.loads(line)
            is_asked = alert["borrower_id"] == who and alert["transition"] in transitions
            if is_asked and alert["business_date"] > after:
                place = alert["episode"].rpartition("/")[0]
                found.setdefault(place, (alert["transition"], alert["severity"], on(alert["business_date"])))
    return found


# -- the command ------------------------------------------------------------


def test_the_command_says_it_in_both_languages(tmp_path, late):
    [file] = loan_until(tmp_path, "2025-02-20", PAID)
    words = ["explain", "B17", "--events", file, "--rules", tmp_path / "rules"]
    english = forewarn(*words)
    assert english.code == 0, english.err
    text = " ".join(english.out.split())
    assert "B17 at the close of 2025-02-20: 0 open, 2 to open within 60 days if nothing happens" in text
    assert "opens on 2025-03-08 (medium) not if 1 instalment (1,200.00 CNY) on L4 are paid by 2025-03-08" in text
    chinese = " ".join(forewarn(*words, "--lang", "zh").out.split())
    assert "2025-03-08 前归还 L4 的 1 期（1,200.00 CNY），就不会打开" in chinese


def test_a_table_of_other_rules_stands_where_there_are_some(tmp_path, late):
    [file] = loan_until(tmp_path, "2025-02-08")
    said = forewarn("explain", "B17", "--events", file, "--rules", tmp_path / "rules")
    assert (said.code, "Every other rule" in said.out) == (0, True)  # `silent` is unknown
    alone = forewarn("explain", "B17", "--events", file, "--rules", shelf(tmp_path / "alone", late=LATE))
    assert (alone.code, "Open alerts" in alone.out, "Every other rule" in alone.out) == (0, True, False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "expected a borrower with either --events FILE or --from DATA"),
        (["--events", "loan.jsonl", "--on", "2025-02-30"], "--on: expected a date such as 2025-06-30, got 2025-02-30"),
        (["--events", "loan.jsonl", "--on", "2026-01-01"], "--on: expected a day that is closed (2025-01-05 to"),
        (["--events", "nowhere.jsonl"], "nowhere.jsonl: expected a file"),
        (["--from", "."], "expected an engine's data directory, got none"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    loan_until(tmp_path, "2025-02-20")
    ran = forewarn("explain", "B17", *words)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err and len(ran.err.splitlines()) == 1


def test_a_borrower_whom_nothing_tells_of(tmp_path):
    [file] = loan_until(tmp_path, "2025-02-20")
    for more in ([], ["--on", "2025-02-10"]):
        ran = forewarn("explain", "B18", "--events", file, *more)
        assert (ran.code, ran.err.strip()[:4]) == (2, "B18:")


def test_an_alert_wants_a_folder_and_no_events(tmp_path):
    ran = forewarn("explain", "late/L4/1/opened", "--events", tmp_path / "a.jsonl")
    assert ran.code == 2 and "expected an alert with --from DIR alone" in ran.err
