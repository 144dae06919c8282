"""The simulated portfolio as the lines that arrive on each day, with its feeds' faults at their usual rates."""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from itertools import groupby
from pathlib import Path

from config.settings import load as load_settings
from connectors.simulator.parameters import SHOCKS, load
from connectors.simulator.simulate import EVENTS, simulate
from connectors.simulator.world import world_of
from pipeline.decode import Decoder, Refusal
from pipeline.zone import day_number

SHORTEST_MONTH = 28


def lines(borrowers: int, days: int, seed: int) -> Iterator[tuple[int, list[bytes]]]:
    """The lines that arrive on each day, as (day, lines).

    No feed falls silent, since each day is ended by the benchmark itself.
    """
    figures, settings = load(), load_settings()
    figures = figures.model_copy(update={"faults": figures.faults.model_copy(update={"silent_a_year": 0})})
    months = -(-days // SHORTEST_MONTH)
    world = world_of(figures, settings, seed=seed, months=months, shocks=frozenset(SHOCKS))
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "portfolio"
        simulate(world, borrowers=borrowers, months=months, rate=1, out=out, advance=lambda done: None)
        decoder = Decoder(settings.zone, settings.reporting_currency)
        with gzip.open(out / EVENTS) as file:
            arrived = _arrived((line.rstrip(b"\n") for line in file), decoder, figures.first_day)
            by_day = {day: [raw for _, raw in found] for day, found in groupby(arrived, key=lambda each: each[0])}
    for day in range(days):
        yield day, by_day.get(day, [])


def _arrived(raws: Iterator[bytes], decoder: Decoder, first_day: date) -> Iterator[tuple[int, bytes]]:
    """Each line with the day it comes on: the latest date of any line so far."""
    base, latest = day_number(first_day), 0
    for raw in raws:
        with suppress(Refusal):  # One that is refused has no date of its own.
            latest = max(latest, decoder.decode(raw, {}).date - base)
        yield latest, raw
