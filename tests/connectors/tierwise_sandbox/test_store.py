from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.store import FIRST_ID, Store, Write


def test_writes_of_one_request_share_a_stamp_that_is_later_than_all_before(clock: Any) -> None:
    store = Store(now=clock)
    one, two = store.create([({"city": "a"}, None), ({"city": "b"}, None)], by="api")
    first = one.modified_ms
    store.update([Write(one.id, {"city": "c"}), Write(two.id, {"city": "c"})], by="api")
    assert one.modified_ms == two.modified_ms == first + 1
    clock.seconds -= 60  # a clock that goes back does not take stamps with it
    store.update([Write(one.id, {"city": "d"})], by="api")
    assert one.modified_ms == first + 2


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "x", "y"])), max_size=30))
def test_last_modified_moves_exactly_when_something_changes(writes: list[tuple[int, str]]) -> None:
    store = Store(now=lambda: 1_000.0)
    records = store.create([({"city": "x"}, None)] * 5, by="api")
    for place, value in writes:
        record = records[place]
        before, held = record.modified_ms, record.properties.get("city", "")
        others = [other.modified_ms for other in records]
        store.update([Write(record.id, {"city": value})], by="api")
        assert (record.modified_ms > before) is (held != value)
        assert record.modified_ms == before or record.modified_ms > max(others)
        assert record.properties.get("city", "") == value
    assert store.tally.writes == 5 + len(writes)


def test_a_merged_record_has_a_new_id_and_both_old_ones(clock: Any) -> None:
    store = Store(now=clock)
    one, two = store.create(
        [({"email": "a@b.example", "city": "a"}, None), ({"city": "b", "phone": "1"}, None)], by="api"
    )
    merged = store.merge(str(one.id), str(two.id))
    assert merged is not None
    assert merged.id not in {one.id, two.id}
    assert (merged.properties["city"], merged.properties["phone"]) == ("a", "1")
    third = store.create([({}, None)], by="api")[0]
    again = store.merge(str(one.id), str(third.id))
    assert again is not None
    assert all(store.get(str(old.id)) is again for old in (one, two, merged, third))
    assert store.merge(str(one.id), str(two.id)) is None
    assert len(store) == 1
    assert store.by_email("A@B.example ") is again
    _, index = store.index()
    assert list(index.by_id()) == [again.id]


def test_addresses_follow_their_records(clock: Any) -> None:
    store = Store(now=clock)
    (record,) = store.create([({"email": "a@b.example"}, None)], by="api")
    store.update([Write(record.id, {"email": "c@d.example"})], by="api")
    assert store.by_email("a@b.example") is None
    assert store.by_email("C@D.example") is record
    store.archive(record)
    assert store.by_email("c@d.example") is None
    assert store.get(str(record.id)) is None


def test_loading_keeps_times_and_ids_and_refuses_an_id_twice(clock: Any) -> None:
    store = Store(now=clock)
    ids = store.load([({"city": "a"}, 5, 7, 42), ({"city": "b"}, None, None, None)])
    assert ids[0] == 42
    record = store.get("42")
    assert record is not None
    assert (record.created_ms, record.modified_ms) == (5, 7)
    assert record.properties["lastmodifieddate"] == "1970-01-01T00:00:00.007Z"
    assert ids[1] >= FIRST_ID
    with pytest.raises(ValueError, match="42 occurs twice"):
        store.load([({}, 1, 1, 42)])


def test_threads_lose_no_write() -> None:
    store = Store()
    records = store.create([({}, None)] * 8, by="api")

    def work(place: int) -> None:
        for n in range(200):
            store.update([Write(records[place].id, {"city": str(n)})], by="api")

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stamps = [record.modified_ms for record in records]
    assert len(set(stamps)) == 8
    assert store.tally.changed == 8 + 8 * 200
    _, index = store.index()
    assert list(index.by_change(0, 8)) == [r.id for r in sorted(records, key=lambda r: r.modified_ms)]
