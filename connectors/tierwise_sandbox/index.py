"""What search can see: the records as they were `lag` seconds ago, in order of their last change.

The store is the truth; this is the copy that, as in HubSpot, may trail behind it.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

Document = dict[str, str]


class Index:
    """Not thread-safe by itself: the store holds its lock around every call."""

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}
        self._order: list[tuple[int, int]] = []  # (last modified ms, id), sorted
        self._stamps: dict[int, int] = {}
        self._ids: list[int] = []  # sorted
        # By the moment of showing: a change may show before one that was made earlier.
        self._pending: list[tuple[float, int, int, int, Document | None]] = []
        self._shown: dict[int, int] = {}  # id -> number of its newest change that shows
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._order)

    def load(self, rows: Sequence[tuple[int, int, Document]]) -> None:
        """Many (ms, id, document) at once, visible immediately."""
        for stamp, key, document in rows:
            self._forget(key)
            self.documents[key] = document
            self._stamps[key] = stamp
        self._order = sorted((stamp, key) for key, stamp in self._stamps.items())
        self._ids = sorted(self.documents)

    def put(self, key: int, stamp: int, document: Document | None, *, visible_at: float) -> None:
        """A record's new state (None: gone); search sees it from `visible_at` (seconds) on."""
        heapq.heappush(self._pending, (visible_at, next(self._numbers), key, stamp, document))

    def settle(self, now: float) -> None:
        """Make everything visible that is due."""
        while self._pending and self._pending[0][0] <= now:
            _, number, key, stamp, document = heapq.heappop(self._pending)
            if self._shown.get(key, -1) > number:
                continue  # a later change of the record shows already
            self._shown[key] = number
            self._forget(key)
            if document is not None:
                insort(self._order, (stamp, key))
                insort(self._ids, key)
                self.documents[key] = document
                self._stamps[key] = stamp

    def _forget(self, key: int) -> None:
        stamp = self._stamps.pop(key, None)
        if stamp is not None:
            del self._order[bisect_left(self._order, (stamp, key))]
            del self._ids[bisect_left(self._ids, key)]
            del self.documents[key]

    def window(self, low: int | None, high: int | None) -> tuple[int, int]:
        """Positions [start, stop) of the records with low <= last modified ms <= high."""
        start = 0 if low is None else bisect_left(self._order, (low, -1))
        stop = len(self._order) if high is None else bisect_right(self._order, (high, 1 << 62))
        return start, max(start, stop)

    def by_change(self, start: int, stop: int, *, descending: bool = False) -> Iterator[int]:
        """Ids at the positions [start, stop), oldest change first unless descending."""
        places = range(stop - 1, start - 1, -1) if descending else range(start, stop)
        return (self._order[place][1] for place in places)

    def by_id(self) -> Sequence[int]:
        """All ids, ascending: the order in which records were created."""
        return self._ids
