"""A disk that is full or read-only, or whose file a reader holds: it is told, and nothing acknowledged is lost."""

import ctypes
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.disk import Halted, Unstored, told_of
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.store import FILE, KEPT_LOG, ROOM
from pipeline.shells.embedded.worker import Worker
from tests.arrival_logs import COUNTS_MISSES, as_line, forewarn, missed, shelf
from tests.embedded_engines import compiled, opened, taken, until
from tests.engine_process import Engine, running

MEGABYTE = 1 << 20
DISK = 64 * MEGABYTE


def misses(name: str, count: int) -> list[bytes]:
    return [
        as_line(missed(f"{name}-{n}", "2025-03-01", borrower_id=f"{name}{n}", loan_id=f"{name}{n}"))
        for n in range(count)
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, in memory; where none may be mounted, the test has none to fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "mount"):
        pytest.skip("expected a system with mount(2), got another")
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={DISK}".encode()):
        pytest.skip(f"expected to mount a small disk, got {os.strerror(ctypes.get_errno())}; run as root")
    try:
        yield folder
    finally:
        libc.umount2(os.fsencode(folder), 2)  # 2: as soon as nobody uses it


def filled(disk: Path, *, left: int) -> Path:
    """A file that takes all of a disk but so many bytes."""
    room = os.statvfs(disk)
    file = disk / "filler"
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, room.f_bavail * room.f_frsize - left)
    return file


def test_a_full_disk_stops_the_intake_until_there_is_room_and_loses_nothing(small_disk):
    import httpx

    acknowledged: list[bytes] = []

    def sent(engine: Engine, name: str) -> int:
        lines = misses(name, 1_000)
        answer = engine.post(b"\n".join(lines))
        if answer.status_code == 202:
            assert {each["status"] for each in answer.json()["results"]} == {"accepted"}
            acknowledged.extend(lines)
        return answer.status_code

    def ready(engine: Engine) -> httpx.Response:
        return httpx.get(f"{engine.url}/readyz")

    with running(small_disk, shelf(small_disk / "rules", misses=COUNTS_MISSES)) as engine:
        assert sent(engine, "A") == 202
        filler = filled(small_disk, left=6 * MEGABYTE)
        statuses = []
        while not statuses or (statuses[-1] == 202 and len(statuses) < 100):
            statuses.append(sent(engine, f"F{len(statuses)}."))
        assert statuses[-1] == 507
        refused = engine.post(misses("G", 1)[0])
        assert refused.status_code == 507 and "nothing of this request was kept" in refused.json()["detail"]
        assert ready(engine).status_code == 503 and ready(engine).json()["status"] == "stopped"
        assert httpx.get(f"{engine.url}/healthz").status_code == 200
        until(lambda: f"expected {ROOM // MEGABYTE} MiB free" in ready(engine).json()["troubles"][0])
        filler.unlink()
        until(lambda: ready(engine).status_code == 200)
        assert sent(engine, "B") == 202
        filled(small_disk, left=0)
        engine.end(signal.SIGKILL)
    (small_disk / "filler").unlink()
    with running(small_disk, engine.rules) as engine:
        assert sent(engine, "C") == 202
    said = forewarn("export", "--data", small_disk / "data", "--out", small_disk / "out", "--quiet")
    assert said.code == 0
    assert (small_disk / "out" / LOG).read_bytes().splitlines() == acknowledged
    assert forewarn("doctor", "--data", small_disk / "data", "--quiet").code == 0


def test_a_data_directory_on_a_disk_that_may_not_be_written_is_refused_in_a_sentence(small_disk, tmp_path):
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    with opened(small_disk / "data", compiled(rules)) as runtime:
        taken(runtime, misses("A", 3))
    libc = ctypes.CDLL(None)
    assert libc.mount(b"tmpfs", os.fsencode(small_disk), b"tmpfs", 33, None) == 0  # 33: read only, as it is mounted
    ran = forewarn("run", "--data", small_disk / "data", "--rules", rules, "--quiet")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "expected a file that can be read or written, got Read-only file system" in ran.err
    assert forewarn("doctor", "--data", small_disk / "data", "--quiet").code == 0
    assert forewarn("dead-letters", "list", "--data", small_disk / "data", "--json").code == 0


@pytest.fixture
def plain(tmp_path: Path) -> CompiledShelf:
    return compiled(shelf(tmp_path / "rules", misses=COUNTS_MISSES))


@pytest.fixture
def runtime(tmp_path: Path, plain: CompiledShelf) -> Iterator[Runtime]:
    with opened(tmp_path / "data", plain) as found:
        yield found


LIMITED = """
import resource, sys
from pathlib import Path
from pipeline.shells.embedded.disk import Unstored
from pipeline.shells.embedded.runtime import Batch
from tests.embedded_engines import compiled, opened, taken
from tests.test_disk import misses
folder = Path(sys.argv[1])
with opened(folder / "data", compiled(folder / "rules")) as runtime:
    first = taken(runtime, misses("A", 10))
    log = runtime.store.log_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (log + 50_000, resource.RLIM_INFINITY))
    try:
        runtime.take([Batch(misses("B", 5_000))])
    except Unstored as error:
        print("unstored", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(len(first), len(taken(runtime, misses("C", 10))))
"""


def test_a_file_that_may_not_grow_is_a_full_disk_too(tmp_path):
    #  For machines on which no disk may be mounted.
    shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    root = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], cwd=root, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == ["unstored disk I/O error", "10 10"]


def test_a_file_that_became_read_only_takes_nothing_until_it_is_writable_again(runtime):
    taken(runtime, misses("A", 1))
    runtime.store.database.execute("pragma query_only = on")
    with pytest.raises(Unstored, match="readonly"):
        runtime.take([Batch(misses("B", 1))])
    worker = Worker(runtime, tries_every=0.01)
    refused = worker.submit(Batch(misses("B", 1)))
    worker.start()
    assert isinstance(refused.exception(60), Unstored) and "readonly" in (worker.trouble or "")
    runtime.store.database.execute("pragma query_only = off")
    until(lambda: worker.trouble is None)
    assert worker.submit(Batch(misses("B", 1))).result(60)[0].line == 2
    worker.stop()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, Unstored),
        (sqlite3.SQLITE_IOERR_FSYNC, Unstored),
        (sqlite3.SQLITE_READONLY, Unstored),
        (sqlite3.SQLITE_BUSY, Unstored),
        (sqlite3.SQLITE_CORRUPT_INDEX, Halted),
        (sqlite3.SQLITE_NOTADB, Halted),
    ],
)
def test_what_sqlite_says_is_either_tried_again_or_the_end(tmp_path, code, kind):
    error = sqlite3.OperationalError("as it is") if kind is Unstored else sqlite3.DatabaseError("as it is")
    error.sqlite_errorcode = code
    assert isinstance(told_of(error, tmp_path), kind)
    fault = ZeroDivisionError()
    assert told_of(fault, tmp_path) is fault


# -- a reader that does not end ---------------------------------------------


def test_a_reader_that_does_not_end_stops_the_intake_before_the_log_of_writes_takes_the_disk(runtime, tmp_path):
    taken(runtime, misses("A", 10))
    runtime.store.most_log = 4 * MEGABYTE
    reader = sqlite3.connect(tmp_path / "data" / FILE, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from arrivals").fetchone()
    count = 0
    with pytest.raises(Unstored, match="a reader that does not end forbids"):
        while count < 100:
            taken(runtime, misses(f"B{count}.", 500))
            count += 1
    assert 0 < count < 100 and runtime.store.log_bytes() < 8 * MEGABYTE
    with pytest.raises(Unstored):
        runtime.store.try_room()
    reader.execute("rollback")
    runtime.store.try_room()
    assert runtime.store.log_bytes() < MEGABYTE
    assert len(taken(runtime, misses("C", 500))) == 500
    reader.close()


def test_without_a_reader_the_log_of_writes_stays_short(runtime):
    sizes = []
    for n in range(20):
        taken(runtime, misses(f"A{n}.", 500))
        sizes.append(runtime.store.log_bytes())
    # All of it is some 14 MiB; every thousand pages of 4 KiB are folded in.
    assert max(sizes) < 8 * MEGABYTE < KEPT_LOG


# -- power ------------------------------------------------------------------


def test_every_commit_waits_for_the_disk(runtime):
    said = {
        name: runtime.store.database.execute(f"pragma {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    }
    assert said == {"journal_mode": "wal", "synchronous": 2}  # 2: full


TAKES = """
import os, sys
from pathlib import Path
from tests.embedded_engines import compiled, opened, taken
from tests.test_disk import misses
folder = Path(sys.argv[1])
with opened(folder / "new" / "data", compiled(folder / "rules")) as runtime:
    for n in range(5):
        os.write(2, b"<take>")
        taken(runtime, misses(f"A{n}.", 10))
        os.write(2, b"<taken>")
"""


def test_no_batch_is_acknowledged_before_its_bytes_are_on_the_disk(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("expected strace, got none; install it")
    shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    calls = "trace=fsync,fdatasync,write,pwrite64,mkdir"
    words = ["strace", "-f", "-y", "-e", calls, "-o", tmp_path / "calls", sys.executable, "-c", TAKES, tmp_path]
    ran = subprocess.run(words, cwd=Path(__file__).parents[1], capture_output=True)
    if b"ptrace" in ran.stderr.lower():
        pytest.skip("expected that a process may be traced, got none that may")
    assert ran.returncode == 0, ran.stderr
    traced = (tmp_path / "calls").read_text()
    batches = re.findall(r'"<take>"(.*?)"<taken>"', traced, re.DOTALL)
    assert len(batches) == 5
    log = re.escape(f"{tmp_path}/new/data/{FILE}-wal")
    for each in batches:
        kinds = re.findall(rf"(pwrite64|fsync|fdatasync)\(\d+<{log}>", each)
        assert "pwrite64" in kinds and kinds[-1] in ("fsync", "fdatasync")
    # A folder that was made is noted in those above it before anything is acknowledged.
    before = traced.split('"<take>"')[0]
    assert re.search(rf"fsync\(\d+<{re.escape(str(tmp_path))}>\)", before)
    assert re.search(rf"fsync\(\d+<{re.escape(str(tmp_path / 'new'))}>\)", before)
