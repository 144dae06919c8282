"""The file of webhooks, and the commands that show how each stands and make its secret."""

import pytest

from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.webhooks.receivers import WebhookError, receivers_in
from tests.arrival_logs import COUNTS_MISSES, forewarn, shelf
from tests.engine_process import free_port
from tests.receiving import SECRET, receiving
from tests.sending import QUEUES, alerted, cursor, hook, sending, write_hooks
from tests.sending import runtime as runtime


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"url": "http://bank.example/hook"}, "expected https, got http to bank.example"),
        ({"url": "ftp://bank.example"}, "expected an address such as https://host/path"),
        ({"url": "https://a:b@bank.example"}, "without a name or password"),
        ({"secret": {"env": "ABSENT"}}, "expected in the variable ABSENT a secret such as whsec_..."),
        ({"secret": {"env": "A", "file": "b"}}, "expected 'env: NAME' or 'file: PATH'"),
        ({"secret": "whsec_abc"}, "secret"),
        ({"secret": {"file": "nowhere"}}, "expected a file with a secret"),
        ({"kinds": ["alarm"]}, "kinds"),
        ({"queues": ["sales"]}, "expected queues of the settings (care, legal), got 'sales'"),
        ({"url_": "x"}, "no such field"),
    ],
)
def test_a_file_of_webhooks_that_cannot_be_used_is_a_sentence(tmp_path, own, said):
    file = write_hooks(tmp_path, hook("https://bank.example/hook") | own)
    with pytest.raises(WebhookError) as refused:
        receivers_in(file, QUEUES, {"SECRET": SECRET})
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_an_engine_does_not_start_on_webhooks_that_cannot_be_used(tmp_path):
    file = write_hooks(tmp_path, hook("http://bank.example/hook"))
    words = [
        "--data",
        tmp_path / "data",
        "--port",
        free_port(),
        "--rules",
        shelf(tmp_path / "rules", misses=COUNTS_MISSES),
    ]
    ran = forewarn("run", *map(str, words), "--webhooks", file, "--quiet")
    assert ran.code == 2 and "expected https" in ran.err and ran.err.count("\n") == 1


def test_two_webhooks_of_one_name_are_refused_with_their_line(tmp_path):
    file = tmp_path / "webhooks.yaml"
    one = "  - {name: desk, url: 'https://a.example', secret: {env: SECRET}}\n"
    file.write_text("webhooks:\n" + one * 2)
    with pytest.raises(WebhookError, match=r"webhooks.yaml:3:\d+ webhooks\[1\].name: expected each name once"):
        receivers_in(file, QUEUES, {"SECRET": SECRET})


def test_a_secret_that_others_may_read_is_refused(tmp_path):
    file = write_hooks(tmp_path, hook("https://bank.example", secret={"file": "secret"}))
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o640)
    with pytest.raises(WebhookError, match="expected a file for its owner alone, got mode 640; chmod 600"):
        receivers_in(file, QUEUES, {})
    secret.chmod(0o600)
    assert len(receivers_in(file, QUEUES, {})[0].signers) == 1


def test_a_secret_of_the_command_is_one_that_a_webhook_may_have(tmp_path):
    fresh = forewarn("webhooks", "secret").out
    file = write_hooks(tmp_path, hook("https://bank.example"))
    assert len(receivers_in(file, QUEUES, {"SECRET": fresh})) == 1


def test_the_command_shows_how_each_webhook_stands(runtime, tmp_path):
    assert "no webhook was ever named" in forewarn("webhooks", "show", "--data", tmp_path / "data").out
    runtime.take([Batch(alerted(1))])
    with receiving(lambda n: 410) as (_, url), sending(tmp_path, hook(url)):
        cursor(tmp_path, lambda found: found.condition == "stopped")
    shown = forewarn("webhooks", "show", "--data", tmp_path / "data").out
    assert "desk" in shown and "stopped" in shown and "got 410" in shown
    ran = forewarn("webhooks", "resume", "dusk", "--data", tmp_path / "data")
    assert ran.code == 2 and "expected one of the webhooks of" in ran.err and "(desk)" in ran.err
    assert forewarn("webhooks", "show", "--data", tmp_path / "nowhere").code == 2


def test_places_that_cannot_be_read_are_a_sentence(runtime, tmp_path):
    (tmp_path / "data" / "webhooks.sqlite").write_bytes(b"no database" * 1_000)
    ran = forewarn("webhooks", "show", "--data", tmp_path / "data")
    assert ran.code == 2 and "expected the places of the webhooks" in ran.err and ran.err.count("\n") == 1
