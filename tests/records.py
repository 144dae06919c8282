"""Records for the tests of decoding: bytes of an event with changes, and the sentence of a refusal."""

import json
from datetime import UTC, date, datetime

import pytest

from pipeline.decode import Decoder, Refusal
from pipeline.examples import EXAMPLES

SHANGHAI = Decoder("Asia/Shanghai", "CNY")
NEW_YORK = Decoder("America/New_York", "USD")
DUE = EXAMPLES["repayment.due"]
UNDATED = {key: value for key, value in DUE.items() if key != "business_date"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONEY = "(12345 is 123.45 CNY)"


def raw_of(event, **changes):
    changed = event | changes
    return json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()


def decoded(event, *, by=SHANGHAI, **changes):
    return by.decode(raw_of(event, **changes), {})


def refusal(raw, *, by=SHANGHAI):
    with pytest.raises(Refusal, match=r"expected .+, got .+") as caught:
        by.decode(raw, {})
    assert str(caught.value) == caught.value.why
    return caught.value.reason, caught.value.why


def days(year, month, day):
    return (date(year, month, day) - date(1970, 1, 1)).days
