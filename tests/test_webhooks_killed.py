"""An engine that is killed while it sends: every decision still arrives, in order, and nothing goes back."""

import signal
from itertools import pairwise

from tests.arrival_logs import COUNTS_MISSES, as_line, missed, shelf
from tests.engine_process import running
from tests.receiving import SECRET, receiving
from tests.sending import hook, write_hooks

KILLS = 3


def told(batch: int) -> bytes:
    names = [f"{batch}-{n}" for n in range(10)]
    return b"\n".join(
        as_line(missed(f"m-{name}", "2025-03-05", borrower_id=f"B{name}", loan_id=f"L{name}")) for name in names
    )


def test_an_engine_that_is_killed_while_it_sends_sends_everything_in_order(tmp_path, monkeypatch):
    #  0 1 2 3 4 5 - - - -      the sixth of each batch arrives, and its sender dies before it hears so
    #            5 6 7 8 9
    monkeypatch.setenv("SECRET", SECRET)
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    with receiving(lambda n: 0 if n % 11 == 5 else 204) as (receiver, url):
        words = ("--webhooks", write_hooks(tmp_path, hook(url)))
        with running(tmp_path, rules, *words) as engine:
            for batch in range(KILLS):
                engine.post(told(batch))
                receiver.until(lambda: len(receiver.attempts) == 11 * batch + 6)  # noqa: B023
                assert engine.end(signal.SIGKILL) == -signal.SIGKILL
                engine.start()
                receiver.until(lambda: len(receiver.attempts) == 11 * batch + 11)  # noqa: B023
    got = [each.id for each in receiver.attempts]
    assert list(dict.fromkeys(got)) == [f"misses/L{batch}-{n}/1/opened" for batch in range(KILLS) for n in range(10)]
    again = [after for before, after in pairwise(got) if before == after]
    assert again == [f"misses/L{batch}-5/1/opened" for batch in range(KILLS)]
