"""An engine's thread and those of its readers thaw borrowers at the same time."""

import subprocess
import sys
from pathlib import Path

TWO_THREADS = """
import json
import threading
from pathlib import Path

from config.settings import load
from pipeline.decode import Decoder
from pipeline.engine import step
from pipeline.events import CATALOGUE
from pipeline.freezing import freeze, thaw
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import compile_shelf
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf

shelf = compile_shelf(load_shelf([Path("docs/examples/rules")], CATALOGUE), terms_of(load()))
decoder, records = Decoder("Asia/Shanghai", "CNY"), []
for n in range(20):
    memory = Memory(f"B{n}")
    for minute in range(400):
        event = {"id": f"e{minute}", "source": "core", "type": "account.debit", "borrower_id": f"B{n}",
                 "account_id": "A1", "at": f"2025-03-05T09:{minute % 60:02}:00+08:00", "amount_minor": minute * n + 1}
        arrival = decoder.decode(json.dumps(event).encode(), {})
        step(shelf, Day(date=arrival.date), memory, arrival)
    records.append((memory.borrower_id, *freeze(memory)))

def work():
    for _ in range(150):
        for record in records:
            thaw(*record)

threads = [threading.Thread(target=work) for _ in range(2)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print("thawed")
"""


def test_borrowers_are_thawed_in_several_threads_at_once():
    # In a process of its own: what goes wrong here may be no exception, but end the process.
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", TWO_THREADS], capture_output=True, text=True, cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "thawed\n", "")
