from __future__ import annotations

import bisect
import itertools
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tierwise_hubspot import windows
from tierwise_hubspot.windows import Row, State

Records = dict[int, int]
"""Record id -> millisecond of its last change."""

# Few milliseconds and small pages: most examples have more records in one millisecond than a page holds.
_ids = st.one_of(st.integers(1, 60), st.integers(990, 1010), st.integers(10**11, 10**11 + 50), st.integers(1, 2**53))
_records = st.dictionaries(_ids, st.integers(0, 6), max_size=60)


class Search:
    """HubSpot's search as the plan sees it, with its bad habits."""

    def __init__(
        self,
        records: Records,
        *,
        page: int,
        ids_as_text: bool = False,
        descending: bool = False,
        excludes: bool = True,
        chance: random.Random | None = None,
    ) -> None:
        self.records = records
        self.page = page
        self.queries = 0
        self._ids_as_text = ids_as_text
        self._descending = descending
        self._excludes = excludes
        self._chance = chance

    def __call__(self, state: State) -> tuple[list[Row], int]:
        self.queries += 1
        found = [
            Row(key, at)
            for key, at in self.records.items()
            if all(self._holds(one, key, at) for one in windows.filters(state, modified="at", room=300))
        ]
        if windows.sort(state, modified="at") == "hs_object_id":
            found.sort(key=lambda row: str(row.id) if self._ids_as_text else row.id, reverse=self._descending)
        else:
            found.sort(key=lambda row: (row.at, str(row.id)))
        size = self.page
        if self._chance is not None and len(found) > 1:
            size = self._chance.randint(1, self.page)  # a short page, though there is more
        return found[:size], len(found)

    def _holds(self, one: Mapping[str, Any], key: int, at: int) -> bool:
        value = at if one["propertyName"] == "at" else key
        match one["operator"]:
            case "EQ":
                return value == int(one["value"])
            case "BETWEEN":
                return int(one["value"]) <= value <= int(one["highValue"])
            case "NOT_IN":
                return not self._excludes or str(value) not in one["values"]
        raise AssertionError(one)


def _read(search: Search, since: int, until: int, *, between: Callable[[], None] = lambda: None) -> list[Row]:
    """Everything that the plan brings; each state goes through JSON, as after a crash."""
    state: State | None = State(since, until)
    got: list[Row] = []
    while state is not None:
        assert search.queries < 3_000, "no end"
        rows, total = search(state)
        wanted, following = windows.advance(state, rows, total=total)
        got += wanted
        between()
        state = None if following is None else windows.restored(json.loads(json.dumps(following.position())))
        assert state == following
    return got


@given(
    records=_records,
    page=st.integers(2, 9),
    since=st.integers(0, 6),
    until=st.integers(0, 6),
    ids_as_text=st.booleans(),
    excludes=st.booleans(),
)
def test_every_record_of_the_window_comes_exactly_once(
    *, records: Records, page: int, since: int, until: int, ids_as_text: bool, excludes: bool
) -> None:
    search = Search(records, page=page, ids_as_text=ids_as_text, excludes=excludes)
    got = _read(search, since, until) if since <= until else []
    assert sorted(row.id for row in got) == sorted(key for key, at in records.items() if since <= at <= until)
    assert [row.at for row in got] == sorted(row.at for row in got)


@given(_records, st.integers(2, 9), st.randoms(use_true_random=False))
def test_a_short_page_is_not_the_end(records: Records, page: int, chance: random.Random) -> None:
    got = _read(Search(records, page=page, chance=chance), 0, 6)
    assert {row.id for row in got} == set(records)


@given(_records, st.integers(2, 9), st.booleans(), st.randoms(use_true_random=False))
def test_what_is_written_while_we_read_hides_nothing(
    records: Records, page: int, ids_as_text: bool, chance: random.Random
) -> None:
    now = dict(records)
    moved: set[int] = set()

    def write() -> None:
        for key in chance.sample(sorted(now), k=min(len(now), chance.randint(0, page))):
            now[key] = 100 + len(moved)
            moved.add(key)

    got = _read(Search(now, page=page, ids_as_text=ids_as_text), 0, 6, between=write)
    assert {row.id for row in got} >= set(records) - moved
    assert all(row.at <= 6 for row in got)


def test_paging_by_offset_does_hide_records() -> None:
    """The same, read as clients usually do: each page's records are written, the rest moves up, and is skipped."""
    now = {key: key for key in range(1, 13)}
    got: set[int] = set()
    for after in itertools.count(0, 3):
        page = sorted((at, key) for key, at in now.items() if at <= 12)[after : after + 3]
        if not page:
            break
        got |= {key for _, key in page}
        now |= {key: 1000 for _, key in page}
    assert len(got) == 6


def test_a_month_end_job_in_one_millisecond_ends_and_costs_two_calls_a_page() -> None:
    """airbyte#43317, #44899, estuary#2100: so many records share a millisecond that a cursor by time never moves."""
    records = {10**11 + 7 * number: 5 for number in range(1_200)} | {3: 4, 4: 6}
    search = Search(records, page=20)
    got = _read(search, 0, 10)
    assert sorted(row.id for row in got) == sorted(records)
    assert search.queries <= 2 * 1_200 / 20 + 10


class Crowded:
    """A portal after a month-end job: 25,000 records in one millisecond, a few around it, and people at work."""

    def __init__(self, seed: int, *, crowd: int, page: int = 200) -> None:
        self.chance = random.Random(seed)
        self.page = page
        self.queries = 0
        first = self.chance.choice((9_000, 99_990_000, 10**11))
        self.at: dict[int, int] = dict.fromkeys(range(first, first + 7 * crowd, 7), 5)
        self.at |= {first - 1 - number: self.chance.randrange(11) for number in range(300)}
        self.ids: dict[int, list[int]] = {}
        """What search shows: ids by stamp, each list sorted."""
        for key in sorted(self.at):
            self.ids.setdefault(self.at[key], []).append(key)
        self._shown = dict(self.at)
        self._waiting: list[tuple[int, int]] = []
        self._newest = 10
        self._next = first + 8 * crowd

    def act(self) -> None:
        """An edit, a merge (under a new id) or a deletion, which search shows at once or some queries later."""
        start = self.chance.choice((0, self.chance.randrange(len(self.at))))
        key = next(itertools.islice(self.at, start, None))
        what = self.chance.choice(("edit", "edit", "merge", "delete"))
        self._newest += 1
        if what == "edit":
            self.at[key] = self._newest
        else:
            del self.at[key]
            if what == "merge":
                self.at.pop(next(iter(self.at)), None)
                self.at[self._next] = self._newest
                self._waiting.append((self.queries, self._next))
                self._next += 1
        self._waiting.append((self.queries + self.chance.choice((0, 0, 3, 40)), key))

    def settle(self, *, everything: bool = False) -> None:
        due = [key for when, key in self._waiting if everything or when <= self.queries]
        self._waiting = [] if everything else [(when, key) for when, key in self._waiting if when > self.queries]
        for key in [*due, *(key for key in set(self._shown) - set(self.at) if everything)]:
            shown = self._shown.pop(key, None)
            if shown is not None:
                del self.ids[shown][bisect.bisect_left(self.ids[shown], key)]
            if key in self.at:
                bisect.insort(self.ids.setdefault(self.at[key], []), key)
                self._shown[key] = self.at[key]

    def __call__(self, state: State) -> tuple[list[Row], int]:
        self.queries += 1
        self.settle()
        window, *rest = windows.filters(state, modified="at", room=600)
        if window["operator"] == "EQ":
            held = self.ids.get(int(window["value"]), [])
            start = bisect.bisect_left(held, int(rest[0]["value"]))
            stop = bisect.bisect_right(held, int(rest[0]["highValue"]))
            return [Row(key, int(window["value"])) for key in held[start : min(stop, start + self.page)]], stop - start
        left_out = {int(key) for one in rest for key in one["values"]}
        rows: list[Row] = []
        total = 0
        for at in range(int(window["value"]), min(int(window["highValue"]), self._newest) + 1):
            held = self.ids.get(at, [])
            total += len(held) - sum(key in left_out for key in held[: self.page * 2] if left_out)
            if len(rows) < self.page:
                rows += [Row(key, at) for key in held[: self.page * 2] if key not in left_out]
        return rows[: self.page], max(total, len(rows))


@pytest.mark.parametrize("seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(20, 500))])
def test_a_crowded_millisecond_loses_nobody_while_people_work(seed: int) -> None:
    portal = Crowded(seed, crowd=25_000)
    before = dict(portal.at)
    seen: dict[int, int] = {}

    def read(state: State | None, *, people: bool) -> None:
        while state is not None:
            assert portal.queries < 2_000, "no end"
            rows, total = portal(state)
            wanted, state = windows.advance(state, rows, total=total)
            for row in wanted:
                assert seen.get(row.id) != row.at, "the same state twice"
                seen[row.id] = row.at
            if people and portal.chance.random() < 0.5:
                portal.act()

    read(State(0, 10), people=True)
    untouched = {key for key, at in portal.at.items() if before.get(key) == at}
    assert {key: seen[key] for key in untouched} == {key: before[key] for key in untouched}
    portal.settle(everything=True)
    read(State(11, 10**6), people=False)
    assert {key: seen.get(key) for key in portal.at} == portal.at, "each at its last state"
    assert portal.queries <= 2 * 25_300 / portal.page + 60


def test_the_same_where_ids_sort_as_text() -> None:
    records = dict.fromkeys((*range(990, 1490), *range(10**11, 10**11 + 500)), 5)
    search = Search(records, page=20, ids_as_text=True)
    got = _read(search, 0, 10)
    assert sorted(row.id for row in got) == sorted(records)
    assert search.queries <= 200


def test_the_same_where_ids_come_in_the_wrong_order() -> None:
    """Cut behind the last one returned, a range would lose one id at a time."""
    records = dict.fromkeys(range(10**11, 10**11 + 600), 5)
    search = Search(records, page=20, descending=True)
    got = _read(search, 0, 10)
    assert sorted(row.id for row in got) == sorted(records)
    assert search.queries <= 250


@pytest.mark.parametrize("count", [1_000, 2_500])
def test_a_window_costs_as_many_searches_as_it_has_pages(count: int) -> None:
    """However many there are: HubSpot shows 10,000 results of a query, by offset, and none is asked for by offset."""
    search = Search({number: number // 3 for number in range(count)}, page=20)
    assert len(_read(search, 0, 10_000)) == count
    assert search.queries == count / 20


@given(st.integers(0, windows.LAST_ID - 2), st.integers(0, windows.LAST_ID - 1))
def test_halves_cover_a_range_once(low: int, high: int) -> None:
    low, high = min(low, high), max(low, high)
    if low == high:
        return
    (a, b), (c, d) = windows.halves(low, high)
    assert (a, d) == (low, high)
    assert c == b + 1
    assert a <= b
    assert c <= d


@pytest.mark.parametrize(
    ("state", "rows", "total"),
    [
        # Says there are some, returns none: going on would skip them.
        (State(0, 10), [], 5),
        # Not in order: the last one is not the furthest.
        (State(0, 10), [Row(1, 5), Row(2, 3)], 5),
        # Only later than the window: what is in it was not shown.
        (State(0, 10), [Row(1, 11)], 5),
        # One id cannot match five records.
        (State(0, 10, ranges=((7, 7),)), [], 5),
    ],
)
def test_an_answer_without_sense_stops_the_read(state: State, rows: list[Row], total: int) -> None:
    with pytest.raises(windows.Stuck):
        windows.advance(state, rows, total=total)


@pytest.mark.parametrize(
    "position", [{}, {"at": 1}, {"at": "x", "until": 2, "seen": [], "ranges": []}, {"after": "200"}]
)
def test_a_position_of_another_kind_is_told_apart(position: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        windows.restored(position)


def test_a_query_stays_within_what_search_takes() -> None:
    state = State(1_795_000_000_000, 1_795_000_600_000, seen=tuple(range(10**12, 10**12 + 200)))
    found = windows.filters(state, modified="hs_lastmodifieddate", room=1_000)
    assert len(found) <= 6
    assert 900 < len(",".join(f'"{key}"' for key in found[1]["values"])) <= 1_000
    assert len(windows.filters(state, modified="hs_lastmodifieddate", room=14)) == 1, "no room, no filter"
