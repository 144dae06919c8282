"""The topics of a deployment: what each holds, who may write and read it, and how long it is kept.

Every topic has the same number of partitions, fixed at install: what is derived from partition p of an input is written
to partition p of everything else.
"""

from typing import Literal, NamedTuple

from config.settings import Kafka

Who = Literal["banks", "engine", "console", "everybody"]
DAY_MS = 86_400_000
ANCHOR = "repayment-events"  # decides who owns a partition of every input


class Topic(NamedTuple):
    """One topic, before its prefix."""

    name: str
    holds: str
    written_by: tuple[Who, ...]
    read_by: tuple[Who, ...]
    is_compacted: bool = False
    key: str = "borrower_id"


_ENGINE: tuple[Who, ...] = ("engine",)
_ALL: tuple[Who, ...] = ("everybody",)
_MADE: tuple[Who, ...] = ("engine", "console")
TOPICS: tuple[Topic, ...] = (
    Topic(ANCHOR, "repayment events", ("banks",), _ENGINE),
    Topic("account-events", "account events", ("banks",), _ENGINE),
    Topic("external-credit-events", "external-credit events", ("banks",), _ENGINE),
    Topic("collection-outcomes", "what collections did and heard", ("banks",), _ENGINE),
    Topic("officer-actions", "what people do in the console", ("console",), _ENGINE),
    Topic("forewarn-connected", "warnings of connected borrowers", _ENGINE, _ENGINE),
    Topic("forewarn-control", "ends of days, published rules, models and figures", _MADE, _ENGINE, key=""),
    Topic("alerts", "openings, raises and closings of alerts", _ENGINE, _ALL),
    Topic("collection-tasks", "tasks, each revision of them", _ENGINE, _ALL),
    Topic("risk-profiles", "the latest state of each borrower", _ENGINE, _ALL, is_compacted=True),
    Topic("forewarn-shadow", "what rules in shadow would have said", _ENGINE, _ALL),
    Topic("dead-letters", "records that could not be used", _ENGINE, _ALL, key="key of its source"),
    Topic("forewarn-state", "memory of each borrower", _ENGINE, _ENGINE, is_compacted=True),
    Topic("forewarn-order", "what was processed in which order", _ENGINE, _ENGINE, key=""),
    Topic("forewarn-training", "matured samples", _ENGINE, _ENGINE, key="model"),
    Topic("forewarn-artifacts", "published rules and models", _MADE, _ENGINE, is_compacted=True, key="hash"),
)


def name_of(topic: Topic, settings: Kafka) -> str:
    """A topic as it is called at the broker."""
    return f"{settings.prefix}{topic.name}"


def config_of(topic: Topic, settings: Kafka) -> dict[str, str]:
    """What a topic is set to.

    The active segment is never compacted, so those of compacted topics are short.
    """
    if topic.is_compacted:
        return {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "600000"}
    return {"cleanup.policy": "delete", "retention.ms": str(settings.keep_days * DAY_MS)}
