"""The demo: a portfolio, simulated or of real card clients, through an embedded engine to alerts and a report."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import httpx
import msgspec
from rich.progress import Progress

from config.settings import Settings
from connectors.ingest import ingest
from connectors.simulator.simulate import EVENTS, NAMES, TRUTH
from pipeline.decode import Decoder, Refusal
from pipeline.shells import simulation
from pipeline.shells.embedded.client import EngineError, send
from pipeline.shells.embedded.commands import export
from pipeline.shells.embedded.dropped import events_in, in_batches, survey
from pipeline.shells.embedded.keys import KEYS, own_key
from pipeline.shells.embedded.live import Board
from pipeline.shells.embedded.lock import held
from pipeline.shells.embedded.started import Engine, started
from pipeline.shells.embedded.store import FILE, LOCK
from pipeline.shells.kept import RULES, KeptRule
from pipeline.shells.replay import SUMMARY, Summary
from pipeline.shells.report.page import write_report
from pipeline.shells.texts import Language
from pipeline.shells.verdict import Judgement, judgement_of
from pipeline.zone import date_text

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "connectors" / "samples" / "taiwan_cards_1000.csv.gz"
CONFIG = ROOT / "config" / "taiwan.yaml"
MAPPING = "taiwan_cards"
BORROWERS, MONTHS, SEED = 400, 18, 1  # of the simulated portfolio
DATA, REPORT = "engine", "report.html"


class Source(NamedTuple):
    """Where the events of a demo are, and the truth behind them where the events do not tell it."""

    events: Path
    truth: Path | None


def simulated(out: Path, settings: Settings, progress: Progress) -> Source:
    """A portfolio whose troubles are known; an earlier demo's is made anew."""
    folder = out / "portfolio"
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
    asked = {"borrowers": BORROWERS, "months": MONTHS, "seed": SEED}
    simulation.run(folder, settings, progress, asked=asked, shocks=None, faults=0)
    return Source(folder / EVENTS, folder / TRUTH)


def real(out: Path, settings: Settings, progress: Progress) -> Source:
    """The shipped sample of real card clients."""
    out.mkdir(parents=True, exist_ok=True)
    events = out / "events.jsonl.gz"
    ingest(SAMPLE, MAPPING, events, True)
    return Source(events, None)


class Demo(NamedTuple):
    """What the demo made."""

    summary: Summary
    judgement: Judgement
    profiles: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    rules: dict[str, KeptRule]
    events: Path
    fed: "Fed"


class Fed(NamedTuple):
    """How the engine of the demo was fed."""

    key: str  # to its door
    seconds: float  # it took over all events
    config: Path | None


def run(
    out: Path,
    source: Source,
    settings: Settings,
    board: Board,
    *,
    rules: tuple[Path, ...] = (),
    config: Path | None = None,
    lang: Language = "en",
) -> Demo:
    """Feed the events of a source to an engine, and judge what it decided by what became of the borrowers."""
    data = out / DATA
    key = fresh(data)
    with started(Engine(data, rules, config), key) as door:
        began = monotonic()
        feed(door, source.events, Decoder(settings.zone, settings.reporting_currency), board)
        seconds = monotonic() - began
    export(data, out, quiet=True)
    summary = msgspec.json.decode((out / SUMMARY).read_bytes(), type=Summary)
    judgement = judgement_of(out, source.truth, None)
    write_report(out, out / REPORT, source.truth, None, lang)
    profiles, alerts, tasks = (_records(out / f"{name}.jsonl") for name in ("profiles", "alerts", "collection-tasks"))
    kept_rules = {each.rule: each for line in (out / RULES).read_bytes().splitlines() if (each := _RULE.decode(line))}
    return Demo(summary, judgement, profiles, alerts, tasks, kept_rules, source.events, Fed(key, seconds, config))


def fresh(data: Path) -> str:
    """A data directory without anything of an earlier demo, and the key to its engine."""
    data.mkdir(parents=True, exist_ok=True)
    try:
        lock = held(data / LOCK)
    except BlockingIOError:
        raise EngineError(
            f"{data}: expected the engine of an earlier demo to be stopped, got one that runs; "
            "stop it, or name another folder with --out"
        ) from None
    try:
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", KEYS):
            (data / name).unlink(missing_ok=True)
        key = own_key(data)
        assert key is not None
        return key
    finally:
        os.close(lock)


def feed(door: httpx.Client, events: Path, decoder: Decoder, board: Board) -> None:
    """Send every event and the end of every day, as a bank would over the months."""
    faults: list[str] = []
    with board.shown(survey(events).lines):
        for lines in in_batches(with_day_ends(events_in(events, faults), decoder)):
            send(door, lines)
            board.advance(door, lines)


def with_day_ends(lines: Iterable[bytes], decoder: Decoder) -> Iterator[bytes]:
    """Events with a day.ended wherever the date moves on, and one after the last."""
    day: int | None = None
    for raw in lines:
        with suppress(Refusal):  # The engine refuses it, too, and says why.
            date = decoder.decode(raw, {}).date
            if day is not None and date > day:
                yield _ended(date - 1)
            day = date if day is None else max(day, date)
        yield raw
    if day is not None:
        yield _ended(day)


def _ended(day: int) -> bytes:
    return msgspec.json.encode({"type": "day.ended", "date": date_text(day)})


def _records(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


_RULE = msgspec.json.Decoder(KeptRule)
