"""From rows to events: what each row gives is put into the arrival log, and counted."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import xxhash

from connectors.arrival_log import ArrivalLog, order_of
from connectors.cells import Row
from connectors.mapping import MappingError
from connectors.plan import Emitter, Field, Plan
from connectors.row_keys import RowKeys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Emission:
    """The run of one plan over the rows of one file."""

    def __init__(self, plan: Plan, log: ArrivalLog, keys: RowKeys) -> None:
        self.rows = 0
        self.skipped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.dates: set[date] = set()
        self._plan = plan
        self._log = log
        self._keys = keys
        self._instants: dict[tuple[date, str, int], tuple[str, str]] = {}

    def take(self, row: Row) -> None:
        """Write the events of one row."""
        self.rows += 1
        for money in self._plan.money:
            money.see(row)
        if self._is_repeat(row):
            self.skipped["repeated"] += 1
            return
        for refusal in self._plan.refused:
            if all(holds(row) for holds in refusal.holds):
                self.refused[refusal.because] += 1
                return
        borrower = self._plan.borrower(row)
        given = [self._emit(emitter, row, borrower) for emitter in self._plan.emitters]
        if not any(given):
            self.skipped["no_event"] += 1

    def _is_repeat(self, row: Row) -> bool:
        if not self._plan.part.row_key:
            return False
        key = self._plan.row_key(row)
        if not all(key):
            columns = ", ".join(self._plan.part.row_key)
            raise MappingError(f"row {row.line}, {columns}: expected a key, got an empty cell; correct the file")
        digest = xxhash.xxh3_128_digest("\x1f".join(row.cells).encode())
        first_digest, first_line = self._keys.first("\x1f".join(key), digest=digest, line=row.line)
        if first_digest != digest:
            raise MappingError(
                f"row {row.line}: expected one row for {self._key_text(key)}, got another one than row {first_line}; "
                "correct the file, or add the column that tells them apart to row_key in the mapping"
            )
        return first_line != row.line

    def _key_text(self, key: tuple[str, ...]) -> str:
        return ", ".join(f"{name}={cell}" for name, cell in zip(self._plan.part.row_key, key, strict=True))

    def _emit(self, emitter: Emitter, row: Row, borrower: str) -> bool:
        """True when the row gave this event."""
        for holds in emitter.holds:
            if not holds(row):
                return False
        if not self._is_in_scope(emitter, row):
            return False
        body = self._body(emitter, row)
        day = emitter.day(row)
        at, order = self._instant(day, emitter)
        identity = emitter.identity(row)
        event: dict[str, Any] = {"id": identity, "source": self._plan.terms.mapping, "type": emitter.event, "at": at}
        if not emitter.is_control:
            event["borrower_id"] = borrower
            event["currency"] = self._plan.terms.currency
        event |= body
        self._log.add(order, identity, msgspec.json.encode(event))
        self.made[emitter.event] += 1
        self.dates.add(day)
        for each in emitter.fields:
            if each.money is not None:
                each.money.use(row, body.get(each.name))
            if each.name not in body:
                self.unknown[f"{emitter.event}.{each.name}"] += 1
        return True

    def _is_in_scope(self, emitter: Emitter, row: Row) -> bool:
        """False for later rows of a key, after they were held against the first."""
        if emitter.scope == "row":
            return True
        key = emitter.scope_key(row)
        said: Any = emitter.day(row) if emitter.scope == "first" else self._body(emitter, row)
        line, first = emitter.seen.setdefault(key, (row.line, said))
        if line == row.line:
            return True
        if emitter.scope == "first" and said < first:
            raise MappingError(
                f"row {row.line}: expected the rows of {'/'.join(key)} in order of date, got {said} after {first} "
                f"in row {line}; sort the file"
            )
        if emitter.scope == "once" and said != first:
            raise MappingError(
                f"row {row.line}: expected the same {emitter.event} for {'/'.join(key)} as in row {line}, "
                f"{_difference(first, said)}; correct the file, or add a column to once_per in the mapping"
            )
        return False

    def _body(self, emitter: Emitter, row: Row) -> dict[str, Any]:
        body = _filled(emitter.fields, emitter.event, row)
        if emitter.figures:
            body["figures"] = _filled(emitter.figures, emitter.event, row)
        return body

    def _instant(self, day: date, emitter: Emitter) -> tuple[str, str]:
        key = (day, emitter.clock, emitter.rank)
        if key not in self._instants:
            at = datetime.combine(day, time.fromisoformat(emitter.clock), self._plan.terms.zone_info)
            at_ms = (at - _EPOCH) // _MILLISECOND
            self._instants[key] = (at.isoformat(), order_of(day=day.toordinal(), at_ms=at_ms, rank=emitter.rank))
        return self._instants[key]


def _filled(fields: list[Field], event: str, row: Row) -> dict[str, Any]:
    filled = {}
    for each in fields:
        value = each.make(row)
        if value is not None:
            filled[each.name] = value
        elif each.needed:
            raise MappingError(
                f"row {row.line}, {each.name} of {event}: expected a value, got an empty cell (or a ratio to nothing); "
                "correct the file, or add 'when' to the event in the mapping"
            )
    return filled


def _difference(first: dict[str, Any], said: dict[str, Any]) -> str:
    first = first | first.get("figures", {})
    said = said | said.get("figures", {})
    name = next(name for name in [*said, *first] if name != "figures" and said.get(name) != first.get(name))
    return f"got {name} {said.get(name)} after {first.get(name)}"
