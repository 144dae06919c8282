"""A damaged data directory: found out, refused by the engine, and saved as far as its pages can be read."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.disk import Halted
from pipeline.shells.embedded.pages import rows_in
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.store import FILE, DataError
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.replay import replay
from tests.arrival_logs import Ran as Said
from tests.arrival_logs import as_line, forewarn, shelf, told
from tests.arrival_traffic import arrival_log, rules
from tests.embedded_engines import compiled, exported, opened, records_of, taken

LINES = arrival_log(3, with_day_ended=True)
LINES.insert(700, as_line(told("long", "external.inquiry", "2025-01-20", borrower_id="B1", purpose="x" * 30_000)))
PAGE = 4096


@pytest.fixture(scope="module")
def whole_shelf(tmp_path_factory: pytest.TempPathFactory) -> CompiledShelf:
    return compiled(shelf(tmp_path_factory.mktemp("rules"), **rules()))


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, whole_shelf: CompiledShelf) -> Path:
    """A data directory, and beside it the decisions that were made in it."""
    folder = tmp_path_factory.mktemp("healthy")
    with opened(folder / "data", whole_shelf) as runtime:
        taken(runtime, LINES)
        (folder / "decided.json").write_text(json.dumps(exported(runtime, folder / "out")))
    return folder


@pytest.fixture
def data(tmp_path: Path, healthy: Path) -> Path:
    shutil.copytree(healthy / "data", tmp_path / "data")
    return tmp_path / "data"


def pages_of(data: Path, name: str, kind: str) -> list[int]:
    """The pages of a table or an index: its leaves, or those between them and the root."""
    database = sqlite3.connect(data / FILE)
    query = "select pageno from dbstat where name = ? and pagetype = ? order by pageno"
    found = [n for (n,) in database.execute(query, (name, kind))]
    database.close()
    return found


def overwritten(data: Path, page: int, content: Callable[[bytes], bytes]) -> None:
    with (data / FILE).open("r+b") as file:
        file.seek((page - 1) * PAGE)
        before = file.read(PAGE)
        file.seek((page - 1) * PAGE)
        file.write(content(before))


def noise(before: bytes) -> bytes:
    return bytes((17 * n * n + 5) % 251 for n in range(len(before)))


def zeros(before: bytes) -> bytes:
    return bytes(len(before))


def torn(before: bytes) -> bytes:
    """The first sectors are of a later write than the rest, which here is nothing."""
    return before[:512] + bytes(len(before) - 512)


def checks(said: Said) -> dict[str, str]:
    cells = [[cell.strip() for cell in row.split("│")] for row in said.out.splitlines() if row.startswith("│")]
    return {cell[1]: cell[2] for cell in cells if cell[1]}


def missing(out: Path) -> set[int]:
    ranges = json.loads((out / "saved.json").read_bytes())["arrivals"]["missing"]
    return {n for first, last in ranges for n in range(first, last + 1)}


# -- sound, and not ---------------------------------------------------------


def test_a_sound_directory_is_sound_while_the_engine_runs_and_after(data, whole_shelf):
    with opened(data, whole_shelf):
        assert forewarn("doctor", "--data", data, "--quiet").code == 0
    said = forewarn("doctor", "--data", data)
    assert said.code == 0 and set(checks(said).values()) == {"sound"}
    assert f"{data} is sound\n" in said.out and f"{len(LINES):,} without a gap" in said.out
    assert "完好" in forewarn("doctor", "--data", data, "--lang", "zh").out


DAMAGES: dict[str, tuple[str, str, str]] = {
    #  table or index, which of its pages, the check that finds it beside `pages`
    "a leaf of arrivals": ("arrivals", "leaf", "arrivals"),
    "the root of arrivals": ("arrivals", "internal", "arrivals"),
    "a leaf of heads": ("heads", "leaf", "borrowers"),
    "a leaf of decisions": ("decisions", "leaf", "decisions"),
    "an index": ("heads_by_waking", "leaf", "pages"),
}


@pytest.mark.parametrize("content", [noise, zeros, torn], ids=lambda content: content.__name__)
@pytest.mark.parametrize(("name", "kind", "check"), DAMAGES.values(), ids=DAMAGES)
def test_a_page_that_was_overwritten_is_found_and_all_other_arrivals_are_saved(
    tmp_path, data, healthy, whole_shelf, name, kind, check, content
):
    pages = pages_of(data, name, kind)
    page = pages[len(pages) // 2]
    overwritten(data, page, content)
    out = tmp_path / "saved"
    said = forewarn("doctor", "--data", data, "--salvage", out)
    assert said.code == 1 and checks(said)["pages"] == "DAMAGED" and checks(said)[check] == "DAMAGED"
    lost, saved = missing(out), (out / LOG).read_bytes().split(b"\n")[:-1]
    assert len(saved) == len(LINES)
    assert {n for n, raw in enumerate(saved, 1) if raw == b""} == lost
    assert all(raw == LINES[n - 1] for n, raw in enumerate(saved, 1) if raw)
    if name == "arrivals" and kind == "leaf":
        assert lost and len(lost) < 60
        # A row that was written again lies elsewhere in its page, so half a page may leave it between lost ones.
        assert content is torn or lost == set(range(min(lost), max(lost) + 1))
        return
    assert lost == set()
    replay([out / LOG], whole_shelf, tmp_path / "again", Progress(disable=True))
    assert records_of(tmp_path / "again") == json.loads((healthy / "decided.json").read_text())


@pytest.mark.parametrize("content", [noise, zeros, torn], ids=lambda content: content.__name__)
def test_without_its_schema_everything_else_is_saved(tmp_path, data, healthy, content):
    overwritten(data, 1, content)
    said = forewarn("doctor", "--data", data, "--salvage", tmp_path / "saved")
    assert said.code == 1 and set(checks(said).values()) == {"DAMAGED"}
    assert (tmp_path / "saved" / LOG).read_bytes() == b"".join(line + b"\n" for line in LINES)
    for name, wanted in json.loads((healthy / "decided.json").read_text()).items():
        if name != "profiles":
            lines = (tmp_path / "saved" / f"{name}.jsonl").read_bytes().splitlines()
            assert [json.loads(line) for line in lines] == wanted


def test_what_a_killed_engine_left_in_its_log_of_writes_is_saved_with_the_rest(tmp_path, whole_shelf):
    with opened(tmp_path / "data", whole_shelf) as runtime:
        runtime.store.database.execute("pragma wal_autocheckpoint = 0")
        taken(runtime, LINES[:300])
        runtime.store.database.execute("pragma wal_checkpoint(truncate)")
        taken(runtime, LINES[300:])
        shutil.copytree(tmp_path / "data", tmp_path / "killed")
    assert (tmp_path / "killed" / f"{FILE}-wal").stat().st_size > 100 * PAGE
    overwritten(tmp_path / "killed", 1, noise)
    forewarn("doctor", "--data", tmp_path / "killed", "--salvage", tmp_path / "saved")
    assert (tmp_path / "saved" / LOG).read_bytes() == b"".join(line + b"\n" for line in LINES)


def changed(data: Path, *statements: str) -> None:
    database = sqlite3.connect(data / FILE)
    for each in statements:
        database.execute(each)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("delete from arrivals where n = 77", "arrivals"),
        ("delete from arrivals where n > 1400", "arrivals"),
        ("update arrivals set raw = x'00' where n = 77", "arrivals"),
        ("delete from closes where date = (select min(date) + 3 from closes)", "days closed"),
        ("delete from closes where date = (select max(date) from closes)", "days closed"),
        ("update heads set head = x'0102' where borrower_id = 'B3'", "borrowers"),
        ("delete from tails where borrower_id = 'B3'", "borrowers"),
        ("update decisions set body = x'7b' where n = 3", "decisions"),
        ("delete from decisions where n = 3", "decisions"),
        ("delete from meta where name = 'format'", "format"),
        ("update meta set value = x'00' where name = 'standing'", "arrivals"),
    ],
)
def test_what_does_not_agree_is_damage_even_where_every_page_can_be_read(data, statement, check):
    changed(data, statement)
    said = forewarn("doctor", "--data", data)
    assert said.code == 1
    found = checks(said)
    assert found["pages"] == "sound" and found[check] == "DAMAGED"


# -- what the engine says of it ---------------------------------------------


def refused(data: Path, rules: Path) -> str:
    ran = forewarn("run", "--data", data, "--rules", rules, "--port", "0", "--quiet")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    return ran.err


def test_an_engine_refuses_a_damaged_file_and_names_the_doctor(tmp_path, data):
    rule_folder = shelf(tmp_path / "rules", **rules())
    overwritten(data, 1, noise)
    said = refused(data, rule_folder)
    assert f"forewarn doctor --data {data}" in said and "expected a database of Forewarn" in said
    (data / FILE).write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    assert f"forewarn doctor --data {data}" in refused(data, rule_folder)


def test_an_engine_refuses_what_it_cannot_go_on_from(tmp_path, data):
    changed(data, "update meta set value = x'00' where name = 'standing'")
    assert f"forewarn doctor --data {data}" in refused(data, shelf(tmp_path / "rules", **rules()))


def test_a_file_with_fewer_arrivals_than_were_acknowledged_is_refused(data, whole_shelf):
    changed(data, "delete from arrivals where n > 1000")
    said = f"expected {len(LINES)} arrivals, got 1000; .* forewarn doctor"
    with pytest.raises(DataError, match=said), opened(data, whole_shelf):
        pass


def test_damage_that_is_met_while_running_stops_the_intake_and_acknowledges_nothing(data, whole_shelf):
    for page in pages_of(data, "heads", "leaf"):
        overwritten(data, page, zeros)
    one, other = (as_line(told(who, "external.inquiry", "2025-03-02", borrower_id=who)) for who in ("B1", "B2"))
    with opened(data, whole_shelf) as runtime:
        with pytest.raises(Halted, match=f"expected a sound database, .* forewarn doctor --data {data}"):
            runtime.take([Batch([one])])
        worker = Worker(runtime)
        answers = [worker.submit(Batch([line])) for line in (one, other)]
        worker.start()
        assert [type(each.exception(60)) for each in answers] == [Halted, Halted]
        assert "forewarn doctor" in (worker.trouble or "")
        worker.stop()
        assert runtime.store.database.execute("select count(*) from arrivals").fetchone() == (len(LINES),)


def test_a_newer_format_says_how_to_upgrade_whatever_is_asked_of_it(tmp_path, data, whole_shelf):
    changed(data, "update meta set value = 2 where name = 'format'")
    upgrade = "expected format 1, got 2 of a newer Forewarn; upgrade this one: git pull && make setup"
    assert upgrade in refused(data, shelf(tmp_path / "rules", **rules()))
    for words in (("doctor",), ("dead-letters", "list"), ("export", "--out", str(tmp_path / "out"))):
        ran = forewarn(*words, "--data", data)
        assert ran.code == 2 and upgrade in ran.err
    changed(data, "update meta set value = 0 where name = 'format'")
    assert "got 0, which no Forewarn wrote" in refused(data, tmp_path / "rules")


# -- what it does not do ----------------------------------------------------


def test_nothing_is_saved_of_a_running_engine_or_into_a_folder_with_something_in_it(tmp_path, data, whole_shelf):
    with opened(data, whole_shelf):
        ran = forewarn("doctor", "--data", data, "--salvage", tmp_path / "saved")
        assert (ran.code, ran.err.count("\n")) == (2, 1) and "expected an engine that is stopped" in ran.err
    ran = forewarn("doctor", "--data", data, "--salvage", tmp_path)
    assert ran.code == 2 and "expected a folder that is new or empty" in ran.err
    ran = forewarn("doctor", "--data", tmp_path / "nothing")
    assert ran.code == 2 and "expected the data directory of an engine" in ran.err


def test_what_is_saved_leaves_the_damaged_file_as_it_is(tmp_path, data):
    overwritten(data, pages_of(data, "arrivals", "leaf")[3], noise)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    forewarn("doctor", "--data", data, "--salvage", tmp_path / "saved")
    assert {name: (data / name).read_bytes() for name in before} == before
    assert {path.name for path in (tmp_path / "saved").iterdir()} == {
        *("events.jsonl", "saved.json", "alerts.jsonl", "shadow.jsonl"),
        *("collection-tasks.jsonl", "connected.jsonl", "dead-letters.jsonl", "disagreements.jsonl"),
    }


def test_pages_are_read_as_sqlite_reads_them(tmp_path):
    #  Sizes around where a row overflows its page, and every kind of value.
    file = tmp_path / "rows.sqlite"
    for size in (512, 4096, 65_536):
        database = sqlite3.connect(file)
        database.execute(f"pragma page_size = {size}")
        database.execute("create table t (n integer primary key, a, b, c)")
        values: list[tuple[Any, ...]] = [
            (n, n**5 * (-1) ** n, "ä" * (n % 7), os.urandom(n * 23))
            for n in range(1, size // 8 if size < 5000 else 400)
        ]
        values += [(-3, None, 1.5, b""), (1 << 62, 0, 1, b"x"), (9_999, -(1 << 63), "", None)]
        database.executemany("insert into t values (?, ?, ?, ?)", values)
        database.commit()
        database.close()
        found = {row.rowid: row.values for row in rows_in(file) if len(row.values) == 4}
        assert found == {n: [None, *rest] for n, *rest in values}
        file.unlink()
