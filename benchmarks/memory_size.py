"""How many bytes a borrower takes, over many made-up ones that are all different."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import mean, median
from typing import Any, NamedTuple

from benchmarks.shelves import terms
from benchmarks.workload import FIRST_DAY, life
from pipeline.decode import Decoder, Refusal
from pipeline.engine import close_day, step
from pipeline.freezing import FRESH_LIMIT, freeze
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.zone import day_number
from rules.rule import Shelf

DAYS, MOVEMENTS_FROM = 400, 300  # 400 days of payments, balances and bureau news; 100 of movements and salaries
CHUNK = 2_000
CLOSES_EVERY = 16  # misses and the pruning of what is old come at closes; nothing here needs each of them
SEED = 11


class Sizes(NamedTuple):
    """Bytes of each borrower: head and tail without rules, head and tail with episodes."""

    heads: list[int]
    tails: list[int]
    heads_judged: list[int]
    tails_judged: list[int]


def sizes(borrowers: int, shelf: Shelf) -> dict[str, Any]:
    """Median and mean over so many borrowers, all cores of this machine working."""
    chunks = [(first, min(first + CHUNK, borrowers), shelf) for first in range(0, borrowers, CHUNK)]
    if len(chunks) == 1:
        parts = [measured(chunks[0])]
    else:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(measured, chunks))
    heads, tails, heads_judged, tails_judged = (
        [size for part in parts for size in getattr(part, name)] for name in Sizes._fields
    )
    return {
        "borrowers": borrowers,
        "head_median": median(heads),
        "head_mean": round(mean(heads)),
        "median": median(map(sum, zip(heads, tails, strict=True))),
        "mean": round(mean(map(sum, zip(heads, tails, strict=True)))),
        "with_episodes": {
            "rules": len(shelf.rules),
            "head_median": median(heads_judged),
            "median": median(map(sum, zip(heads_judged, tails_judged, strict=True))),
            "mean": round(mean(map(sum, zip(heads_judged, tails_judged, strict=True)))),
        },
    }


def measured(chunk: tuple[int, int, Shelf]) -> Sizes:
    """The sizes of a range of borrowers."""
    first, until, rules = chunk
    empty, shelf = compile_shelf(Shelf((), "none"), terms()), compile_shelf(rules, terms())
    decoder = Decoder(empty.terms.zone.name, empty.terms.reporting_currency)
    found = Sizes([], [], [], [])
    for borrower in range(first, until):
        memory = grown(borrower, empty, decoder)
        head, tail = freeze(memory)
        found.heads.append(len(head))
        found.tails.append(len(tail))
        for ago in range(10, 0, -1):  # The shelf is ten days old, as in the timed run.
            close_day(shelf, Day(date=day_number(FIRST_DAY) + DAYS + 10 - ago), memory)
        head, tail = freeze(memory)
        found.heads_judged.append(len(head))
        found.tails_judged.append(len(tail))
    return found


def grown(borrower: int, empty: CompiledShelf, decoder: Decoder) -> Memory:
    """A borrower after 400 days, rolled as if its owner had frozen it after every event."""
    base = day_number(FIRST_DAY)
    memory = Memory(f"B{borrower:07d}")
    closed = -1
    for day, raw in life(borrower, DAYS, SEED, MOVEMENTS_FROM):
        if day >= DAYS:
            break
        while closed + CLOSES_EVERY < day:
            closed += CLOSES_EVERY
            close_day(empty, Day(date=base + closed), memory)
        try:
            arrival = decoder.decode(raw, {})
        except Refusal:
            continue
        step(empty, Day(date=base + day), memory, arrival)
        if len(memory.head.fresh) > FRESH_LIMIT:  # Only then does freezing change what the next one writes.
            freeze(memory)
    close_day(empty, Day(date=base + DAYS - 1), memory)
    return memory
