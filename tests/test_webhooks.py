"""Decisions sent out: in order, at least once, signed; whatever a receiver does, the engine and the others go on."""

import base64
import hmac
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier

from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.webhooks.answers import Answer, Patience, wait_after
from pipeline.shells.embedded.webhooks.deliveries import Deliveries
from pipeline.shells.embedded.webhooks.receivers import receivers_in
from pipeline.shells.embedded.webhooks.states import states_in
from pipeline.shells.embedded.worker import Worker
from tests.arrival_logs import as_line, forewarn, missed
from tests.engine_process import free_port
from tests.receiving import SECRET, receiving
from tests.sending import LONG, QUEUES, alerted, cursor, hook, ids, now_ms, sending, write_hooks
from tests.sending import runtime as runtime

# -- what is sent -----------------------------------------------------------


def test_a_message_is_the_decision_as_it_stands_signed_by_the_specification(runtime, tmp_path):
    runtime.take([Batch(alerted(1))])
    [body] = runtime.store.database.execute("select body from decisions where kind = 'alert'").fetchone()
    with receiving() as (receiver, url), sending(tmp_path, hook(url)):
        receiver.until(lambda: len(receiver.taken) == 1)
    [got] = receiver.taken
    assert got.body == b'{"type":"alert.opened","data":' + body + b"}"
    assert Verifier(SECRET).verify(got.body, got.headers)["data"]["id"] == got.id == "misses/L1/1/opened"
    # By hand, so that a fault that signing and verifying share is seen.
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    told = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    wanted = base64.b64encode(hmac.digest(key, told, sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}"
    assert got.headers["content-type"] == "application/json"


def test_every_secret_signs_so_that_one_can_be_changed_for_another(runtime, tmp_path):
    older = "whsec_" + base64.b64encode(b"an older secret of the tests").decode()
    runtime.take([Batch(alerted(1))])
    with receiving() as (receiver, url):
        receivers = receivers_in(write_hooks(tmp_path, hook(url)), QUEUES, {"SECRET": f"{SECRET}\n{older}\n"})
        deliveries = Deliveries(tmp_path / "data", receivers, now_ms)
        deliveries.start()
        receiver.until(lambda: len(receiver.taken) == 1)
        deliveries.stop()
    for secret in (SECRET, older):
        Verifier(secret).verify(receiver.taken[0].body, receiver.taken[0].headers)


def test_a_webhook_gets_the_kinds_severities_and_queues_that_it_asked_for(runtime, tmp_path):
    again = as_line(missed("m-9", "2025-03-05", borrower_id="B1", loan_id="L1", instalment=2))
    runtime.take([Batch([*alerted(1, 2), b"{", again])])
    with (
        receiving() as (severe, first),
        receiving() as (care, second),
        receiving() as (faults, third),
        sending(
            tmp_path,
            hook(first, "severe", severities=["high"]),
            hook(second, "care", kinds=["task"], queues=["care"]),
            hook(third, "faults", kinds=["dead_letter"]),
        ),
    ):
        severe.until(lambda: len(severe.taken) == 1)
        care.until(lambda: len(care.taken) == 2)
        faults.until(lambda: len(faults.taken) == 1)
    assert severe.ids() == ["misses/L1/1/raised-high"]
    assert care.ids() == ["care/B1/1#1", "care/B2/1#1"]
    assert json.loads(faults.taken[0].body)["data"]["reason"] == "not_json"
    number = runtime.store.database.execute("select n from decisions where kind = 'dead_letter'").fetchone()[0]
    assert faults.ids() == [f"dead_letter/{number}"]


def test_history_that_is_muted_is_not_sent(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2, 3))])
    rows = runtime.store.database.execute("select n from decisions where kind = 'alert' order by n").fetchall()
    with runtime.store.transaction():
        runtime.store.write("muted", rows[1][0])
    with receiving() as (receiver, url), sending(tmp_path, hook(url)):
        receiver.until(lambda: len(receiver.taken) == 1)
    assert receiver.ids() == ids(3)


@pytest.mark.parametrize(("since", "wanted"), [("beginning", ids(1, 2)), ("now", ids(2))])
def test_a_new_webhook_begins_where_its_file_says(runtime, tmp_path, since, wanted):
    runtime.take([Batch(alerted(1))])
    with receiving() as (receiver, url), sending(tmp_path, hook(url, since=since)) as deliveries:
        cursor(tmp_path, lambda found: True)
        runtime.take([Batch(alerted(2))])
        deliveries.wake()
        receiver.until(lambda: len(receiver.taken) == len(wanted))
    assert receiver.ids() == wanted


# -- when things go wrong ---------------------------------------------------


def test_what_is_not_taken_is_sent_again_and_nothing_overtakes_it(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2, 3))])
    statuses = [500, 503, 429, 204, 408, 204, 204]
    with receiving(lambda n: statuses[n]) as (receiver, url), sending(tmp_path, hook(url)) as deliveries:
        found = cursor(tmp_path, lambda found: found.delivered == 3)
        assert deliveries.trouble is None
    assert [got.id for got in receiver.attempts] == [ids(1)[0]] * 4 + [ids(2)[0]] * 2 + ids(3)
    assert (found.condition, found.failed, found.last_error) == ("fine", 4, None)


def test_a_receiver_that_hangs_keeps_neither_the_engine_nor_the_others(runtime, tmp_path):
    worker = Worker(runtime)
    worker.start()
    with (
        receiving(lambda n: 0 if n == 0 else 204) as (hanging, slow),
        receiving() as (other, quick),
        sending(tmp_path, hook(slow, "hanging"), hook(quick, "other"), answer_seconds=600.0) as deliveries,
    ):
        worker.after_commit.append(deliveries.wake)
        for n in range(20):
            assert worker.submit(Batch(alerted(n))).result(60)[0].status == "accepted"
        other.until(lambda: len(other.taken) == 20)
        assert len(hanging.attempts) == 1 and hanging.taken == []
        hanging.released.set()
        hanging.until(lambda: len(hanging.taken) == 19)  # and the first one, which it took after all
    worker.stop()
    assert other.ids() == ids(*range(20))
    assert [got.id for got in hanging.attempts] == ids(*range(20))


def test_one_attempt_has_an_end_even_where_the_receiver_never_answers(runtime, tmp_path):
    runtime.take([Batch(alerted(1))])
    with receiving(lambda n: 0 if n == 0 else 204) as (receiver, url), sending(tmp_path, hook(url), answer_seconds=0.2):
        receiver.until(lambda: len(receiver.taken) == 1)
        assert not receiver.released.is_set()
    assert [got.id for got in receiver.attempts] == ids(1, 1)


def test_an_outage_loses_nothing(runtime, tmp_path):
    port = free_port()
    with sending(tmp_path, hook(f"http://127.0.0.1:{port}/hook")) as deliveries:
        runtime.take([Batch(alerted(*range(50)))])
        deliveries.wake()
        cursor(tmp_path, lambda found: found.condition == "retrying" and found.failed > 2)
        [state] = states_in(tmp_path / "data")
        assert state.waiting == 50 and "ConnectError" in state.cursor.last_error
        with receiving(port=port) as (receiver, _):
            receiver.until(lambda: len(receiver.taken) == 50)
    assert receiver.ids() == ids(*range(50))


def test_a_receiver_that_is_gone_stops_its_webhook_until_somebody_says_go_on(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2))])
    with receiving(lambda n: 410 if n == 0 else 204) as (receiver, url):
        with sending(tmp_path, hook(url)) as deliveries:
            stopped = cursor(tmp_path, lambda found: found.condition == "stopped")
            assert "got 410" in stopped.last_error
            assert deliveries.trouble == "webhook desk is stopped: see forewarn webhooks show"
        with sending(tmp_path, hook(url)):  # Another run changes nothing.
            assert cursor(tmp_path, lambda found: True).condition == "stopped"
            assert len(receiver.attempts) == 1
            ran = forewarn("webhooks", "resume", "desk", "--data", tmp_path / "data")
            assert (ran.code, ran.out) == (0, "desk goes on, as soon as the engine runs\n")
            receiver.until(lambda: len(receiver.taken) == 2)
    assert receiver.ids() == ids(1, 2)


def test_another_address_is_a_word_to_go_on(runtime, tmp_path):
    runtime.take([Batch(alerted(1))])
    with receiving(lambda n: 410) as (_, url), sending(tmp_path, hook(url)):
        cursor(tmp_path, lambda found: found.condition == "stopped")
    with receiving() as (receiver, url), sending(tmp_path, hook(url)):
        receiver.until(lambda: len(receiver.taken) == 1)


def test_a_refusal_is_an_alarm_and_waits_long_or_for_a_word(runtime, tmp_path, caplog):
    runtime.take([Batch(alerted(1, 2, 3))])
    with receiving(lambda n: 404 if n == 0 else 204) as (receiver, url), sending(tmp_path, hook(url), patience=LONG):
        refused = cursor(tmp_path, lambda found: found.condition == "refused")
        assert refused.next_try_ms > now_ms() + 60_000
        number = runtime.store.database.execute("select n from decisions where kind = 'alert'").fetchone()[0]
        assert forewarn("webhooks", "resume", "desk", "--data", tmp_path / "data", "--after", str(number)).code == 0
        receiver.until(lambda: len(receiver.taken) == 2)
    assert receiver.ids() == ids(2, 3)  # The first was passed over, as somebody said.
    [alarm] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "webhook desk: misses/L1/1/opened: expected a status of 200 to 299, got 404" in alarm.message


def test_a_redirect_is_not_followed(runtime, tmp_path):
    runtime.take([Batch(alerted(1))])
    with receiving() as (elsewhere, place), receiving(lambda n: 307) as (receiver, url):
        receiver.headers["location"] = place
        with sending(tmp_path, hook(url)):
            assert cursor(tmp_path, lambda found: found.failed > 1).condition == "refused"
        assert elsewhere.attempts == []


def test_a_restart_sends_nothing_again_that_was_taken(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2))])
    with receiving() as (receiver, url):
        with sending(tmp_path, hook(url)):
            cursor(tmp_path, lambda found: found.delivered == 2)
        with sending(tmp_path, hook(url)) as deliveries:
            runtime.take([Batch(alerted(3))])
            deliveries.wake()
            receiver.until(lambda: len(receiver.taken) == 3)
    assert [got.id for got in receiver.attempts] == ids(1, 2, 3)


def test_a_webhook_that_was_left_out_keeps_its_place(runtime, tmp_path):
    runtime.take([Batch(alerted(1))])
    with receiving() as (receiver, url):
        with sending(tmp_path, hook(url)):
            cursor(tmp_path, lambda found: found.delivered == 1)
        with sending(tmp_path, hook(url, "other", since="now")):
            cursor(tmp_path, lambda found: found.condition == "absent")
            runtime.take([Batch(alerted(2))])
        with sending(tmp_path, hook(url)):
            cursor(tmp_path, lambda found: found.delivered == 2)
    assert [got.id for got in receiver.attempts if got.id == ids(1)[0]] == ids(1)


def drop_after(runtime: Runtime, kept: int) -> None:
    [n] = runtime.store.database.execute(
        "select n from decisions where kind = 'alert' order by n limit 1 offset ?", (kept - 1,)
    ).fetchone()
    runtime.store.database.execute("delete from decisions where n > ?", (n,))


def test_an_older_copy_of_the_data_tells_again_what_it_decides_again(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2, 3))])
    with receiving() as (receiver, url):
        with sending(tmp_path, hook(url)):
            cursor(tmp_path, lambda found: found.delivered == 3)
        drop_after(runtime, 1)
        with sending(tmp_path, hook(url)) as deliveries:
            cursor(tmp_path, lambda found: found.n == 1)
            runtime.take([Batch(alerted(4))])
            deliveries.wake()
            receiver.until(lambda: len(receiver.taken) == 4)
    assert receiver.ids() == ids(1, 2, 3, 4)


def test_another_history_stops_a_webhook_with_a_sentence(runtime, tmp_path):
    runtime.take([Batch(alerted(1, 2))])
    with receiving() as (receiver, url):
        with sending(tmp_path, hook(url)):
            cursor(tmp_path, lambda found: found.delivered == 2)
        drop_after(runtime, 1)
        runtime.take([Batch(alerted(5, 6, 7))])
        with sending(tmp_path, hook(url)):
            stopped = cursor(tmp_path, lambda found: found.condition == "stopped")
            assert "expected the history of which it was told until row" in stopped.last_error
            forewarn("webhooks", "resume", "desk", "--data", tmp_path / "data", "--after", "1")
            receiver.until(lambda: len(receiver.taken) == 5)
    assert receiver.ids() == ids(1, 2, 5, 6, 7)


@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([None, 500, 404]))
def test_the_wait_grows_to_its_cap_and_is_never_less_than_half_of_it(failures, chance, status):
    patience = Patience()
    first, cap = patience[:2] if status != 404 else patience[2:]
    wait = wait_after(Answer(status), failures, patience, lambda: chance, 0)
    whole = min(cap, first * 2 ** min(failures - 1, 60))
    assert whole / 2 <= wait <= whole
