"""The event catalogue: every type of event with its topic, its feed, its rank, and what a rule may read of it.

Whoever needs a class of events imports it from here; the three modules behind only hold what is too long for one.
"""

from typing import get_args

from pipeline.borrower_events import *  # noqa: F403  # Every class of events is a name of this module.
from pipeline.borrower_events import ConnectedWarned, ExternalEvent, OfficerEvent, OutcomeEvent, Scored
from pipeline.catalogue import attributes_of, catalogue_of
from pipeline.control_events import *  # noqa: F403  # As above.
from pipeline.control_events import ControlEvent, ControlRecord
from pipeline.fields import digits as digits
from pipeline.loan_events import *  # noqa: F403  # As above.
from pipeline.loan_events import AccountEvent, Record, RepaymentEvent

Event = (
    RepaymentEvent
    | AccountEvent
    | ExternalEvent
    | OutcomeEvent
    | OfficerEvent
    | ConnectedWarned
    | ControlEvent
    | Scored
)

TOPICS: dict[str, tuple[type[Record] | type[ControlRecord], ...]] = {
    "repayment-events": get_args(RepaymentEvent),
    "account-events": get_args(AccountEvent),
    "external-credit-events": get_args(ExternalEvent),
    "collection-outcomes": get_args(OutcomeEvent),
    "officer-actions": get_args(OfficerEvent),
    "forewarn-connected": (ConnectedWarned,),
    "forewarn-control": get_args(ControlEvent),
}
FEEDS: dict[str, str] = {
    "repayment-events": "repayment",
    "account-events": "account",
    "external-credit-events": "external",
    "collection-outcomes": "outcomes",
    "officer-actions": "officer",
    "forewarn-connected": "connected",
    "forewarn-control": "control",
}
# Where one instant of one date holds events of several feeds, they are taken in this order.
RANK: dict[str, int] = {
    feed: rank
    for rank, feed in enumerate(
        ("control", "repayment", "account", "external", "connected", "outcomes", "officer", "models")
    )
}
TYPES: dict[type, str] = {each: str(each.__struct_config__.tag) for each in get_args(Event)}
EVENT_CLASSES: dict[str, type[Record] | type[ControlRecord]] = {name: each for each, name in TYPES.items()}
FEED_OF_CLASS: dict[type, str] = {each: FEEDS[topic] for topic, classes in TOPICS.items() for each in classes}
CATALOGUE = catalogue_of(
    {
        name: (each, FEED_OF_CLASS[each])
        for each, name in TYPES.items()
        if issubclass(each, Record) and each is not Scored
    },
    model=Scored,
)
ATTRIBUTES: dict[str, dict[str, str]] = {
    name: attributes_of(each) for name, each in EVENT_CLASSES.items() if issubclass(each, Record)
}


def type_of(event: Event) -> str:
    """The type as it stands on the wire, `repayment.due` or `model.payment_stress`."""
    return event.model if isinstance(event, Scored) else TYPES[type(event)]


def feed_of(event: Event) -> str:
    """The feed that an event belongs to; every model is a feed of its own."""
    return event.model if isinstance(event, Scored) else FEED_OF_CLASS[type(event)]


def rank_of(feed: str) -> int:
    """The rank of a feed; all models share one.

    >>> rank_of("repayment"), rank_of("model.payment_stress")
    (1, 7)
    """
    return RANK["models"] if feed.startswith("model.") else RANK[feed]
