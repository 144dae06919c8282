"""What the core says: alerts, collection tasks, dead letters, and what they look like on the wire."""

from typing import Any, Literal

import msgspec

from pipeline.borrower_events import ConnectedWarned

Transition = Literal["opened", "raised", "closed"]
Reason = Literal["cleared", "corrected", "rule_changed", "loan_closed"]


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One transition of an episode, with every number it was decided on."""

    id: str  # episode/transition; `raised` carries its severity
    episode: str  # rule/key/n
    rule: str
    rule_version: int
    shelf: str
    borrower_id: str
    loan_id: str | None = None
    account_id: str | None = None
    transition: Transition
    reason: Reason | None = None  # of a closing
    severity: str
    at: str
    business_date: str
    say: str | None = None
    evidence: dict[str, dict[str, Any]]
    cause: dict[str, str]


class ShadowAlert(Alert, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a shadow rule would have said; it goes to nobody."""


class CollectionTask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One revision of the one task of a queue for a borrower."""

    id: str  # queue/borrower/n
    revision: int
    queue: str
    action: str
    alerts: list[str]
    borrower_id: str
    status: Literal["open", "updated", "cancelled", "done"]
    due_by: str


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record that could not be used: why, where it came from, and its untouched bytes."""

    reason: str
    why: str
    source: dict[str, Any]
    raw: bytes


class Disagreement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A snapshot of the core that differs from what the ledger would have said for that date."""

    borrower_id: str
    loan_id: str
    business_date: str
    field: str
    core: int
    ledger: int


Decision = Alert | CollectionTask | DeadLetter | Disagreement | ConnectedWarned
_ENCODER = msgspec.json.Encoder()


def line(decision: Decision) -> bytes:
    """A decision as one line of JSON, without the newline."""
    if isinstance(decision, DeadLetter):
        return _ENCODER.encode(
            {"reason": decision.reason, "why": decision.why, "source": decision.source, **_body(decision.raw)}
        )
    return _ENCODER.encode(decision)


def _body(raw: bytes) -> dict[str, str]:
    """The bytes as text where they are UTF-8, else as base64 with its encoding named."""
    try:
        return {"bytes": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"bytes": msgspec.to_builtins(raw), "encoding": "base64"}
