"""The law of the project: equal records in equal order give equal decisions, byte for byte, through every shell."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

import pipeline.shells.portfolio
from config.settings import load
from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, ShadowAlert, line
from pipeline.decode import Decoder, Refusal
from pipeline.events import CATALOGUE, ConnectedWarned
from pipeline.freezing import freeze, thaw
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells.arrival_files import closes_in
from pipeline.shells.embedded.borrowers import Kept
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.in_force import bundle_at_close
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.portfolio import Loaded, Portfolio, refused
from pipeline.shells.publishing.register import entries
from pipeline.shells.publishing.shelves import REGISTER, Shelves
from pipeline.shells.replay import ORDER, replay
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, as_line, day_ended, due, forewarn, paid, shelf, written
from tests.arrival_logs import told as told_of
from tests.arrival_traffic import arrival_log, other_rules, rules
from tests.registers import published

FILES = {
    Alert: "alerts.jsonl",
    ShadowAlert: "shadow.jsonl",
    CollectionTask: "collection-tasks.jsonl",
    DeadLetter: "dead-letters.jsonl",
    ConnectedWarned: "connected.jsonl",
}
AS_OF_A_CLOSE = ("profiles.jsonl", "months.jsonl", "queues.jsonl")
Shell = Callable[[list[Path], Path, Path, Path], None]  # files, rules, config, out


def compiled(rules: Path, config: Path) -> CompiledShelf:
    return compile_shelf(load_shelf([rules], CATALOGUE), terms_of(load(config)))


# -- the shells -------------------------------------------------------------


def shelves(rules: Path, config: Path) -> Callable[[str], CompiledShelf]:
    """What was published, in a register beside the rules."""
    return Shelves(rules.parent / REGISTER, terms_of(load(config))).compiled


def registered(rules: Path, data: Path) -> None:
    """The same register in a data directory."""
    if (rules.parent / REGISTER).exists():
        shutil.copytree(rules.parent / REGISTER, data / REGISTER, dirs_exist_ok=True)


def replay_in_process(files: list[Path], rules: Path, config: Path, out: Path) -> None:
    replay(files, compiled(rules, config), out, Progress(disable=True), shelf_of=shelves(rules, config))


def replay_by_command(files: list[Path], rules: Path, config: Path, out: Path) -> None:
    known = ["--register", rules.parent / REGISTER]
    ran = forewarn("replay", *files, "--rules", rules, "--config", config, *known, "--out", out, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def list_of_arrivals(files: list[Path], rules: Path, config: Path, out: Path) -> None:
    """One file's lines through a portfolio: what a test or an embedding program does."""
    [file] = files
    found = compiled(rules, config)
    decoder = Decoder(found.terms.zone.name, found.terms.reporting_currency)
    portfolio = Portfolio(found, Loaded(), closes_by_record=closes_in(files, decoder) is not None)
    portfolio.shelf_of = shelves(rules, config)
    decisions: list[Decision] = []
    for number, raw in enumerate(file.read_bytes().split(b"\n")[:-1], 1):
        position = {"file": file.name, "line": number}
        try:
            arrival = decoder.decode(raw, position)
        except Refusal as refusal:
            decisions.append(refused(raw, refusal.reason, refusal.why, position))
        else:
            decisions += portfolio.take(arrival)
    decisions += portfolio.judge_early() if portfolio.closes_by_record else portfolio.close_until(portfolio.date)
    write(decisions, out)


def write(decisions: Iterable[Decision], out: Path) -> None:
    out.mkdir()
    texts = {name: b"" for name in FILES.values()}
    for decision in decisions:
        if type(decision) in FILES:
            texts[FILES[type(decision)]] += line(decision) + b"\n"
    for name, text in texts.items():
        (out / name).write_bytes(text)


def restarted(restore: Callable[[Memory], Memory]) -> Shell:
    """A list of arrivals in which a borrower's memory is restored after every step, every close and every opening."""

    def after(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(shelf: CompiledShelf, day: Any, memory: Memory, *arrival: Any) -> Any:
            decisions = function(shelf, day, memory, *arrival)[1]
            restored = restore(memory)
            for name in Memory.__slots__:  # the portfolio keeps the object; everything in it is another
                setattr(memory, name, getattr(restored, name))
            return memory, decisions

        return called

    def shell(files: list[Path], rules: Path, config: Path, out: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("step", "close_day", "open_day"):
                patch.setattr(pipeline.shells.portfolio, name, after(getattr(pipeline.shells.portfolio, name)))
            list_of_arrivals(files, rules, config, out)

    return shell


def thawed(memory: Memory) -> Memory:
    return thaw(memory.borrower_id, *freeze(memory))


def stored() -> Callable[[Memory], Memory]:
    """Memory as a store would give it back that is written only when the memory says that it was touched."""
    kept: dict[str, tuple[bytes, bytes]] = {}

    def restore(memory: Memory) -> Memory:
        if memory.is_touched:
            kept[memory.borrower_id] = freeze(memory)
        found = kept.get(memory.borrower_id)
        return Memory(memory.borrower_id) if found is None else thaw(memory.borrower_id, *found)

    return restore


def stored_when_touched(files: list[Path], rules: Path, config: Path, out: Path) -> None:
    restarted(stored())(files, rules, config, out)


def embedded(batch: int, most: int) -> Shell:
    """An embedded engine that takes the lines in batches, a new one for each, then its export."""

    def shell(files: list[Path], rules: Path, config: Path, out: Path) -> None:
        [file] = files
        lines, data = file.read_bytes().split(b"\n")[:-1], out.parent / "data"
        registered(rules, data)
        for start in range(0, len(lines), batch):
            runtime = Runtime(data, compiled(rules, config), ran=Ran(mark="the same"))
            runtime.borrowers = runtime.portfolio.borrowers = Kept(runtime.store, most)
            runtime.take([Batch(lines[start : start + batch])])
            runtime.close()
        runtime = Runtime(data, compiled(rules, config), ran=Ran(mark="the same"))
        at_close = runtime.shelf_of(bundle_at_close(runtime.store.database, runtime.standing))
        export(runtime.store.database, runtime.shelf, out, at_close=at_close)
        runtime.close()

    return shell


def backfilled(files: list[Path], rules: Path, config: Path, out: Path) -> None:
    """History loaded into a new data directory to the last day that it closes, then its export."""
    closes = [line for line in files[0].read_bytes().splitlines() if b'"day.ended"' in line]
    words: list[str | Path] = ["--data", out.parent / "data", "--quiet"]
    registered(rules, out.parent / "data")
    until = json.loads(closes[-1])["date"]
    ran = forewarn("backfill", *files, "--until", until, "--rules", rules, "--config", config, *words)
    assert (ran.code, ran.err) == (0, "")
    assert forewarn("export", *words, "--out", out).code == 0


# A new shell has a line here.
SHELLS: dict[str, Shell] = {
    "replay in this process": replay_in_process,
    "replay by command": replay_by_command,
    "list of arrivals": list_of_arrivals,
    "memory thawed after everything": restarted(thawed),
    "memory stored when touched": stored_when_touched,
}

# Shells that never end: no line is their last, so days are closed by records alone.
LIVE: dict[str, Shell] = {
    "embedded, one borrower in memory": embedded(batch=40, most=1),
    "embedded, all in memory": embedded(batch=1_000, most=1_000),
    "embedded, by backfill": backfilled,
}


# -- the law ----------------------------------------------------------------


PUBLISHED = {"type": "shelf.published", "at": "2025-01-01T00:00:00+08:00", "author": "anna", "approver": "ben"}
Given = tuple[list[Path], Path, Path]  # files, rules and settings


def given(folder: Path, *, with_day_ended: bool, publishes: bool = False) -> Given:
    lines = arrival_log(11, with_day_ended=with_day_ended)
    if publishes:
        lines = with_publications(folder, lines)
    log = written(folder / "log.jsonl", *lines)
    config = folder / "settings.yaml"
    config.write_text("history_from: 2024-11-01\nmissed_from: {default: both}\n")
    return [log], shelf(folder / "rules", **rules()), config


def with_publications(folder: Path, lines: list[bytes]) -> list[bytes]:
    """The same lines with other rules from a third on, words alone changed at a half, and back at two thirds."""
    first, other = shelf(folder / "first", **rules()), shelf(folder / "other", **other_rules())
    words = shelf(
        folder / "words", **{name: rule | {"title": "In other words"} for name, rule in other_rules().items()}
    )
    parts = [(len(lines) * n // 60, published(folder, each)) for n, each in ((7, first), (20, other), (30, words))]
    for place, bundle in reversed([*parts, (len(lines) * 40 // 60, parts[0][1])]):
        lines.insert(place, as_line(PUBLISHED | {"hash": bundle}))
    return lines


def replayed(told: Given, out: Path) -> dict[str, bytes]:
    """The decisions of replay."""
    replay_in_process(*told, out)
    return {name: (out / name).read_bytes() for name in (*FILES.values(), *AS_OF_A_CLOSE)}


LOGS = ["days closed by dates", "days closed by records", "days closed by records, rules published"]


@pytest.fixture(scope="module", params=LOGS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Given:
    is_told = {"with_day_ended": "records" in request.param, "publishes": "published" in request.param}
    return given(tmp_path_factory.mktemp("told"), **is_told)


@pytest.fixture(scope="module")
def expected(told: Given, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return replayed(told, tmp_path_factory.mktemp("expected") / "out")


def test_the_log_makes_every_rule_and_every_transition_speak(told, expected):
    alerts = expected["alerts.jsonl"] + expected["shadow.jsonl"]
    for name in rules():
        assert b'"rule":"' + name.replace("_", "-").encode() + b'"' in alerts, name
    for transition in (b"opened", b"raised", b"closed"):
        assert b'"transition":"' + transition + b'"' in alerts
    with_changes = (b"rule_changed",) if (told[1].parent / REGISTER).exists() else ()
    for reason in (b"cleared", b"corrected", b"loan_closed", *with_changes):
        assert b'"reason":"' + reason + b'"' in alerts
    for status in (b"open", b"updated", b"cancelled", b"done"):
        assert b'"status":"' + status + b'"' in expected["collection-tasks.jsonl"]
    for rule in (b"missed-twice", b"loan.defaulted"):
        assert b'"rule":"' + rule + b'"' in expected["connected.jsonl"]
    for reason in (b"not_json", b"bad_field", b"unmatched_reversal"):
        assert b'"reason":"' + reason + b'"' in expected["dead-letters.jsonl"]


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_gives_equal_bytes(told, expected, tmp_path, name):
    SHELLS[name](*told, tmp_path / "out")
    for file in FILES.values():
        assert differences((tmp_path / "out" / file).read_bytes(), expected[file]) == []


@pytest.mark.parametrize("publishes", [False, True], ids=["one shelf", "shelves published"])
@pytest.mark.parametrize("after", [0, 15], ids=["to a close", "to the middle of a day"])
@pytest.mark.parametrize("name", LIVE)
def test_every_live_shell_gives_equal_bytes_profiles_months_and_queues(tmp_path, name, after, publishes):
    told = given(tmp_path, with_day_ended=True, publishes=publishes)
    lines = told[0][0].read_bytes().splitlines(keepends=True)
    closes = [n for n, line in enumerate(lines, 1) if b'"day.ended"' in line]
    last = max(close for close, following in pairwise(closes) if following - close > after)
    if publishes and after:  # after the last close, whose profiles are of the shelf before
        [*_, words] = entries(tmp_path / REGISTER)
        lines.insert(last + 3, as_line(PUBLISHED | {"hash": words.entry.bundle}) + b"\n")
    log = tmp_path / LOG  # dead letters name the file
    log.write_bytes(b"".join(lines[: last + after]))
    told = ([log], *told[1:])
    LIVE[name](*told, tmp_path / "out")
    if name != "embedded, by backfill" or not after:  # it loads no more than to its last close
        assert shelves_in(tmp_path / "out") == shelves_in_replay(told, tmp_path / "ordered")
    for file, content in replayed(told, tmp_path / "expected").items():
        assert differences((tmp_path / "out" / file).read_bytes(), content) == []


def shelves_in_replay(told: Given, out: Path) -> dict[object, str]:
    replay_in_process(*told, out)
    return shelves_in(out)


def shelves_in(out: Path) -> dict[object, str]:
    """By which shelf each line was judged and each day closed, as the order record says."""
    found: dict[object, str] = {}
    for raw in (out / ORDER).read_bytes().splitlines():
        entry = json.loads(raw)
        places = [entry["closed"]] if "closed" in entry else range(entry["first"], entry["last"] + 1)
        found |= dict.fromkeys(places, entry["shelf"])
    return found


def differences(got: bytes, wanted: bytes) -> list[tuple[bytes, bytes]]:
    """The first lines that differ, got and wanted; whole files would drown the reader."""
    if got == wanted:
        return []

    def padded(text: bytes, length: int) -> Iterator[bytes]:
        lines = text.splitlines()
        yield from lines + [b"nothing"] * (length - len(lines))

    length = max(got.count(b"\n"), wanted.count(b"\n"))
    pairs = zip(padded(got, length), padded(wanted, length), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]][:2] or [(got[-80:], wanted[-80:])]


@pytest.mark.parametrize("first", ["the payment", "its reversal"])
@pytest.mark.parametrize("name", SHELLS | LIVE)
def test_a_payment_and_its_reversal_that_meet_while_they_wait_never_count(tmp_path, name, first):
    """Due on the 4th and not paid: missed at the close of the 5th, in spite of the payment that was taken back."""
    pair = [
        paid("p1", "2025-03-01"),
        told_of("r1", "repayment.reversed", "2025-03-01T10:00:00+08:00", loan_id="L4", reverses="p1"),
    ]
    records = [*(pair if first == "the payment" else reversed(pair)), due("d1", "2025-03-04"), day_ended("2025-03-05")]
    log = written(tmp_path / "log.jsonl", *records)
    config = tmp_path / "settings.yaml"
    config.write_text("zone: Asia/Shanghai\n")
    (SHELLS | LIVE)[name]([log], shelf(tmp_path / "rules", misses=COUNTS_MISSES), config, tmp_path / "out")
    assert (tmp_path / "out" / "alerts.jsonl").read_bytes().startswith(b'{"id":"misses/L4/1/opened"')
