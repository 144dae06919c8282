"""What the manual shows to whoever receives webhooks works on a message as it is sent."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from config.settings import load
from pipeline.shells.embedded.webhooks.messages import Message
from pipeline.shells.embedded.webhooks.receivers import Webhook, receivers_in
from pipeline.shells.embedded.webhooks.sending import signed
from tests.receiving import SECRET
from tests.sending import hook, write_hooks

ROOT = Path(__file__).parent.parent
BODY = '{"type":"task.open","data":{"id":"care/借/1"}}'.encode()
MINUTES = 60_000


def shown(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/manual.en.md").read_text("utf-8"), re.DOTALL)
    return str(found)


def headers(folder: Path, *, minutes_ago: int = 0) -> dict[str, str]:
    [receiver] = receivers_in(write_hooks(folder, hook("https://a.example")), (), {"SECRET": SECRET})
    now_ms = time.time_ns() // 1_000_000 - minutes_ago * MINUTES
    return signed(receiver, Message(1, "care/借/1#1".encode("unicode_escape").decode(), BODY, ""), now_ms)


CASES = [({}, BODY, True), ({}, BODY + b" ", False), ({"minutes_ago": 6}, BODY, False)]


@pytest.mark.parametrize(("own", "body", "is_ours"), CASES, ids=["ours", "changed", "old"])
def test_the_receiver_in_python_takes_what_is_ours(tmp_path, own, body, is_ours):
    names: dict[str, Any] = {}
    exec(shown("python"), names)
    if is_ours:
        assert names["message"](SECRET, headers(tmp_path, **own), body) == json.loads(BODY)
    else:
        with pytest.raises(WebhookVerificationError):
            names["message"](SECRET, headers(tmp_path, **own), body)


@pytest.mark.skipif(shutil.which("node") is None, reason="expected node, got none on this machine")
@pytest.mark.parametrize(("own", "body", "is_ours"), CASES, ids=["ours", "changed", "old"])
def test_the_receiver_in_javascript_takes_what_is_ours(tmp_path, own, body, is_ours):
    script = tmp_path / "receiver.mjs"
    given = f"{json.dumps(SECRET)}, {json.dumps(headers(tmp_path, **own))}, Buffer.from({json.dumps(body.decode())})"
    script.write_text(f"{shown('javascript')}\nconsole.log(JSON.stringify(message({given})));\n", "utf-8")
    ran = subprocess.run(["node", script], capture_output=True, check=True)
    assert json.loads(ran.stdout) == (json.loads(BODY) if is_ours else None)


def test_the_example_of_a_file_of_webhooks_can_be_used():
    environment = {"COLLECTIONS_SECRET": SECRET, "RISK_DESK_SECRET": SECRET}
    found = receivers_in(ROOT / "docs/examples/webhooks.yaml", load().queues, environment)
    assert [each.webhook.name for each in found] == ["collections", "risk-desk"]
    assert found[0].webhook.kinds != Webhook.model_fields["kinds"].default  # it shows what is not the default
