"""A real Kafka of one node, in a process of its own, from the jars that `make kafka` fetches."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.engine_process import free_port

JARS = Path(__file__).parent / "kafka" / "lib"
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
STARTS_WITHIN = 60  # seconds
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
controlled.shutdown.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Broker:
    """A broker over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._properties = folder / "server.properties"
        self._properties.write_text(_PROPERTIES.format(port=self.port, control=free_port(), folder=folder))
        assert self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c").wait(STARTS_WITHIN) == 0, self.log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "broker.log").read_text()[-2000:]

    def start(self) -> None:
        self._process = self._java("kafka.Kafka")
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        for _ in range(STARTS_WITHIN):
            try:
                admin.list_topics(timeout=1)
            except KafkaException:
                assert self._process.poll() is None, self.log
            else:
                return
        raise AssertionError(self.log)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(STARTS_WITHIN)

    def _java(self, *words: str) -> subprocess.Popen[bytes]:
        options = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*")
        with (self.folder / "broker.log").open("ab") as log:
            command = ["java", *options, *words, str(self._properties)]
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def expect_kafka() -> None:
    """Skip at a desk without Java or the jars; in CI that is a failure."""
    if shutil.which("java") is None or not JARS.is_dir():
        said = "expected Java and the jars of Kafka, got none; run `make kafka`"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
