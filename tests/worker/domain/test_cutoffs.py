from __future__ import annotations

import random

import pytest

from tierwise.domain import cutoffs
from tierwise.domain.cutoffs import Final, Kept


def kept(n: int, *, seed: int, right: float = 0.0) -> list[Kept]:
    """Leads whose tier is right with `right`, or with exactly the stated probability."""
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        confidence = rng.uniform(0.5, 1.0)
        found.append(Kept(confidence, rng.random() < (right or confidence)))
    return found


def finals(n: int, *, seed: int, precision: float) -> list[Final]:
    rng = random.Random(seed)
    return [Final(rng.uniform(0.3, 1), predicted=rng.random() < 0.5, positive=rng.random() < precision)
            for _ in range(n)]  # fmt: skip


def test_the_cut_off_that_many_labels_prove() -> None:
    found = cutoffs.escalate(kept(4000, seed=1), target=0.9)
    assert found.value is not None
    assert 0.8 <= found.value <= 0.85  # above 0.8 confidence 0.9 is right on average
    assert found.share == pytest.approx((found.value - 0.5) * 2, abs=0.03)


def test_too_few_labels_prove_nothing_and_say_so() -> None:
    found = cutoffs.escalate(kept(20, seed=1), target=0.9)
    assert (found.value, found.n) == (None, 20)
    assert "no cut-off" in found.why


def test_a_promise_that_is_not_kept_is_given_as_seldom_as_the_risk_says() -> None:
    """Every group of leads is right in 88 % only, so any cut-off for 90 % would be wrong."""
    broken = sum(cutoffs.escalate(kept(300, seed=n, right=0.88), target=0.9).value is not None for n in range(200))
    assert broken <= 0.05 * 200 + 3 * (200 * 0.05 * 0.95) ** 0.5


def test_a_wrong_review_cut_off_is_given_as_seldom_as_the_risk_says() -> None:
    broken = sum(
        cutoffs.review(finals(300, seed=n, precision=0.78), precision=0.8, recall=0.1).value is not None
        for n in range(120)
    )
    assert broken <= 0.05 * 120 + 3 * (120 * 0.05 * 0.95) ** 0.5


def test_review_takes_the_lowest_cut_off_that_meets_both() -> None:
    rng = random.Random(5)
    found = []
    for _ in range(3000):
        confidence, predicted = rng.uniform(0.2, 1), rng.random() < 0.5
        right = rng.random() < (0.95 if confidence > 0.5 else 0.3)
        found.append(Final(confidence, predicted, positive=right if predicted else not right and rng.random() < 0.1))
    made = cutoffs.review(found, precision=0.85, recall=0.5)
    assert made.value is not None
    assert 0.3 < made.value <= 0.5
    none = cutoffs.review(found, precision=0.97, recall=0.9)
    assert none.value is None
    assert "by chance" in none.why


def test_a_share_needs_no_label() -> None:
    made = cutoffs.for_share([(n / 100, 1.0) for n in range(100)], share=0.2)
    assert made.value == pytest.approx(0.2, abs=1e-5)
    assert made.share == pytest.approx(0.2)
    assert cutoffs.for_share([], share=0.2).value is None


def test_a_lead_that_stands_for_many_counts_as_many() -> None:
    few, many = [(n / 100, 1.0) for n in range(50)], [(0.5 + n / 100, 9.0) for n in range(50)]
    made = cutoffs.for_share([*few, *many], share=0.1)
    assert made.value == pytest.approx(0.5, abs=1e-5)
    assert made.share == pytest.approx(0.1)
