"""The topics of a deployment on a real broker: made as they must be, and every difference told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from connectors.kafka.clients import ClientError, client_of
from connectors.kafka.topics import ANCHOR, TOPICS
from tests.arrival_logs import forewarn
from tests.brokers import Broker

NAMES = [topic.name for topic in TOPICS]


def settings(folder: Path, prefix: str, partitions: int = 3) -> Path:
    file = folder / "settings.yaml"
    file.write_text(f"kafka: {{prefix: '{prefix}', partitions: {partitions}, replication: 1}}\n")
    return file


@pytest.fixture
def admin(kafka: Broker) -> Iterator[AdminClient]:
    yield AdminClient({"bootstrap.servers": kafka.address})


def topics(kafka: Broker, *words: str | Path) -> tuple[int, list[str], str]:
    ran = forewarn("topics", *words, "--brokers", kafka.address)
    return ran.code, ran.out.splitlines(), ran.err


def test_topics_are_made_once_and_are_as_they_must_be(kafka, admin, tmp_path):
    config = settings(tmp_path, "one.")
    code, [made], _ = topics(kafka, "create", "--config", config)
    assert (code, made.startswith("made 16 topics: ")) == (0, True)
    assert made.endswith(ANCHOR)  # whoever follows it is there before
    assert topics(kafka, "create", "--config", config) == (0, ["every topic is there"], "")
    assert topics(kafka, "check", "--config", config) == (0, ["16 topics, all as they must be"], "")
    there = admin.list_topics(timeout=10).topics
    assert {name: len(there[f"one.{name}"].partitions) for name in NAMES} == dict.fromkeys(NAMES, 3)
    code, table, _ = topics(kafka, "describe", "--config", config)
    assert code == 0
    assert sum("one." in line for line in table) == 16


def test_every_difference_is_told_with_what_to_do(kafka, admin, tmp_path):
    config = settings(tmp_path, "two.")
    wrong = [
        NewTopic("two.alerts", 3, 1, config={"retention.ms": "3600000"}),
        NewTopic("two.forewarn-state", 3, 1, config={"cleanup.policy": "delete"}),
        NewTopic(f"two.{ANCHOR}", 5, 1),
    ]
    for future in admin.create_topics(wrong).values():
        future.result(10)
    assert topics(kafka, "create", "--config", config)[0] == 0  # what is there is left as it is
    code, lines, _ = topics(kafka, "check", "--config", config)
    assert code == 1
    assert [line.split("; ")[0] for line in lines] == [
        f"two.{ANCHOR}: expected 3 partitions as every topic has, got 5",
        f"two.{ANCHOR}: expected to be kept 14 days or longer, got 7 days",
        "two.alerts: expected to be kept 14 days or longer, got 0.0416667 days",
        "two.forewarn-state: expected cleanup.policy=compact, got delete",
    ]


def test_a_missing_topic_is_told(kafka, tmp_path):
    code, lines, _ = topics(kafka, "check", "--config", settings(tmp_path, "three."))
    assert code == 1
    assert lines[0] == f"three.{ANCHOR}: expected a topic, got none; run forewarn topics create"
    assert len(lines) == 16


def test_a_topic_kept_for_ever_is_kept_long_enough(kafka, admin, tmp_path):
    config = settings(tmp_path, "four.")
    for future in admin.create_topics([NewTopic("four.alerts", 3, 1, config={"retention.ms": "-1"})]).values():
        future.result(10)
    assert topics(kafka, "create", "--config", config)[0] == 0
    assert topics(kafka, "check", "--config", config)[0] == 0


def test_brokers_that_are_not_there_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("connectors.kafka.admin.SECONDS", 0.5)
    ran = forewarn("topics", "check", "--brokers", "127.0.0.1:1")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("127.0.0.1:1: expected brokers that answer within 0.5 seconds, got ")
    assert len(ran.err.splitlines()) == 1


def test_the_rights_of_each_party_can_be_pasted(tmp_path):
    ran = forewarn("topics", "describe", "--acls", "--config", settings(tmp_path, "bank."))
    assert ran.code == 0
    lines = ran.out.splitlines()
    begin = "kafka-acls --bootstrap-server 127.0.0.1:9092 --add --allow-principal"
    assert all(line.startswith(begin) for line in lines)
    banks = [line for line in lines if "User:banks" in line]
    assert len(banks) == 1 and "--operation Write" in banks[0] and "--topic bank.account-events" in banks[0]
    assert "alerts" not in banks[0]
    everybody = [line for line in lines if "'User:*'" in line]
    assert len(everybody) == 1 and "--operation Read" in everybody[0] and "forewarn-state" not in everybody[0]


def test_a_file_of_client_settings_says_what_is_wrong_and_no_secret(tmp_path):
    file = tmp_path / "client.properties"
    file.write_text("# a word\n\nsecurity.protocol = SASL_SSL\nsasl.password=a=b\n")
    assert client_of("h:1", file) == {
        "security.protocol": "SASL_SSL", "sasl.password": "a=b", "bootstrap.servers": "h:1"
    }  # fmt: skip
    file.write_text("security.protocol=SSL\nmy-secret\n")
    with pytest.raises(ClientError) as error:
        client_of("h:1", file)
    assert "line 2: expected name=value" in str(error.value) and "my-secret" not in str(error.value)
    file.write_text("no.such.setting=1\n")
    ran = forewarn("topics", "check", "--client", file)
    assert (ran.code, ran.out) == (2, "")
    assert "--client: expected settings of librdkafka, got" in ran.err and "no.such.setting" in ran.err
