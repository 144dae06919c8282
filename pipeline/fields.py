"""What a field of an event may hold: a type for each meaning, with its limits and what a rule may know of it.

Limits that are cheap (length, range) are checked while the bytes are read. `pattern` and the limits of dates stand here
for the JSON Schema, and `decode` checks them for all ids and dates of an event in one go: a regular expression a field
would cost more than the rest of the decoding. `extra` carries what rules see: the unit, and which end is worse.
"""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from iso4217 import Currency as IsoCurrency

MAX_MONEY = 2**53  # The largest integer that every JSON reader on the way keeps exactly.
MAX_DAYS = 100_000
MAX_COUNT = 1_000_000
PPM = 1_000_000
FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2199, 12, 31)

ID_PATTERN = "^[A-Za-z0-9._:-]+$"
CURRENCY_PATTERN = "^[A-Z]{3}$"
PATH_PATTERN = "^[A-Za-z0-9._:/-]+$"
MODEL_TYPE_PATTERN = "^model\\.(?!published$)[A-Za-z0-9._:-]{1,64}$"  # model.published is a control record
LINE_PATTERN = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"

# Currencies without minor units (gold, special drawing rights) are left out: no integer amount can be written in them.
DIGITS: dict[str, int] = {each.code: each.exponent for each in IsoCurrency if each.exponent is not None}


def digits(currency: str) -> int:
    """How many decimal places an amount of this currency has by ISO 4217.

    An unknown code is a KeyError.

    >>> digits("CNY"), digits("JPY"), digits("KWD")
    (2, 0, 3)
    """
    return DIGITS[currency]


def _meta(
    description: str,
    *,
    unit: str | None = None,
    worse: str | None = None,
    check: str | None = None,
    pattern: str | None = None,
    **limits: Any,
) -> msgspec.Meta:
    extra = {name: value for name, value in (("unit", unit), ("worse", worse), ("check", check)) if value is not None}
    schema = None if pattern is None else {"pattern": pattern}
    return msgspec.Meta(description=description, extra=extra, extra_json_schema=schema, **limits)


def _id(description: str) -> msgspec.Meta:
    return _meta(description, check="id", pattern=ID_PATTERN, min_length=1, max_length=64)


def _path(description: str) -> msgspec.Meta:
    return _meta(description, check="path", pattern=PATH_PATTERN, min_length=1, max_length=256)


def _line(description: str) -> msgspec.Meta:
    return _meta(description, check="line", pattern=LINE_PATTERN, min_length=1, max_length=128)


def _count(description: str, *, worse: str | None = None, at_least: int = 0) -> msgspec.Meta:
    return _meta(description, unit="count", worse=worse, ge=at_least, le=MAX_COUNT)


def _days(description: str) -> msgspec.Meta:
    return _meta(description, unit="days", worse="high", ge=0, le=MAX_DAYS)


def _minor(description: str, *, worse: str | None = None) -> msgspec.Meta:
    return _meta(description, worse=worse, ge=0, le=MAX_MONEY)


def _signed(description: str, *, worse: str | None = None) -> msgspec.Meta:
    return _meta(description, worse=worse, ge=-MAX_MONEY, le=MAX_MONEY)


# Names of things.
EventId = Annotated[
    str,
    _meta("unique within `source`", check="id", pattern=ID_PATTERN, min_length=1, max_length=128),
]
EventPath = Annotated[str, _path("unique within `source`; the engine's own ids hold `/`")]
Source = Annotated[str, _line("the system that says so")]
BorrowerId = Annotated[str, _id("the person or firm that owes; the key of every topic")]
LoanId = Annotated[str, _id("the loan, unique in the bank")]
AccountId = Annotated[str, _id("the account, unique in the bank")]
PromiseId = Annotated[str, _id("the promise to pay")]
RelatedId = Annotated[str, _id("the other borrower")]
Reverses = Annotated[str, _path("the `id` of the repayment.received that is taken back")]
AlertId = Annotated[str, _path("the alert that this is about")]
TaskId = Annotated[str, _path("the task that this is about")]
EpisodeId = Annotated[str, _path("the episode that warns")]
RuleName = Annotated[str, _path("the rule, by its name")]
Person = Annotated[str, _line("who did it")]
Approver = Annotated[str, _line("who approved it")]
Hash = Annotated[str, _line("the hash of what is published")]
ModelType = Annotated[
    str,
    _meta(
        "`model.` and the model's name",
        check="id",
        pattern=MODEL_TYPE_PATTERN,
        min_length=7,
        max_length=70,
    ),
]

# Times.
Instant = Annotated[datetime, msgspec.Meta(tz=True, description="when it happened, RFC 3339 with offset")]
Day = Annotated[date, msgspec.Meta(description="a date, 1970-01-01 to 2199-12-31")]

# Money, in integer minor units (12345 is 123.45 CNY).
Amount = Annotated[int, _meta("the amount in minor units, above 0", gt=0, le=MAX_MONEY)]
AmountDue = Annotated[int, _meta("the amount due in minor units, above 0", gt=0, le=MAX_MONEY)]
Balance = Annotated[int, _signed("the balance afterwards in minor units, of any sign", worse="low")]
BaseAmount = Annotated[int, _minor("the amount in minor units of the reporting currency")]
BaseBalance = Annotated[int, _signed("the balance in minor units of the reporting currency")]
Principal = Annotated[int, _minor("principal in minor units")]
Interest = Annotated[int, _minor("interest in minor units")]
Fee = Annotated[int, _minor("fees in minor units")]
Outstanding = Annotated[int, _minor("principal outstanding in minor units")]
Arrears = Annotated[int, _minor("the sum past due in minor units", worse="high")]
Collateral = Annotated[int, _minor("the value of the collateral in minor units", worse="low")]
Limit = Annotated[int, _minor("the credit limit in minor units", worse="low")]
MinimumDue = Annotated[int, _minor("the minimum payment in minor units", worse="high")]
Debt = Annotated[int, _minor("debt at all lenders in minor units", worse="high")]
Revenue = Annotated[int, _minor("revenue in minor units", worse="low")]
Profit = Annotated[int, _signed("profit in minor units, of any sign", worse="low")]
Equity = Annotated[int, _signed("equity in minor units, of any sign", worse="low")]
Assets = Annotated[int, _minor("total assets in minor units", worse="low")]
Receivables = Annotated[int, _minor("trade receivables in minor units")]

# Shares and scores, in parts per million (a share may be above 1, or below 0 after an overpayment).
Rate = Annotated[int, _signed("yearly interest rate in parts per million", worse="high")]
UsedShare = Annotated[int, _signed("balance over limit in parts per million", worse="high")]
Sentiment = Annotated[int, _meta("-1000000 (bad) to 1000000 (good)", worse="low", ge=-PPM, le=PPM)]
ModelScore = Annotated[int, _meta("0 to 1000000, high is risky", worse="high", ge=0, le=PPM)]
Ppm = Annotated[int, _signed("parts per million")]
FxRate = Annotated[
    int, _meta("parts per million of the reporting currency for one unit of the other", gt=0, le=MAX_MONEY)
]

# Counts, days and plain numbers.
InstalmentNumber = Annotated[int, _count("the number of the instalment, from 1", at_least=1)]
Months = Annotated[int, _count("months missed", worse="high")]
Lenders = Annotated[int, _count("lenders with debt of this borrower", worse="high")]
DaysPastDue = Annotated[int, _days("days past due")]
AgencyScore = Annotated[
    int, _meta("an agency's score, high is good", unit="number", worse="low", ge=-MAX_MONEY, le=MAX_MONEY)
]

# Texts.
Word = Annotated[str, _meta("a word of the bank's own list", min_length=1, max_length=64)]
Prose = Annotated[str, _meta("a sentence for people", max_length=1000)]
FeedName = Annotated[
    str,
    msgspec.Meta(
        # In Python `$` also stands before a last newline; the lookahead says no to it.
        pattern="^(repayment|account|external|connected|outcomes|officer|model\\.[A-Za-z0-9._:-]+)$(?!\\n)",
        description="a feed: repayment, account, external, connected, outcomes, officer or model.NAME",
    ),
]
CurrencyCode = Annotated[
    str, _meta("ISO 4217, such as CNY", check="currency", pattern=CURRENCY_PATTERN, min_length=3, max_length=3)
]
