"""The echo: what is delivered, what is repaired, and what belongs to a person."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import echo
from tierwise.domain.advice import VOLATILE, WRITTEN, Advice

VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.integers(0, 100)
    | st.sampled_from(["A", "B", "scored", "82", "• line one\n• line two", ""])
    | st.lists(st.sampled_from(["ONE", "TWO", "THREE"]), unique=True).map(tuple)
)
# Few fields, so that what is seen often is what was written.
NAMES = ("tierwise_tier", "tierwise_reason_codes", "tierwise_scored_at")
ADVICE: st.SearchStrategy[Advice] = st.dictionaries(st.sampled_from(NAMES), VALUES)
WRITES = st.lists(ADVICE, max_size=3)


def written(writes: list[Advice]) -> dict[str, set[str]]:
    marks: dict[str, set[str]] = {}
    for values in writes:
        for name, value in values.items():
            marks.setdefault(name, set()).add(echo.mark(value))
    return marks


@given(ADVICE, ADVICE, WRITES)
def test_a_value_of_ours_is_repaired_and_anything_else_is_kept(
    desired: Advice, seen: Advice, writes: list[Advice]
) -> None:
    found = echo.compare(desired=desired, seen=seen, written=written(writes))
    for name, value in desired.items():
        shown = seen.get(name)
        ours = any(name in earlier and echo.same(earlier[name], shown) for earlier in writes)
        differs = not echo.same(shown, value)
        assert (name in found.kept) == (differs and not ours and not echo.same(shown, None))
        if differs and (ours or echo.same(shown, None)):
            assert name in found.repair or found.delivered
        assert not (name in found.repair and name in found.kept)
    assert set(found.repair) | set(found.kept) <= set(desired)
    assert not (found.delivered and found.repair)


def test_the_three_cases_by_hand() -> None:
    desired = {"tierwise_tier": "A", "tierwise_score": 82, "tierwise_outcome": "accept", "tierwise_route": "sales"}
    seen = {"tierwise_tier": "B", "tierwise_score": 50.0, "tierwise_outcome": "accept"}
    marks = written([{"tierwise_tier": "C"}, {"tierwise_score": 50}])
    found = echo.compare(desired=desired, seen=seen, written=marks)
    assert found == (False, ("tierwise_score", "tierwise_route"), ("tierwise_tier",))


@given(ADVICE, WRITES)
def test_what_we_want_is_delivered_when_it_is_seen(desired: Advice, writes: list[Advice]) -> None:
    assert echo.compare(desired=desired, seen=desired, written=written(writes)) == (True, (), ())


@given(ADVICE, ADVICE, WRITES)
def test_repairing_delivers(desired: Advice, seen: Advice, writes: list[Advice]) -> None:
    """After the write that the echo asks for, the next echo is content and asks for nothing."""
    marks = written([*writes, desired])
    first = echo.compare(desired=desired, seen=seen, written=marks)
    after = {**seen, **echo.changes(desired=desired, known=seen, kept=first.kept)}
    second = echo.compare(desired=desired, seen=after, written=marks)
    assert second.delivered
    assert second.kept == first.kept
    assert echo.changes(desired=desired, known=after, kept=second.kept) == {}


@given(ADVICE, ADVICE)
def test_nothing_is_left_to_send_after_sending(desired: Advice, known: Advice) -> None:
    sent = echo.changes(desired=desired, known=known)
    assert echo.changes(desired=desired, known={**known, **sent}) == {}
    assert all(not echo.same(known.get(name), value) for name, value in sent.items())


@given(ADVICE, ADVICE, st.sets(st.sampled_from(WRITTEN)))
def test_a_persons_value_is_never_sent_over(desired: Advice, known: Advice, kept: set[str]) -> None:
    assert not set(echo.changes(desired=desired, known=known, kept=kept)) & kept


def test_a_changed_time_alone_is_no_reason_to_write() -> None:
    desired = {"tierwise_score": 82, "tierwise_scored_at": "2026-03-01T10:00:00Z"}
    known = {"tierwise_score": 82, "tierwise_scored_at": "2026-03-01T09:00:00Z"}
    assert "tierwise_scored_at" in VOLATILE
    assert echo.changes(desired=desired, known=known) == {}
    assert echo.compare(
        desired=desired, seen=known, written={"tierwise_scored_at": {echo.mark(known["tierwise_scored_at"])}}
    ).delivered
    assert set(echo.changes(desired={**desired, "tierwise_score": 83}, known=known)) == set(desired)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", None),  # a CRM returns an empty field as either
        ((), None),
        (82, 82.0),  # numbers come back as floats
        (("ONE", "TWO"), ("TWO", "ONE")),  # options have no order
        (["ONE"], ("ONE",)),  # JSON has no tuples
        ("• one\r\n• two", "• one\n• two"),  # a CRM's line ends
        ("sentence. ", "sentence."),  # a CRM trims
        ("\n • one", "• one"),
        ("  \n", None),
    ],
)  # fmt: skip
def test_equal_as_far_as_a_crm_can_tell(left: Any, right: Any) -> None:
    assert echo.same(left, right)
    assert echo.mark(left) == echo.mark(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(0, None), (False, None), (82, 83), ("A", "a"), ("A", ("A",)), ("a b", "a  b"), (("ONE",), ("ONE", "TWO"))],
)
def test_different_for_a_rep(left: Any, right: Any) -> None:
    assert not echo.same(left, right)
