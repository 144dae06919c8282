"""A bank's file in, an arrival log of events out, with control totals that must agree to the last minor unit."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from connectors.arrival_log import ArrivalLog, compressed, open_lines, write_lines
from connectors.emit import Emission
from connectors.exact import EXACT, exact_sum
from connectors.mapping import Mapping, MappingError
from connectors.mapping_file import load_mapping
from connectors.plan import Plan, bind
from connectors.source import Source
from connectors.totals import MoneyTotal, Totals
from connectors.totals import print_totals as print_totals
from pipeline.decode import Decoder, Refusal

ROWS_A_STEP = 1_000  # between two moves of the progress bar


def ingest(file: Path, mapping: Path | str, out: Path, quiet: bool) -> Totals:
    """Turn a CSV file into events and give the control totals; nothing is written when they do not agree.

    Of a gzip file that breaks off, the whole lines are written, and then the error carries the totals.
    """
    read = load_mapping(mapping)
    source = Source(file)
    try:
        _refuse_own_source(file, out)
        totals = _run(read, source, out, quiet=quiet)
    finally:
        source.close()
    if totals.is_cut_off:
        raise MappingError(
            f"{file.name}: expected a whole gzip file, got one that breaks off after {totals.rows_read} "
            "rows, which were used; fetch the file again",
            totals,
        )
    return totals


def _refuse_own_source(file: Path, out: Path) -> None:
    if out.exists() and out.samefile(file):
        raise MappingError(f"{out.name}: expected another file to write to, got the source itself; change --out")


def _run(mapping: Mapping, source: Source, out: Path, *, quiet: bool) -> Totals:
    plan = bind(mapping, source.header, file=source.name)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output, so that the finished file takes its place in one move.
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".ingest-") as scratch, _progress(quiet) as progress:
            log = ArrivalLog(Path(scratch))
            emission = _read(plan, source, log, progress)
            draft = Path(scratch) / "events"
            count = sum(emission.made.values())
            lines = _counted(log.in_order(), progress, "writing", count)
            write_lines(lines, draft, is_gzip=compressed(out.name))
            totals = _audit(plan, source, emission, draft, is_gzip=compressed(out.name), progress=progress)
            _refuse_unequal(totals)
            os.replace(draft, out)
    except OSError as error:
        raise MappingError(f"{out}: expected a place to write to, got {error.strerror}; change --out") from None
    return totals


def _read(plan: Plan, source: Source, log: ArrivalLog, progress: Progress) -> Emission:
    emission = Emission(plan, log)
    task = progress.add_task("reading", total=source.size)
    for row in source.rows():
        emission.take(row)
        if emission.rows % ROWS_A_STEP == 0:
            progress.update(task, completed=source.bytes_read())
    progress.update(task, completed=source.size)
    if not emission.made:
        raise MappingError(
            f"{source.name}: expected rows that give events, got {emission.rows} rows and no event; "
            "check the file, and 'when' in the mapping"
        )
    return emission


def _audit(plan: Plan, source: Source, emission: Emission, draft: Path, *, is_gzip: bool, progress: Progress) -> Totals:
    """Decode the finished file as the engine will, and hold its sums against what was read."""
    mapping = plan.mapping
    with open_lines(draft, is_gzip=is_gzip) as stream:
        lines = _counted(stream, progress, "checking", sum(emission.made.values()))
        written, sums = _found(lines, plan)
    return Totals(
        mapping=mapping.mapping,
        currency=mapping.currency,
        currency_digits=mapping.currency_digits,
        rows_read=emission.rows,
        rows_skipped=dict(emission.skipped),
        made=dict(sorted(emission.made.items())),
        written=dict(sorted(written.items())),
        money=tuple(
            _money_total(plan, event, name, sums[event, name])
            for event, names in _money_fields(plan).items()
            for name in names
        ),
        rounded_values=sum(money.rounded_values for money in plan.money),
        unknown_fields=dict(sorted(emission.unknown.items())),
        first_date=min(emission.dates),
        last_date=max(emission.dates),
        is_cut_off=source.is_cut_off,
    )


def _found(lines: Iterable[bytes], plan: Plan) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Events by type, and sums by type and field, of a finished file."""
    decoder = Decoder(zone=plan.mapping.zone, reporting_currency=plan.mapping.currency)
    fields = _money_fields(plan)
    written: Counter[str] = Counter()
    sums: Counter[tuple[str, str]] = Counter()
    for number, line in enumerate(lines, start=1):
        arrival = _decoded(decoder, line, number)
        written[arrival.type] += 1
        for name in fields.get(arrival.type, ()):
            amount = getattr(arrival.event, name)
            if amount is not None:
                sums[arrival.type, name] += amount
    return written, sums


def _money_fields(plan: Plan) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for money in plan.money:
        names = fields.setdefault(money.event, [])
        if money.name not in names:
            names.append(money.name)
    return fields


def _decoded(decoder: Decoder, line: bytes, number: int) -> Any:
    try:
        return decoder.decode(line, {"line": number})
    except Refusal as refusal:
        raise MappingError(
            f"event {line[:80].decode(errors='replace')}...: {refusal.why}; "
            "correct the mapping, or add 'floor' or 'when' where the source means something else"
        ) from None


def _money_total(plan: Plan, event: str, name: str, written: int) -> MoneyTotal:
    parts = [money for money in plan.money if (money.event, money.name) == (event, name)]
    return MoneyTotal(
        event=event,
        field=name,
        columns=_columns([money.heading for money in parts]),
        read_minor=exact_sum(money.read.scaleb(money.shift, context=EXACT) for money in parts),
        left_out_minor=exact_sum(money.left_out.scaleb(money.shift, context=EXACT) for money in parts),
        raised_minor=exact_sum(money.raised for money in parts),
        rounding_minor=exact_sum(money.rounding for money in parts),
        computed_minor=exact_sum(Decimal(money.made) for money in parts),
        written_minor=written,
    )


def _columns(headings: list[str]) -> str:
    """What the sums run over: a column, a column in several groups, or a row of columns.

    >>> _columns(["LIMIT", "LIMIT"]), _columns(["BILL6", "BILL5", "BILL4"])
    ('LIMIT x 2', 'BILL6 .. BILL4')
    """
    if len(set(headings)) > 1:
        return f"{headings[0]} .. {headings[-1]}"
    return headings[0] if len(headings) == 1 else f"{headings[0]} x {len(headings)}"


def _refuse_unequal(totals: Totals) -> None:
    if totals.agree:
        return
    wrong = [
        f"{m.event} {m.field}: {m.expected_minor} read, {m.written_minor} written" for m in totals.money if not m.agrees
    ]
    if totals.made != totals.written:
        wrong.append(f"events {totals.made} made, {totals.written} written")
    raise MappingError(
        f"control totals: expected equal sums in minor units, got {'; '.join(wrong)}; nothing was kept", totals
    )


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        yield progress


def _counted(lines: Iterable[bytes], progress: Progress, name: str, total: int) -> Iterator[bytes]:
    task: TaskID = progress.add_task(name, total=total)
    for number, line in enumerate(lines):
        if number % (10 * ROWS_A_STEP) == 0:
            progress.update(task, completed=number)
        yield line
    progress.update(task, completed=total)
