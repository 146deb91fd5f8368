"""All rows of the org, their order of change, and the transactions that are still on their way.

A row is stamped when the statement runs and seen when its transaction commits, up to ten minutes later; until then
it is locked. Values are kept as they come: whether a field takes them is decided before (values).
"""

from __future__ import annotations

import heapq
import threading
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from tierwise_sandbox.salesforce import spelling
from tierwise_sandbox.salesforce.fields import PREFIXES

_JOURNAL_LENGTH = 500_000


@dataclass(frozen=True, slots=True)
class Row:
    """One record as committed. `values` is never changed, only replaced; moments are epoch ms, whole seconds."""

    kind: str
    id: str
    values: Mapping[str, Any]
    deleted: bool = False

    @property
    def stamp(self) -> int:
        return int(self.values["SystemModstamp"])


class Records:
    """Safe to use from threads. `now` is seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._order: dict[str, list[tuple[int, str]]] = {kind: [] for kind in PREFIXES}
        self._pending: list[tuple[float, int, Row]] = []
        self._locks: dict[str, float] = {}
        self._serial = count()
        self._numbers = {kind: count(1) for kind in PREFIXES}
        self._journal: deque[dict[str, Any]] = deque(maxlen=_JOURNAL_LENGTH)
        self.writes = self.edits = 0

    def count(self, kind: str) -> int:
        with self.lock:
            return sum(not self._rows[key].deleted for _, key in self._order[kind])

    def new_id(self, kind: str) -> str:
        return spelling.record_id(PREFIXES[kind], next(self._numbers[kind]))

    def load(self, kind: str, values: Mapping[str, Any], *, by: str, delay: float = 0.0) -> str:
        """A new record with the moments that it brings along (those missing are now), seen in `delay` seconds."""
        with self.lock:
            stamp = int(self.now()) * 1000
            created = int(values.get("CreatedDate", stamp)) // 1000 * 1000
            modified = int(values.get("SystemModstamp", created)) // 1000 * 1000
            key = str(values.get("Id") or self.new_id(kind))
            system = {
                "Id": key,
                "IsDeleted": False,
                "CreatedDate": created,
                "CreatedById": by,
                "LastModifiedDate": modified,
                "LastModifiedById": by,
                "SystemModstamp": modified,
            }
            self._commit(Row(kind, key, {**values, **system}), self.now() + delay)
            return key

    def get(self, key: str) -> Row | None:
        """The committed row, a deleted one too; ids of 15 characters will do."""
        with self.lock:
            self._settle()
            return self._rows.get(spelling.long_id(key))

    def is_locked(self, key: str) -> bool:
        """Whether an open transaction holds the row."""
        with self.lock:
            self._settle()
            return key in self._locks

    def put(self, row: Row, *, by: str, delay: float = 0.0) -> Row:
        """Stamp the row now and let it be seen in `delay` seconds; a later edit of a locked row waits its turn."""
        with self.lock:
            self._settle()
            stamp = int(self.now()) * 1000
            values = {**row.values, "LastModifiedDate": stamp, "SystemModstamp": stamp, "LastModifiedById": by}
            new = replace(row, values={**values, "IsDeleted": row.deleted})
            self._commit(new, max(self.now() + delay, self._locks.get(row.id, 0.0)))
            return new

    def latest(self, key: str) -> Row | None:
        """The row with what open transactions did to it: what the next statement of a person builds on."""
        with self.lock:
            row = self.get(key)
            held = [entry for entry in self._pending if entry[2].id == spelling.long_id(key)]
            return max(held, key=lambda entry: entry[1])[2] if held else row

    def commit_all(self) -> None:
        """End every open transaction now."""
        with self.lock:
            for _, _, row in sorted(self._pending, key=lambda entry: entry[1]):
                self._publish(row)
            self._pending.clear()
            self._locks.clear()

    def window(self, kind: str, low: int | None, high: int | None) -> list[Row]:
        """Committed rows with low <= SystemModstamp <= high (ms), oldest change first, then by id; deleted too."""
        with self.lock:
            self._settle()
            order = self._order[kind]
            start = 0 if low is None else bisect_left(order, (low, ""))
            stop = len(order) if high is None else bisect_left(order, (high + 1, ""))
            return [self._rows[key] for _, key in order[start:stop]]

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Gives a function that takes back every write made inside the block (of the API, so committed at once)."""
        with self.lock:
            rows, order = dict(self._rows), {kind: list(held) for kind, held in self._order.items()}
            length, writes = len(self._journal), self.writes

            def roll_back() -> None:
                self._rows, self._order, self.writes = rows, order, writes
                while len(self._journal) > length:
                    self._journal.pop()

            yield roll_back

    def note(self, row: Row, values: Mapping[str, Any], *, by: str, changed: bool) -> None:
        """Write one accepted write into the journal; `by` is "api" or "person"."""
        with self.lock:
            if by == "api":
                self.writes += 1
            else:
                self.edits += 1
            at = spelling.moment(row.stamp)
            entry = {"id": row.id, "object": row.kind, "values": dict(values), "at": at, "by": by, "changed": changed}
            self._journal.append(entry)

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        with self.lock:
            return list(self._journal)[since:]

    def reset_tally(self) -> None:
        with self.lock:
            self.writes = self.edits = 0

    def _commit(self, row: Row, visible: float) -> None:
        if visible <= self.now():
            self._publish(row)
        else:
            self._locks[row.id] = visible
            heapq.heappush(self._pending, (visible, next(self._serial), row))

    def _settle(self) -> None:
        now = self.now()
        while self._pending and self._pending[0][0] <= now:
            self._publish(heapq.heappop(self._pending)[2])
        if self._locks:
            self._locks = {key: until for key, until in self._locks.items() if until > now}

    def _publish(self, row: Row) -> None:
        before = self._rows.get(row.id)
        order = self._order[row.kind]
        if before is not None:
            del order[bisect_left(order, (before.stamp, row.id))]
        if order and order[-1] < (row.stamp, row.id):
            order.append((row.stamp, row.id))
        else:
            insort(order, (row.stamp, row.id))
        self._rows[row.id] = row
