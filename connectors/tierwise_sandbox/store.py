"""The records of the portal and the journal of every write to them, in memory and safe to use from threads.

Keeps values as it gets them: whether a property takes a value is decided before (values, properties).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tierwise_sandbox import kinds, moments
from tierwise_sandbox.index import Document, Index

FIRST_ID = kinds.CONTACTS.first_id  # the first hundred have four digits, the rest more: sorting ids as text shows
_JOURNAL_LENGTH = 500_000


@dataclass(slots=True)
class Record:
    """One record. `properties` is replaced at every write, never changed: a reader may keep it."""

    id: int
    created_ms: int
    modified_ms: int
    properties: Document


@dataclass(frozen=True, slots=True)
class Write:
    """One record's part of a write. An empty value clears the property."""

    record_id: int
    values: Mapping[str, str]
    trace_id: str | None = None


@dataclass(slots=True)
class Tally:
    """Writes that were accepted, those of them that changed something, and edits by people."""

    writes: int = 0
    changed: int = 0
    edits: int = 0


@dataclass
class Store:
    """All records of one kind. `now` is seconds since the epoch; `index_lag` is in seconds and may be set at any time.

    `computed` adds what the portal itself sets: (values, those before, ISO time of the write) -> values.
    """

    now: Callable[[], float] = time.time
    index_lag: float = 0.0
    kind: kinds.Kind = kinds.CONTACTS
    computed: Callable[[Document, Document, str], Document] = lambda values, _held, _stamp: values
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[int, Record] = {}
        self._merged: dict[int, int] = {}  # an id that was merged away -> the id it became
        self._emails: dict[str, int] = {}
        self._index = Index()
        self._last_stamp = 0
        self._next_id = self.kind.first_id
        self._journal: deque[dict[str, Any]] = deque(maxlen=_JOURNAL_LENGTH)

    def __len__(self) -> int:
        return len(self._records)

    def load(self, rows: Iterable[tuple[Mapping[str, str], int | None, int | None, int | None]]) -> list[int]:
        """Records that were there before: (properties, created ms, modified ms, id); None = choose."""
        with self._lock:
            loaded = []
            for properties, created, modified, wanted in rows:
                created_ms = self._stamp() if created is None else created
                modified_ms = created_ms if modified is None else modified
                key = self._next_id if wanted is None else wanted
                if key in self._records:
                    raise ValueError(f"record id {key} occurs twice")
                self._next_id = max(self._next_id, key + 1)
                self._keep(Record(key, created_ms, modified_ms, {}), properties, stamp=modified_ms)
                loaded.append(key)
            self._index.load([(self._records[k].modified_ms, k, self._records[k].properties) for k in loaded])
            return loaded

    def get(self, object_id: str) -> Record | None:
        """The record, also by an id that was merged into it."""
        with self._lock:
            if not object_id.isascii() or not object_id.isdigit():
                return None
            key = int(object_id)
            while key in self._merged:
                key = self._merged[key]
            return self._records.get(key)

    def by_email(self, email: str) -> Record | None:
        """The oldest record with this address, however it is written."""
        with self._lock:
            key = self._emails.get(email.strip().lower())
            return self._records.get(key) if key is not None else None

    def create(self, writes: Sequence[tuple[Mapping[str, str], str | None]], *, by: str) -> list[Record]:
        """One record for each (values, trace id)."""
        with self._lock:
            stamp = self._stamp()
            created = []
            for values, trace_id in writes:
                record = Record(self._next_id, stamp, stamp, {})
                self._next_id += 1
                self._keep(record, {name: value for name, value in values.items() if value}, stamp=stamp)
                self._publish(record)
                self._note(record.id, values, stamp, trace_id=trace_id, by=by, changed=True)
                created.append(record)
            return created

    def update(self, writes: Sequence[Write], *, by: str) -> list[Record]:
        """All of one request at one stamp, later than every stamp before; an identical write moves nothing."""
        with self._lock:
            stamp = 0
            for write in writes:
                record = self._records[write.record_id]
                held = record.properties
                changed = any(held.get(name, "") != value for name, value in write.values.items())
                if changed:
                    stamp = stamp or self._stamp()
                    merged = {**held, **write.values}
                    self._keep(record, {name: value for name, value in merged.items() if value}, stamp=stamp)
                    self._publish(record)
                moment = stamp or int(self.now() * 1000)
                self._note(record.id, write.values, moment, trace_id=write.trace_id, by=by, changed=changed)
            return [self._records[write.record_id] for write in writes]

    def merge(self, primary: str, secondary: str) -> Record | None:
        """A new record with a new id; both old ids lead to it. The primary's values win."""
        with self._lock:
            first, second = self.get(primary), self.get(secondary)
            if first is None or second is None or first is second:
                return None
            stamp = self._stamp()
            record = Record(self._next_id, min(first.created_ms, second.created_ms), stamp, {})
            self._next_id += 1
            values = {**second.properties, **first.properties}
            earlier = (old.properties.get("hs_merged_object_ids", "").split(";") for old in (first, second))
            ids = [str(first.id), str(second.id), *(key for keys in earlier for key in keys if key)]
            values["hs_merged_object_ids"] = ";".join(dict.fromkeys(ids))
            for old in (first, second):
                self._drop(old)
                self._merged[old.id] = record.id
            self._keep(record, values, stamp=stamp)
            self._publish(record)
            return record

    def archive(self, record: Record) -> None:
        with self._lock:
            self._drop(record)

    def index(self) -> tuple[threading.RLock, Index]:
        """The search index, settled up to now, and the lock to hold while reading it."""
        with self._lock:
            self._index.settle(self.now())
            return self._lock, self._index

    def page(self, after: int, limit: int) -> list[Record]:
        """Up to `limit` records with id > `after`, by id; what the list endpoint and the pages show."""
        with self._lock:
            keys = sorted(key for key in self._records if key > after)[:limit]
            return [self._records[key] for key in keys]

    def slice(self, start: int, limit: int) -> list[Record]:
        """Records by position, newest change first, past any index lag."""
        with self._lock:
            newest = sorted(self._records.values(), key=lambda r: (r.modified_ms, r.id), reverse=True)
            return newest[start : start + limit]

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """Accepted writes, oldest first, without the first `since`."""
        with self._lock:
            return list(self._journal)[since:]

    def reset_tally(self) -> None:
        with self._lock:
            self.tally = Tally()

    def _stamp(self) -> int:
        self._last_stamp = max(int(self.now() * 1000), self._last_stamp + 1)
        return self._last_stamp

    def _keep(self, record: Record, values: Mapping[str, str], *, stamp: int) -> None:
        email = values.get("email", "").strip().lower()
        before = record.properties.get("email", "").strip().lower()
        if before and before != email and self._emails.get(before) == record.id:
            del self._emails[before]
        if email:
            self._emails.setdefault(email, record.id)
        record.modified_ms = stamp
        record.properties = {
            **self.computed(dict(values), record.properties, moments.iso(stamp)),
            "hs_object_id": str(record.id),
            self.kind.created: moments.iso(record.created_ms),
            self.kind.modified: moments.iso(stamp),
        }
        self._records[record.id] = record

    def _publish(self, record: Record) -> None:
        visible_at = self.now() + self.index_lag
        self._index.put(record.id, record.modified_ms, record.properties, visible_at=visible_at)

    def _drop(self, record: Record) -> None:
        del self._records[record.id]
        email = record.properties.get("email", "").strip().lower()
        if self._emails.get(email) == record.id:
            del self._emails[email]
        self._index.put(record.id, record.modified_ms, None, visible_at=self.now() + self.index_lag)

    def _note(
        self,
        key: int,
        values: Mapping[str, str],
        stamp: int,
        *,
        trace_id: str | None,
        by: str,
        changed: bool,
    ) -> None:
        if by == "api":
            self.tally.writes += 1
            self.tally.changed += changed
        else:
            self.tally.edits += 1
        self._journal.append(
            {
                "id": str(key),
                "properties": dict(values),
                "at": moments.iso(stamp),
                "objectWriteTraceId": trace_id,
                "by": by,
                "changed": changed,
            }
        )
