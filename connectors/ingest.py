"""A bank's file in, an arrival log of events out, with control totals that must agree to the last minor unit."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from connectors.arrival_log import ArrivalLog, compressed, open_lines, write_lines
from connectors.emit import Emission
from connectors.exact import EXACT, exact_sum
from connectors.files import Reader, opened, others_in, parts_of
from connectors.mapping import Heading, MappingError
from connectors.mapping_file import load_mapping
from connectors.plan import Money
from connectors.row_keys import RowKeys
from connectors.source import Source
from connectors.totals import FileRows, MoneyTotal, Totals
from connectors.totals import print_totals as print_totals
from pipeline.decode import Decoder, Refusal

ROWS_A_STEP = 1_000  # between two moves of the progress bar


def ingest(file: Path, mapping: Path | str, out: Path, quiet: bool) -> Totals:
    """Turn a CSV file, or a folder of them, into events and give the control totals; nothing is kept when they differ.

    Of a gzip file that breaks off, the whole lines are written, and then the error carries the totals.
    """
    read = load_mapping(mapping)
    parts = parts_of(read, file)
    _refuse_own_source([path for _, path in parts], out)
    with ExitStack() as stack:
        readers = [opened(read, part, path, stack) for part, path in parts]
        left = others_in(file, [path for _, path in parts]) if file.is_dir() else []
        totals = _run(readers, left, out, quiet=quiet)
    _refuse_cut_off(totals)
    return totals


def _refuse_own_source(files: list[Path], out: Path) -> None:
    if out.exists() and any(file.exists() and out.samefile(file) for file in files):
        raise MappingError(f"{out.name}: expected another file to write to, got the source itself; change --out")


def _refuse_cut_off(totals: Totals) -> None:
    cut_off = [each for each in totals.files if each.is_cut_off]
    if cut_off:
        raise MappingError(
            f"{cut_off[0].file}: expected a whole gzip file, got one that breaks off after {cut_off[0].read} "
            "rows, which were used; fetch the file again",
            totals,
        )


def _run(readers: list[Reader], left: list[str], out: Path, *, quiet: bool) -> Totals:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output, so that the finished file takes its place in one move.
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".ingest-") as scratch, _progress(quiet) as progress:
            log = ArrivalLog(Path(scratch))
            emissions = [
                _read(each, log, Path(scratch) / f"keys-{i}", progress, is_one_of_many=len(readers) > 1)
                for i, each in enumerate(readers)
            ]
            _refuse_nothing(readers, emissions)
            log.refuse_repeated_ids()
            draft = Path(scratch) / "events"
            count = sum(sum(each.made.values()) for each in emissions)
            lines = _counted(log.in_order(), progress, "writing", count)
            write_lines(lines, draft, is_gzip=compressed(out.name))
            with open_lines(draft, is_gzip=compressed(out.name)) as stream:
                totals = _audit(readers, emissions, _counted(stream, progress, "checking", count), left)
            _refuse_unequal(totals)
            os.replace(draft, out)
    except OSError as error:
        raise MappingError(f"{out}: expected a place to write to, got {error.strerror}; change --out") from None
    return totals


def _read(reader: Reader, log: ArrivalLog, keys: Path, progress: Progress, *, is_one_of_many: bool) -> Emission:
    source = reader.source
    task = progress.add_task(f"reading {source.name}" if is_one_of_many else "reading", total=source.size)
    try:
        with closing(RowKeys(keys)) as row_keys:
            emission = Emission(reader.plan, log, row_keys)
            for row in reader.rows():
                emission.take(row)
                if emission.rows % ROWS_A_STEP == 0:
                    progress.update(task, completed=source.bytes_read())
    except MappingError as error:
        if is_one_of_many and str(error).startswith("row "):
            raise MappingError(f"{source.name}, {error}") from None
        raise
    progress.update(task, completed=source.size)
    return emission


def _refuse_nothing(readers: list[Reader], emissions: list[Emission]) -> None:
    if not any(each.made for each in emissions):
        names = ", ".join(each.source.name for each in readers)
        raise MappingError(
            f"{names}: expected rows that give events, got {sum(each.rows for each in emissions)} rows and no event; "
            "check the file, and 'when' and 'refused' in the mapping"
        )


def _audit(readers: list[Reader], emissions: list[Emission], lines: Iterable[bytes], left: list[str]) -> Totals:
    """Decode the finished file as the engine will, and hold its sums against what was read."""
    terms = readers[0].plan.terms
    money = [each for reader in readers for each in reader.plan.money]
    written, sums = _found(lines, terms, _money_fields(money))
    made = sum((each.made for each in emissions), Counter[str]())
    unknown = sum((each.unknown for each in emissions), Counter[str]())
    return Totals(
        mapping=terms.mapping,
        currency=terms.currency,
        currency_digits=terms.currency_digits,
        files=tuple(_file_rows(each.source, run) for each, run in zip(readers, emissions, strict=True)),
        not_read=tuple(left),
        made=dict(sorted(made.items())),
        written=dict(sorted(written.items())),
        money=tuple(
            _money_total(money, event, name, sums[event, name])
            for event, names in _money_fields(money).items()
            for name in names
        ),
        rounded_values=sum(each.rounded_values for each in money),
        unknown_fields=dict(sorted(unknown.items())),
        first_date=min(min(each.dates) for each in emissions if each.dates),
        last_date=max(max(each.dates) for each in emissions if each.dates),
    )


def _file_rows(source: Source, emission: Emission) -> FileRows:
    return FileRows(
        file=source.name,
        read=emission.rows,
        skipped=dict(emission.skipped),
        refused=dict(emission.refused),
        is_cut_off=source.is_cut_off,
    )


def _found(
    lines: Iterable[bytes], terms: Heading, fields: dict[str, list[str]]
) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Events by type, and sums by type and field, of a finished file."""
    decoder = Decoder(zone=terms.zone, reporting_currency=terms.currency)
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


def _money_fields(money: list[Money]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for each in money:
        names = fields.setdefault(each.event, [])
        if each.name not in names:
            names.append(each.name)
    return fields


def _decoded(decoder: Decoder, line: bytes, number: int) -> Any:
    try:
        return decoder.decode(line, {"line": number})
    except Refusal as refusal:
        raise MappingError(
            f"event {line[:80].decode(errors='replace')}...: {refusal.why}; "
            "correct the mapping, or add 'floor' or 'when' where the source means something else"
        ) from None


def _money_total(money: list[Money], event: str, name: str, written: int) -> MoneyTotal:
    parts = [each for each in money if (each.event, each.name) == (event, name)]
    return MoneyTotal(
        event=event,
        field=name,
        columns=_columns([each.heading for each in parts]),
        read_minor=exact_sum(each.read.scaleb(each.shift, context=EXACT) for each in parts),
        left_out_minor=exact_sum(
            EXACT.subtract(each.read, each.used).scaleb(each.shift, context=EXACT) for each in parts
        ),
        raised_minor=exact_sum(each.raised for each in parts),
        rounding_minor=exact_sum(each.rounding for each in parts),
        computed_minor=exact_sum(Decimal(each.made) for each in parts),
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
