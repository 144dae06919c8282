"""Topics made and looked at, by the broker's own answers.

KafkaError     a broker that cannot be asked, or that refuses; one sentence
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from config.settings import Kafka
from connectors.kafka.topics import DAY_MS, TOPICS, config_of, name_of

SECONDS = 15.0
_SILENT = {"log_level": 0}  # what librdkafka has to say is in the exception


class KafkaError(Exception):
    """A broker that cannot be asked, or that refuses, in one sentence."""


class Found(NamedTuple):
    """A topic as it is at the broker."""

    partitions: int
    replication: int
    config: dict[str, str]


class Brokers:
    """The brokers of a deployment, as an administrator sees them."""

    def __init__(self, client: dict[str, str], settings: Kafka) -> None:
        self.settings = settings
        self._at = client["bootstrap.servers"]
        try:
            # It must live as long as its answers are waited for.
            self._admin = AdminClient({**client, **_SILENT})
        except KafkaException as error:
            raise KafkaError(f"--client: expected settings of librdkafka, got {_told(error)}; correct them") from None

    def found(self) -> dict[str, Found]:
        """Every topic of the deployment that is there, by its name without prefix."""
        try:
            there = self._admin.list_topics(timeout=SECONDS).topics
            names = {name_of(topic, self.settings): topic.name for topic in TOPICS}
            here = [name for name in names if name in there]
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in here]
            asked = self._admin.describe_configs(resources) if here else {}
            configs = {each.name: future.result(SECONDS) for each, future in asked.items()}
        except KafkaException as error:
            raise self._unheard(error) from None
        return {
            names[name]: Found(
                len(there[name].partitions),
                min((len(each.replicas) for each in there[name].partitions.values()), default=0),
                {key: entry.value for key, entry in configs[name].items()},
            )
            for name in here
        }

    def create(self) -> list[str]:
        """Make what is missing, inputs that follow before the one that decides; the names of what was made."""
        settings, there = self.settings, self.found()
        # The anchor stands first, so it is made last.
        missing = [topic for topic in reversed(TOPICS) if topic.name not in there]
        for topic in missing:
            new = NewTopic(
                name_of(topic, settings), settings.partitions, settings.replication, config=config_of(topic, settings)
            )
            try:
                self._admin.create_topics([new])[new.topic].result(SECONDS)
            except KafkaException as error:
                got = _told(error)
                raise KafkaError(f"{new.topic}: expected to be made, got {got}; correct that, and go on") from None
        return [topic.name for topic in missing]

    def _unheard(self, error: KafkaException) -> KafkaError:
        return KafkaError(
            f"{self._at}: expected brokers that answer within {SECONDS:g} seconds, got {_told(error)}; "
            "check the address, and what --client says of TLS and passwords"
        )


def differences(found: dict[str, Found], settings: Kafka) -> Iterator[str]:
    """What is not as it must be, in one sentence each."""
    for topic in TOPICS:
        name, there = name_of(topic, settings), found.get(topic.name)
        if there is None:
            yield f"{name}: expected a topic, got none; run forewarn topics create"
            continue
        if there.partitions != settings.partitions:
            yield (
                f"{name}: expected {settings.partitions} partitions as every topic has, got {there.partitions}; "
                "make it anew before anything is written, or set kafka.partitions to what all have"
            )
        wanted = config_of(topic, settings)
        policy = there.config.get("cleanup.policy", "")
        if policy != wanted["cleanup.policy"]:
            yield f"{name}: expected cleanup.policy={wanted['cleanup.policy']}, got {policy}; set it with kafka-configs"
        yield from _short_lived(name, there, settings) if not topic.is_compacted else ()


def _short_lived(name: str, there: Found, settings: Kafka) -> Iterator[str]:
    kept = int(there.config.get("retention.ms", -1))
    if 0 <= kept < settings.keep_days * DAY_MS:
        days = f"{kept / DAY_MS:g} days"
        yield f"{name}: expected to be kept {settings.keep_days} days or longer, got {days}; raise its retention.ms"


def _told(error: KafkaException) -> Any:
    """What librdkafka says of an error."""
    found = error.args[0] if error.args else error
    return found.str() if hasattr(found, "str") else found
