"""Backtests in the process of a test, in as many parts as it likes, and what they say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.decode import Decoder
from pipeline.shells.backtest.asked import chosen
from pipeline.shells.backtest.judging import Asking, Found, Span, found_in
from pipeline.shells.backtest.part import Part, Work, part_of, together
from pipeline.shells.backtest.past import scanned
from pipeline.shells.backtest.run import as_json
from pipeline.shells.backtest.shards import shards
from pipeline.zone import day_number
from tests.arrival_logs import Ran, forewarn


def parts_of(
    files: list[Path], rules: Path, count: int, span: Span, told: Callable[[int], None] = lambda lines: None
) -> list[Part]:
    """What each of so many parts finds, one after another, without a process for each."""
    asked = chosen(files, None, [rules], None)
    shelf = asked.rules.compiled()
    decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
    scan = scanned(asked.past, decoder, with_ties=True, with_borrowers=False)
    work = Work(past=asked.past, closes=scan.closes, until=None if span.until is None else day_number(span.until))
    return [part_of(work, shelf, shard, told) for shard in shards(count, shelf, scan.ties)]


def found_of(files: list[Path], rules: Path, count: int, span: Span | None = None) -> Found:
    """A backtest in so many parts."""
    span = span or Span()
    asked = chosen(files, None, [rules], None)
    asking = Asking(span=span, truth=None, budget=None, shelf=asked.rules.shelf.hash, rules=asked.statuses)
    return found_in(together(parts_of(files, rules, count, span)), asking)


def bytes_of(files: list[Path], rules: Path, count: int, span: Span | None = None) -> bytes:
    """The JSON of a backtest in so many parts."""
    return as_json(found_of(files, rules, count, span).told)


def said_by(*words: str | Path) -> dict[str, Any]:
    """The JSON that the command says."""
    ran: Ran = forewarn("backtest", *words, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found
