from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.index import Index


def held(index: Index) -> list[tuple[int, str]]:
    return [(key, index.documents[key]["v"]) for key in index.by_change(0, len(index))]


def test_changes_become_visible_when_they_are_due() -> None:
    index = Index()
    index.load([(10, 1, {"v": "old"}), (20, 2, {"v": "two"})])
    index.put(1, 30, {"v": "new"}, visible_at=5.0)
    index.settle(4.9)
    assert held(index) == [(1, "old"), (2, "two")]
    index.settle(5.0)
    assert held(index) == [(2, "two"), (1, "new")]
    index.put(2, 20, None, visible_at=6.0)
    index.settle(9.0)
    assert held(index) == [(1, "new")]
    assert list(index.by_id()) == [1]


@given(
    loaded=st.dictionaries(st.integers(1, 20), st.integers(0, 30), max_size=20),
    writes=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 60), st.booleans()), max_size=40),
    low=st.integers(-1, 61),
    high=st.integers(-1, 61),
)
def test_it_holds_the_last_state_of_every_record_in_order(
    loaded: dict[int, int], writes: list[tuple[int, int, bool]], low: int, high: int
) -> None:
    index, wanted = Index(), dict(loaded)
    index.load([(stamp, key, {}) for key, stamp in loaded.items()])
    for key, stamp, gone in writes:
        index.put(key, stamp, None if gone else {}, visible_at=0.0)
        if gone:
            wanted.pop(key, None)
        else:
            wanted[key] = stamp
    index.settle(0.0)
    inside = sorted((stamp, key) for key, stamp in wanted.items() if low <= stamp <= high)
    start, stop = index.window(low, high)
    assert list(index.by_change(start, stop)) == [key for _, key in inside]
    assert list(index.by_change(start, stop, descending=True)) == [key for _, key in reversed(inside)]
    assert list(index.by_id()) == sorted(wanted)
    assert len(index) == len(wanted)
