"""A process that ends in the middle of a dropped file: nothing is lost, nothing doubled, and the same is told."""

import gzip
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pipeline.shells.embedded.dropped as dropped
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.store import FILE
from tests.arrival_logs import shelf, written
from tests.arrival_traffic import arrival_log, rules
from tests.dropping import Took, lines, wait_for
from tests.dropping import box as box
from tests.engine_process import COMPARED, Engine, replayed, told

# Shares of what is dropped that the engine has when it is killed.
KILLED_AT = (0.1, 0.3, 0.45, 0.6, 0.7, 0.8) if os.environ.get("CI") == "true" else (0.2, 0.4, 0.7)


def test_what_is_told_of_a_file_is_the_same_after_an_end_in_its_middle(box, monkeypatch):
    monkeypatch.setattr(dropped, "LINES_A_BATCH", 10)
    content = b"".join((b"bad\n" if n % 7 == 0 else told(f"e-{n}") + b"\n") for n in range(95))
    taken: list[Batch] = []

    def stops_after_four(batch: Batch) -> Took:
        taken.append(batch)
        if len(taken) == 4:
            box.life.stop()
        return box.worker.submit(batch)

    box.submit = stops_after_four
    box.drop("a.jsonl", content)
    box.look()
    assert len(box.logged()) == 40 and len(box.named("taken")) == 1 and box.named("done") == []
    box.submit = box.worker.submit
    box.reopen()
    box.drop("a.jsonl", lines("another"))  # of the same name, meanwhile
    box.look()
    assert box.logged() == [*content.splitlines(), told("another")]
    told_of = json.loads(box.said("done/a.jsonl.result.json"))
    assert (told_of["lines"], told_of["refused"], told_of["reasons"]) == (95, 14, {"not_json": 14})


def test_however_often_it_is_killed_in_the_middle_of_a_file_nothing_is_lost_and_nothing_doubled(tmp_path):
    sent = arrival_log(7, with_day_ended=True)
    half = len(sent) // 2
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    written(inbox / "1.jsonl", *sent[:half])
    (inbox / "2.jsonl.gz").write_bytes(gzip.compress(b"".join(raw + b"\n" for raw in sent[half:])))
    fast = "import pipeline.shells.embedded.dropped as d, pipeline.shells.embedded.inbox as i\n"
    fast += "d.LINES_A_BATCH, i.LOOKS_EVERY_SECONDS = 10, 0.02"
    rule_folder = shelf(tmp_path / "rules", **rules())
    engine = Engine(tmp_path, rule_folder, "--inbox", inbox, code=fast)
    found = []
    for share in KILLED_AT:
        engine.start()
        wait_for(lambda share=share: logged(tmp_path) >= share * len(sent))
        engine.end(signal.SIGKILL)
        found.append((logged(tmp_path), len(list((inbox / "taken").glob("*/*")))))
    assert all(count < len(sent) for count, _ in found) and sum(takes for _, takes in found) >= 2, found
    engine.start()
    wait_for(lambda: (inbox / "done" / "2.jsonl.gz").exists())
    assert engine.end(signal.SIGTERM) == 0
    assert logged(tmp_path) == len(sent)
    got, wanted = engine.export(), replayed(tmp_path, rule_folder, sent)
    for name in COMPARED:
        assert got[name] == wanted[name], name
    assert (tmp_path / "out" / LOG).read_bytes() == b"".join(raw + b"\n" for raw in sent)


def logged(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'data' / FILE}?mode=ro", uri=True)) as database:
        found: int = database.execute("select count(*) from arrivals").fetchone()[0]
        return found
