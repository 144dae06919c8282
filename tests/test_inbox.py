"""A dropped file is taken whole, fed once whatever happens to the process, and put away with what came of it."""

import gzip
import json
import os
from concurrent.futures import Future
from pathlib import Path

import pytest

import pipeline.shells.embedded.dropped as dropped
from pipeline.shells.embedded.inbox import Inbox, InboxError
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.worker import Full
from tests.arrival_logs import COUNTS_MISSES, as_line, forewarn, missed, shelf, written
from tests.dropping import Took, lines
from tests.dropping import box as box
from tests.embedded_engines import until
from tests.engine_process import told

# -- what is taken, and in which order --------------------------------------


def test_files_are_read_in_the_order_of_names_and_put_away_with_what_came_of_them(box):
    box.drop("c.json", b"[" + told("c-1") + b",\n" + told("c-2") + b"]")
    box.drop("b.ndjson.gz", gzip.compress(lines("b-1")))
    box.drop("a.jsonl", lines("a-1") + b"\n" + b"not json\n" + lines("a-2")[:-1])
    box.drop("d.JSON", told("d-1") + b"\n" + told("d-2"))  # many call lines so
    box.look()
    ids = [json.loads(raw)["id"] for raw in box.logged() if raw != b"not json"]
    assert ids == ["a-1", "a-2", "b-1", "c-1", "c-2", "d-1", "d-2"]
    assert box.named("failed") == box.named("taken") == []
    assert {"a.jsonl", "a.jsonl.result.json", "b.ndjson.gz", "c.json", "d.JSON"} < set(box.named("done"))
    expected = {"file": "a.jsonl", "lines": 3, "accepted": 2, "refused": 1, "reasons": {"not_json": 1}}
    assert json.loads(box.said("done/a.jsonl.result.json")) == expected
    assert box.inbox.is_drained and box.life.trouble is None


def test_who_can_write_into_the_folder_may_send_everything(box):
    box.drop("a.jsonl", lines("a-1") + b'{"type": "day.ended", "date": "2025-03-05"}\n')
    box.look()
    assert json.loads(box.said("done/a.jsonl.result.json"))["accepted"] == 2
    assert box.rows("select count(*) from closes") == [(1,)]


@pytest.mark.parametrize("name", [".a.jsonl", "a.jsonl.part", "a.jsonl.tmp", "a.jsonl.TMP"])
def test_a_file_whose_name_says_that_it_is_still_written_is_left_alone(box, name):
    box.drop(name, lines("a-1"))
    box.look(3)
    assert (box.folder / name).exists() and box.logged() == []
    os.rename(box.folder / name, box.folder / "a.jsonl")
    box.look()
    assert len(box.logged()) == 1


def test_a_file_that_grows_is_not_taken_before_two_looks_find_it_the_same(box):
    box.drop("a.jsonl", told("a-1")[:40])
    box.look(1)
    box.drop("a.jsonl", lines("a-1", "a-2"))
    box.look(1)
    assert box.logged() == [] and not box.inbox.is_drained
    box.look(1)
    assert len(box.logged()) == 2 and box.inbox.is_drained


def test_a_second_file_of_a_name_stands_beside_the_first(box):
    for content in (lines("a-1"), lines("a-2"), lines("a-3")):
        box.drop("a.jsonl.gz", content)
        box.look()
    names = ["a.jsonl.gz", "a-2.jsonl.gz", "a-3.jsonl.gz"]
    assert set(box.named("done")) == {f"{name}{end}" for name in names for end in ("", ".result.json")}
    assert (box.folder / "done" / "a-2.jsonl.gz").read_bytes() == lines("a-2")


def test_the_same_content_dropped_twice_decides_nothing_twice(box):
    content = as_line(missed("m-1", "2025-03-05")) + b"\n"
    for name in ("a.jsonl", "a.jsonl", "b.jsonl"):
        box.drop(name, content)
        box.look()
    assert len(box.named("done")) == 6
    assert (len(box.logged()), box.alerts()) == (3, 1)  # every arrival is in the log, a repeat changes nothing


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"")], ids=["empty", "empty lines", "empty gzip"])
def test_a_file_without_lines_is_done(box, content):
    box.drop("a.jsonl", content)
    box.look()
    assert json.loads(box.said("done/a.jsonl.result.json"))["lines"] == 0


def test_a_name_of_any_bytes_and_length_is_put_away(box):
    names = [b"\xff\n.jsonl", b"x" * 249 + b".jsonl", b"y." + b"z" * 250, "é".encode() * 124 + b".jsonl"]
    for name in names:
        Path(os.fsdecode(os.fsencode(box.folder) + b"/" + name)).write_bytes(lines("a-1"))
    box.look()
    assert len(box.named("done")) == 2 * 3 and len(box.named("failed")) == 3
    assert box.inbox.is_drained and len(box.logged()) == 3


# -- what cannot be read to its end -----------------------------------------

MANY = [told(f"m-{n}", borrower_id=f"B{n}") for n in range(3_000)]
PACKED = gzip.compress(b"\n".join(MANY))
FAILURES = {
    "a gzip that breaks off": ("a.jsonl.gz", PACKED[:-200], "got one that ends too early; its whole lines were used"),
    "a damaged gzip": ("a.jsonl.gz", PACKED[:5_000] + bytes(50) + PACKED[5_050:], "got a damaged one"),
    "another ending": ("loans.csv", b"a,b\n", "expected .jsonl, .ndjson, .json, perhaps with .gz"),
    "half an array": ("a.json", b"[" + told("a-1") + b", ", "got one that is not whole"),
    "half a packed array": ("a.json.gz", gzip.compress(b"[]" * 5_000)[:-9], "ends too early; nothing was used"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_file_that_cannot_be_read_to_its_end_has_failed_for_a_reason(box, case):
    name, content, sentence = FAILURES[case]
    box.drop(name, content)
    box.look()
    assert box.named("failed") == sorted([name, f"{name}.reason.txt", f"{name}.result.json"])
    reason = box.said(f"failed/{name}.reason.txt")
    assert sentence in reason and reason.startswith(f"{name}: expected") and reason.count("\n") == 1
    assert box.named("done") == box.named("taken") == [] and (box.folder / "failed" / name).read_bytes() == content
    if case == "a gzip that breaks off":
        used = len(box.logged())
        assert box.logged() == MANY[:used] and 2_500 < used < 3_000
        assert json.loads(box.said(f"failed/{name}.result.json"))["accepted"] == used
    else:
        assert box.logged() == []


def test_what_is_no_file_has_failed_and_is_not_followed(box, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(b"a secret of this machine\n")
    (box.folder / "a.jsonl").symlink_to(secret)
    (box.folder / "b.jsonl").mkdir()
    written(box.folder / "b.jsonl" / "inside.jsonl", told("b-1"))
    os.mkfifo(box.folder / "c.jsonl")
    box.look()
    reasons = [box.said(f"failed/{name}.jsonl.reason.txt") for name in "abc"]
    assert [reason.split("got ")[1].split(";")[0] for reason in reasons] == ["a link", "a folder", "a device or a pipe"]
    assert box.logged() == [] and secret.read_bytes() == b"a secret of this machine\n"
    assert (box.folder / "failed" / "b.jsonl" / "inside.jsonl").exists()


def test_a_file_that_may_not_be_read_has_failed(box, monkeypatch):
    def refused(file: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr("pipeline.shells.arrival_files.WholeLines", refused)
    box.drop("a.jsonl", lines("a-1"))
    box.look()
    assert "a.jsonl: expected a file that can be read, got Permission denied" in box.said("failed/a.jsonl.reason.txt")


def test_a_file_that_is_one_endless_line_fills_no_memory(box, monkeypatch):
    monkeypatch.setattr(dropped, "LONGEST", 1 << 18)
    box.drop("a.jsonl", b"x" * (1 << 20))
    box.drop("b.json", b"x" * (1 << 20))
    box.look()
    assert "got one of more than 262144 bytes" in box.said("failed/a.jsonl.reason.txt")
    assert "expected at most 262144 bytes of .json" in box.said("failed/b.json.reason.txt")


# -- an engine that has no room, or fails -----------------------------------


def test_a_full_queue_is_waited_for(box):
    answers = iter([Full, Full])

    def full(batch: Batch) -> Took:
        for refusal in answers:
            raise refusal
        return box.worker.submit(batch)

    box.submit = full
    box.drop("a.jsonl", lines("a-1", "a-2"))
    box.look()
    assert len(box.paused) == 2 and len(box.logged()) == 2 and "a.jsonl" in box.named("done")


def test_a_full_disk_keeps_the_file_until_there_is_room(box, monkeypatch):
    monkeypatch.setattr(dropped, "LINES_A_BATCH", 500)
    database = box.runtime.store.database
    pages = database.execute("pragma page_count").fetchone()[0]
    database.execute(f"pragma max_page_count = {pages + 40}")

    def made_room(seconds: float) -> None:
        assert box.life.trouble is not None and "make room: a.jsonl is kept" in box.life.trouble
        assert box.named("done") == [] and len(box.named("taken")) == 1
        before.append(len(box.logged()))
        database.execute("pragma max_page_count = 1000000")
        until(lambda: box.worker.trouble is None)  # it finds out by itself

    before: list[int] = []
    box.life.pause = made_room
    box.drop("a.jsonl", b"\n".join(MANY))
    box.look()
    assert len(before) == 1 and before[0] < 3_000
    assert box.logged() == MANY and box.named("done") == ["a.jsonl", "a.jsonl.result.json"]
    assert box.life.trouble is None


def test_a_file_on_which_the_engine_fails_says_so_and_the_next_goes_on(box):
    def failing(batch: Batch) -> Took:
        if b"a-1" in batch.lines[0]:
            answer: Took = Future()
            answer.set_exception(ZeroDivisionError())
            return answer
        return box.worker.submit(batch)

    box.submit = failing
    box.drop("a.jsonl", lines("a-1"))
    box.drop("b.jsonl", lines("b-1"))
    box.look()
    assert "a.jsonl: expected events that the engine can take, got ZeroDivisionError" in box.said(
        "failed/a.jsonl.reason.txt"
    )
    assert "b.jsonl" in box.named("done") and box.life.trouble is None


def test_a_folder_that_goes_away_is_trouble_until_it_is_there_again(box):
    os.rename(box.folder, box.folder.with_name("away"))
    box.look(1)
    assert "expected to read and move it, got No such file" in (box.life.trouble or "") and not box.inbox.is_drained
    os.rename(box.folder.with_name("away"), box.folder)
    box.drop("a.jsonl", lines("a-1"))
    box.look()
    assert box.life.trouble is None and len(box.logged()) == 1


# -- a folder that cannot be an inbox ---------------------------------------


def test_an_inbox_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "done").write_bytes(b"")
    rule_folder = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    for name, sentence in (
        ("nowhere", "expected a folder for --inbox, got nothing there; make it"),
        ("file", "expected a folder for --inbox, got a file"),
        ("blocked", "expected a folder in which files can be moved, got File exists"),
    ):
        words = ["run", "--data", tmp_path / "data", "--port", 0, "--rules", rule_folder, "--quiet"]
        ran = forewarn(*words, "--inbox", tmp_path / name)
        assert ran.code == 2 and sentence in ran.err and ran.err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody may write to, on Linux alone")
def test_an_inbox_that_nobody_may_write_to_is_refused():
    with pytest.raises(InboxError, match="expected a folder in which files can be moved, got"):
        Inbox(Path("/proc/self"), lambda batch: Future())


def test_two_engines_do_not_read_one_inbox(box):
    with pytest.raises(InboxError, match="one that another engine reads"):
        Inbox(box.folder, box.worker.submit)
    box.reopen()  # and it is free again when the first has let go
