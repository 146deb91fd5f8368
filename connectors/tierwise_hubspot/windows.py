"""The plan of a read: which search comes next, from the last answer. Pure; its state is the page token.

Never by offset: a record that is written while we page leaves the window, all behind it move up, and as many are
skipped. Each query starts at the last change seen, so 10,000 results are no limit either; more records in one
millisecond than fit a page are told apart by ranges of ids, split until one page holds a range.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LAST_ID = 10**16  # above every id: HubSpot's are below 2**53

Ids = tuple[int, int]
"""A range of record ids, both inclusive."""


class Stuck(Exception):
    """The answer makes no sense for the query: asking again later is all that is safe."""


class State(NamedTuple):
    """What is still to be read: [at, until] in milliseconds; within `at` only `ranges`, unless there are none."""

    at: int
    until: int
    seen: tuple[int, ...] = ()
    """Ids at `at` that were returned already."""
    ranges: tuple[Ids, ...] = ()
    """Ids to read at `at` alone, before going on with the next millisecond."""

    def position(self) -> dict[str, Any]:
        """As JSON."""
        return {"at": self.at, "until": self.until, "seen": list(self.seen), "ranges": [list(r) for r in self.ranges]}


class Row(NamedTuple):
    """One search result, as far as the plan needs it."""

    id: int
    at: int
    """Milliseconds of its last change."""


def restored(position: Mapping[str, Any]) -> State:
    """The state from JSON; ValueError for what is none of ours."""
    try:
        return State(
            at=int(position["at"]),
            until=int(position["until"]),
            seen=tuple(int(key) for key in position["seen"]),
            ranges=tuple((int(low), int(high)) for low, high in position["ranges"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a position of this connector") from error


def filters(state: State, *, modified: str, room: int) -> list[dict[str, Any]]:
    """The query's filters, all of which must hold. `modified` is the property of the last change.

    `room`: characters that the ids of records seen already may take; those that do not fit are returned once more.
    """
    if state.ranges:
        low, high = state.ranges[0]
        return [
            {"propertyName": modified, "operator": "EQ", "value": str(state.at)},
            {"propertyName": "hs_object_id", "operator": "BETWEEN", "value": str(low), "highValue": str(high)},
        ]
    window = {"propertyName": modified, "operator": "BETWEEN", "value": str(state.at), "highValue": str(state.until)}
    if not state.seen:
        return [window]
    excluded = []
    for key in map(str, state.seen):
        room -= len(key) + 3
        if room < 0:
            break
        excluded.append(key)
    if not excluded:
        return [window]
    return [window, {"propertyName": "hs_object_id", "operator": "NOT_IN", "values": excluded}]


def sort(state: State, *, modified: str) -> str:
    """The property to sort by, ascending."""
    return "hs_object_id" if state.ranges else modified


def advance(state: State, rows: Sequence[Row], *, total: int) -> tuple[list[Row], State | None]:
    """The rows of this answer that count, and what is left to read after them; None when that is all.

    `total` is the number of records that matched. The end is never told from a short page: HubSpot returns such.
    Raises Stuck.
    """
    if state.ranges:
        return _within_millisecond(state, rows, total=total)
    inside = [row for row in rows if row.at <= state.until]
    wanted = _unseen(state, inside)
    if total <= len(rows):
        return wanted, None
    if not inside:
        raise Stuck(f"{total} records match, but none of them was returned")
    if any(later.at < earlier.at for earlier, later in itertools.pairwise(inside)):
        raise Stuck("the results are not in the order of change")
    last = inside[-1].at
    if last <= state.at:
        # A whole page without getting on: this millisecond holds more than a page, and is read anew as a whole.
        return [row for row in wanted if row.at < state.at], state._replace(ranges=((0, LAST_ID - 1),))
    return wanted, State(last, state.until, seen=tuple(row.id for row in inside if row.at == last))


def _unseen(state: State, rows: Sequence[Row]) -> list[Row]:
    """Without those that came with an earlier page: not all can be left out of the query."""
    seen = frozenset(state.seen)
    return [row for row in rows if row.at > state.at or row.id not in seen]


def _within_millisecond(state: State, rows: Sequence[Row], *, total: int) -> tuple[list[Row], State | None]:
    (low, high), *others = state.ranges
    if total <= len(rows):
        return _unseen(state, rows), _after(state, tuple(others))
    if low == high:
        raise Stuck(f"{total} records match the one id {low}")
    return [], state._replace(ranges=(*_cut(low, high, rows), *others))


def _cut(low: int, high: int, rows: Sequence[Row]) -> tuple[Ids, Ids]:
    """Behind this page where it looks sorted by number, so that the next query finds just these again.

    Only a query whose every match fits its page is believed: whether ids sort as numbers or as text is not documented.
    """
    keys = [row.id for row in rows]
    if keys and keys == sorted(keys) and low <= keys[-1] < high:
        return (low, keys[-1]), (keys[-1] + 1, high)
    return halves(low, high)


def _after(state: State, ranges: tuple[Ids, ...]) -> State | None:
    if ranges:
        return state._replace(ranges=ranges)
    return State(state.at + 1, state.until) if state.at < state.until else None


def halves(low: int, high: int) -> tuple[Ids, Ids]:
    """Two ranges that cover [low, high]: cut at a power of ten while the digits differ, else in the middle.

    Ids of one portal are of two or three lengths, so the cuts by length come first: four of them find a length.
    """
    shortest, longest = len(str(low)), len(str(high))
    middle = 10 ** ((shortest + longest) // 2) - 1 if shortest < longest else (low + high) // 2
    return (low, middle), (middle + 1, high)
