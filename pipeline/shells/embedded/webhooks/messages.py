"""A row of the outbox as a message: what it is called, what it says, and who it is for."""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from pipeline.shells.embedded.webhooks.receivers import Webhook


class Row(NamedTuple):
    """A row of the table of decisions."""

    n: int
    kind: str
    detail: str
    body: bytes


class Message(NamedTuple):
    """What is sent; the same row gives the same message whenever it is sent."""

    n: int
    id: str
    body: bytes
    mark: str  # what its row is known again by


class _Decision(msgspec.Struct, frozen=True):
    """What is asked of any decision; a kind that has no such field leaves it out."""

    id: str | None = None
    revision: int | None = None
    severity: str | None = None
    queue: str | None = None


def message_of(row: Row, webhook: Webhook) -> Message | None:
    """The message of a row for a webhook; None when it asked for others.

    >>> hook = Webhook(name="a", url="https://a.example", secret={"env": "A"}, queues=("care",))
    >>> message = message_of(Row(7, "task", "updated", b'{"id":"care/B1/2","revision":3,"queue":"care"}'), hook)
    >>> message.n, message.id, message.body
    (7, 'care/B1/2#3', b'{"type":"task.updated","data":{"id":"care/B1/2","revision":3,"queue":"care"}}')
    >>> message_of(Row(8, "task", "open", b'{"id":"legal/B1/1","revision":1,"queue":"legal"}'), hook) is None
    True
    """
    if row.kind not in webhook.kinds:
        return None
    decision = _DECODER.decode(row.body)
    if row.kind == "alert" and webhook.severities is not None and decision.severity not in webhook.severities:
        return None
    if row.kind == "task" and webhook.queues is not None and decision.queue not in webhook.queues:
        return None
    body = b'{"type":"%s","data":%s}' % (_type(row).encode(), row.body)
    return Message(row.n, _id(row, decision), body, mark_of(row))


def mark_of(row: Row | None) -> str:
    """What a row is known again by."""
    return "" if row is None else sha256(row.body).hexdigest()


def _id(row: Row, decision: _Decision) -> str:
    """The decision's own id, with the revision of a task; what has none is known by its number."""
    if decision.id is None:
        return f"{row.kind}/{row.n}"
    return decision.id if decision.revision is None else f"{decision.id}#{decision.revision}"


def _type(row: Row) -> str:
    return f"{row.kind}.{row.detail}" if row.kind in ("alert", "task") else row.kind


_DECODER = msgspec.json.Decoder(_Decision)
