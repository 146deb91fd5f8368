"""The order of the review queue."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import review

SCORES = st.none() | st.integers(0, 100)
DOUBTS = st.none() | st.floats(0, 1)


@given(st.sampled_from(review.KINDS), SCORES, DOUBTS)
def test_what_a_rep_asked_for_comes_before_everything(kind: Any, score: int | None, confidence: float | None) -> None:
    asked = review.priority("fast_track", score=None, confidence=1.0)
    other = review.priority(kind, score=score, confidence=confidence)
    assert kind == "fast_track" or other < asked
    assert other >= 0


@given(SCORES, DOUBTS, SCORES, DOUBTS)
def test_a_refused_write_comes_before_any_doubt(
    score: int | None, confidence: float | None, other_score: int | None, other_confidence: float | None
) -> None:
    failed = review.priority("write_failed", score=score, confidence=confidence)
    for kind in ("guardrail", "contradiction", "low_confidence", "schema", "audit_sample"):
        assert failed > review.priority(kind, score=other_score, confidence=other_confidence)


@given(st.sampled_from(review.KINDS), st.integers(0, 99), st.floats(0, 1), st.floats(0, 1))
def test_within_a_kind_worth_and_doubt_raise_it(kind: Any, score: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert review.priority(kind, score=score + 1, confidence=high) > review.priority(kind, score=score, confidence=high)
    assert review.priority(kind, score=score, confidence=low) >= review.priority(kind, score=score, confidence=high)


def test_every_kind_has_a_weight() -> None:
    assert {kind: review.priority(kind, score=None, confidence=None) for kind in review.KINDS}


def said(*given: tuple[int, str, str]) -> list[review.Verdict]:
    return [review.Verdict(*item) for item in given]


def test_agreement_is_told_for_every_two_people() -> None:
    found = review.agreement(
        said(
            (1, "ann", "A"), (1, "bo", "A"), (2, "bo", "B"), (2, "ann", "B"), (3, "ann", "A"), (3, "bo", "B"),
            (4, "ann", "B"), (4, "bo", "A"), (5, "ann", "C"), (5, "cy", "C"), (6, "ann", "D"),
        )
    )  # fmt: skip
    # ann and bo: half agreed, and chance alone would have agreed on half.
    assert found == [review.Agreement("ann", "bo", 4, 2, 0.0), review.Agreement("ann", "cy", 1, 1, None)]


def test_a_second_word_of_the_same_person_is_no_agreement() -> None:
    assert review.agreement(said((1, "ann", "A"), (1, "ann", "B"))) == []
    (pair,) = review.agreement(said((1, "ann", "A"), (1, "bo", "B"), (1, "ann", "B")))
    assert pair.agreed == 0


def test_of_conflicting_verdicts_the_later_one_counts() -> None:
    assert review.counting([(1, "A"), (2, "D"), (1, "C")]) == {1: "C", 2: "D"}


PART = st.none() | st.floats(0, 1)
STAKES = st.builds(
    review.Stakes, kind=st.sampled_from(review.KINDS), age=st.floats(0, 1e7), sla=st.floats(60, 1e6), rank=PART,
    volume=st.none() | st.floats(0, 1e9), distance=st.none() | st.floats(0, 100),
)  # fmt: skip


@given(STAKES, STAKES)
def test_a_reps_request_is_always_ahead(one: review.Stakes, other: review.Stakes) -> None:
    asked = one._replace(kind="fast_track")
    assert other.kind == "fast_track" or review.urgency(asked) > review.urgency(other)


@given(STAKES, st.floats(0, 1e6), st.floats(0, 100), st.floats(0, 1), st.floats(0, 1e6))
def test_age_worth_volume_and_doubt_never_make_it_less_urgent(
    stakes: review.Stakes, older: float, nearer: float, better: float, more: float
) -> None:
    least = review.urgency(stakes)
    assert review.urgency(stakes._replace(age=stakes.age + older)) >= least
    assert review.urgency(stakes._replace(rank=max(stakes.rank or 0, better))) >= least
    assert review.urgency(stakes._replace(volume=(stakes.volume or 0) + more)) >= least
    nearest = nearer if stakes.distance is None else min(nearer, stakes.distance)
    assert review.urgency(stakes._replace(distance=nearest)) >= least


@given(STAKES, STAKES)
def test_what_is_long_overdue_comes_before_what_is_fresh(one: review.Stakes, other: review.Stakes) -> None:
    late = one._replace(kind="audit_sample", age=3 * one.sla)
    fresh = other._replace(kind="low_confidence", age=0)
    assert review.urgency(late) > review.urgency(fresh)
