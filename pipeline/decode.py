"""Bytes to events: every record becomes an arrival or a refusal, whatever the bytes.

bytes ── strict decoder ── event ── ids, dates, currency in one go ── arrival      the usual way, about 2 us
  └───── not plain: parse, drop and count unknown fields, convert ──────┘          or the sentence of a refusal
"""

from datetime import UTC, datetime, tzinfo
from typing import Any, Union

import msgspec
from msgspec.structs import force_setattr
from xxhash import xxh3_64_intdigest

from pipeline.events import TYPES, Event, Scored
from pipeline.fields import DIGITS, FIRST_DAY, LAST_DAY
from pipeline.forms import FORM_OF_CLASS, Form
from pipeline.refusals import Reason as Reason
from pipeline.refusals import Refusal as Refusal
from pipeline.refusals import bad_field, shown
from pipeline.untidy import LONGEST, parsed, settled
from pipeline.zone import DAY_MS, Zone, day_number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = FIRST_DAY.toordinal()
_HOUR_MS = 3_600_000
_LAST_DATE = day_number(LAST_DAY)
_BACKSLASH = 92  # Looking for one byte is seven times as fast as looking for a whole escape.
_REMEMBERED_HOURS = 1 << 16
_END_MS = (_LAST_DATE + 1) * DAY_MS
_SIGN = 1 << 63
_CLOUDEVENT = {"ce_id": "id", "ce_source": "source", "ce_type": "type", "ce_time": "at"}

# A score's type varies by model; it takes the longer way.
_strictly = msgspec.json.Decoder(Union[tuple(each for each in TYPES if each is not Scored)]).decode
# Names in `figures`, `rates` and `feeds` are sorted so that their order changes no digest.
_packed = msgspec.msgpack.Encoder(order="deterministic").encode


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event as it came in: from where, on which date and instant, and a digest that tells repeat from conflict."""

    event: Event  # its `at` in UTC, whatever the offset it came with
    type: str
    feed: str
    date: int  # days since 1970-01-01: business_date, else the date of `at` in the bank's zone
    at_ms: int  # UTC milliseconds
    digest: int  # signed 64 bits over the decoded event: spelling, order and unknown fields have no part in it
    raw: bytes  # untouched
    position: dict[str, Any]
    unknown: int  # unknown fields that were dropped


class Decoder:
    """Decodes for one bank: its zone gives an instant its date, its currency explains minor units."""

    def __init__(self, zone: str, reporting_currency: str) -> None:
        self._zone = Zone(zone)
        places = DIGITS[reporting_currency]
        self._example = f"12345 is {12345 / 10**places:.{places}f} {reporting_currency}"
        self._epoch_in: dict[tzinfo | None, datetime] = {UTC: _EPOCH}
        self._date_of_hour: dict[int, int] = {}  # Only of hours that lie within one date.

    def decode(self, raw: bytes, position: dict[str, Any]) -> Arrival:
        """The arrival in a record's bytes; a Refusal, and nothing else, when there is none."""
        if len(raw) <= LONGEST and not (_BACKSLASH in raw and b"\\u0000" in raw):
            try:
                event = _strictly(raw)
            except (ValueError, RecursionError):
                pass  # Every error of msgspec is a ValueError; the longer way finds the words for it.
            else:
                form = FORM_OF_CLASS[type(event)]
                if form.is_fine(event):
                    return self._arrived(event, form, raw, position, 0)
        event, unknown = settled(parsed(raw), example=self._example)
        return self._arrived(event, FORM_OF_CLASS[type(event)], raw, position, unknown)

    def decode_cloudevent(self, headers: list[tuple[str, bytes]], raw: bytes, position: dict[str, Any]) -> Arrival:
        """The arrival in a CloudEvents 1.0 record in Kafka binary mode: id, source, type and time are headers.

        A header wins over a field of the same meaning in the body.
        """
        data = parsed(raw) | _attributes(headers)
        event, unknown = settled(data, example=self._example)
        return self._arrived(event, FORM_OF_CLASS[type(event)], raw, position, unknown)

    # Five arguments, and an event whose fields only the form knows: this runs for every event, and a Struct or a check
    # of classes would cost as much as the rest.
    def _arrived(self, event: Any, form: Form, raw: bytes, position: dict[str, Any], unknown: int) -> Arrival:
        at = event.at
        if at is None:
            date = day_number(event.date)
            at_ms = self._zone.end_of(date)
        else:
            # Subtraction within one zone is eight times as fast, and there are few zones.
            epoch = self._epoch_in.get(at.tzinfo)
            since = at - (self._epoch(at) if epoch is None else epoch)
            seconds = since.days * 86_400 + since.seconds
            at_ms = seconds * 1000 + since.microseconds // 1000
            if not 0 <= at_ms < _END_MS:
                raise _out_of_range(event)
            if epoch is not _EPOCH:
                # One spelling of the instant for the digest, and ten times as fast to pack.
                force_setattr(event, "at", _EPOCH + since)
            day = event.business_date if form.has_business_date else event.date if form.has_date else None
            if day is None:
                hour = seconds // 3600
                known = self._date_of_hour.get(hour)
                date = self._local_date(event, at_ms, hour) if known is None else known
            else:
                date = day.toordinal() - _EPOCH_ORDINAL
        digest = (xxh3_64_intdigest(_packed(event)) ^ _SIGN) - _SIGN
        name: str = form.type or event.model
        return Arrival(event, name, form.feed or name, date, at_ms, digest, raw, position, unknown)

    def _epoch(self, at: datetime) -> datetime:
        epoch = self._epoch_in[at.tzinfo] = _EPOCH.astimezone(at.tzinfo)
        return epoch

    def _local_date(self, event: Any, at_ms: int, hour: int) -> int:
        date = self._zone.date_of(at_ms)
        if not 0 <= date <= _LAST_DATE:
            raise _out_of_range(event)
        if self._zone.date_of(hour * _HOUR_MS) == self._zone.date_of(hour * _HOUR_MS + _HOUR_MS - 1):
            if len(self._date_of_hour) >= _REMEMBERED_HOURS:
                self._date_of_hour.clear()
            self._date_of_hour[hour] = date
        return date


def _out_of_range(event: Any) -> Refusal:
    return bad_field("at", f"an instant from {FIRST_DAY} to {LAST_DAY}", event.at.isoformat())


def _attributes(headers: list[tuple[str, bytes]]) -> dict[str, str]:
    """What stands in the headers of a CloudEvent, by the names of our own events."""
    values = dict(headers)
    try:
        version = values.get("ce_specversion", b"1.0").decode()
        found = {name: values[header].decode() for header, name in _CLOUDEVENT.items() if header in values}
    except (UnicodeDecodeError, AttributeError):  # A header of Kafka may hold any bytes, or none.
        raise bad_field("headers", "CloudEvents attributes in UTF-8", "other bytes or none") from None
    if version != "1.0":
        raise bad_field("ce_specversion", '"1.0"', shown(version))
    missing = [header for header, name in _CLOUDEVENT.items() if name != "at" and name not in found]
    if missing:
        raise bad_field(missing[0], "a header", "nothing", "binary mode needs ce_id, ce_source, ce_type and ce_time")
    return found
