"""Measures against values from textbooks and from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tierwise.domain import measures

PAIRS = st.lists(st.tuples(st.integers(0, 20).map(float), st.booleans()), max_size=40)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    found = measures.wilson(hits, n)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(pair: tuple[int, int]) -> None:
    hits, n = pair
    found = measures.wilson(hits, n)
    assert 0 <= found.low <= hits / n <= found.high <= 1
    mirrored = measures.wilson(n - hits, n)
    assert mirrored.low == pytest.approx(1 - found.high)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_what_is_no_share(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        measures.wilson(hits, n)


def test_a_share_of_nothing_is_not_zero() -> None:
    assert measures.Share(0, 0).value is None
    assert measures.Share(0, 0).interval is None
    assert measures.Share(1, 4).value == 0.25


def test_f1() -> None:
    assert measures.f1(0.5, 1.0) == pytest.approx(2 / 3)
    assert measures.f1(0.0, 0.0) == 0.0
    assert measures.f1(None, 0.5) is None


def test_auc() -> None:
    # Hanley and McNeil (1982): the share of pairs in the right order.
    assert measures.auc([1, 2, 3, 4], [False, False, True, True]) == 1.0
    assert measures.auc([4, 3, 2, 1], [False, False, True, True]) == 0.0
    assert measures.auc([1, 1, 1], [True, False, True]) == 0.5
    assert measures.auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert measures.auc([1, 2], [True, True]) is None
    assert measures.auc([], []) is None


@given(PAIRS)
def test_auc_is_the_share_of_pairs(pairs: list[tuple[float, bool]]) -> None:
    above = [score for score, positive in pairs if positive]
    below = [score for score, positive in pairs if not positive]
    found = measures.auc([score for score, _ in pairs], [positive for _, positive in pairs])
    if not above or not below:
        assert found is None
        return
    wins = sum((a > b) + (a == b) / 2 for a in above for b in below)
    assert found == pytest.approx(wins / (len(above) * len(below)))


def test_auc_interval() -> None:
    # At one half the variance is that of Mann and Whitney's U: (m + n + 1) / (12 m n).
    found = measures.auc_interval(0.5, 20, 30, z=1.0)
    assert (found.high - found.low) / 2 == pytest.approx(math.sqrt(51 / (12 * 20 * 30)))
    wider = measures.auc_interval(0.8, 20, 30)
    assert wider.low < 0.8 < wider.high <= 1
    assert measures.auc_interval(1.0, 3, 3) == (1.0, 1.0)
    with pytest.raises(ValueError, match="positives and negatives"):
        measures.auc_interval(0.5, 0, 3)


def test_calibration() -> None:
    stated, right = [0.95, 0.95, 0.95, 0.95, 0.15, 1.0], [True, True, True, False, False, True]
    bins = measures.reliability(stated, right)
    assert [(item.low, item.n, item.right) for item in bins] == [(0.1, 1, 0.0), (0.9, 5, 0.8)]
    assert bins[1].confidence == pytest.approx(0.96)
    assert measures.ece(bins) == pytest.approx((1 * 0.15 + 5 * 0.16) / 6)
    assert measures.brier([1.0, 0.0, 0.5], [True, True, False]) == pytest.approx((0 + 1 + 0.25) / 3)
    assert measures.ece([]) is None
    assert measures.brier([], []) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_every_confidence_is_in_one_bin(pairs: list[tuple[float, bool]]) -> None:
    bins = measures.reliability([stated for stated, _ in pairs], [hit for _, hit in pairs])
    assert sum(item.n for item in bins) == len(pairs)
    assert all(item.low - 1e-9 <= item.confidence <= item.high + 1e-9 for item in bins)
    error = measures.ece(bins)
    assert error is not None
    assert 0 <= error <= 1


def test_kappa() -> None:
    # The usual example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert measures.kappa(first, second) == pytest.approx(0.4)
    assert measures.kappa(["a", "b"], ["a", "b"]) == 1.0
    assert measures.kappa(["a", "a"], ["a", "a"]) is None
    assert measures.kappa([], []) is None


def test_weighted_kappa_forgives_neighbours() -> None:
    order = ["A", "B", "C", "D"]
    near = measures.weighted_kappa(["A", "B", "C", "D"], ["A", "B", "C", "C"], order=order)
    far = measures.weighted_kappa(["A", "B", "C", "D"], ["A", "B", "C", "A"], order=order)
    assert near is not None
    assert far is not None
    assert measures.weighted_kappa(order, order, order=order) == 1.0
    assert far < near < 1
    # By hand: observed 1/4 * 1, expected (sum of squared distances over all 16 pairs) / 16.
    expected = sum((x - y) ** 2 for x in (0, 1, 2, 3) for y in (0, 1, 2, 2)) / 16
    assert near == pytest.approx(1 - 0.25 / expected)
    assert measures.weighted_kappa(["A"], ["A"], order=order) is None


def test_mcnemar() -> None:
    assert measures.mcnemar(0, 0) == 1.0
    assert measures.mcnemar(5, 5) == 1.0
    assert measures.mcnemar(0, 6) == pytest.approx(2 / 64)
    assert measures.mcnemar(6, 0) == pytest.approx(2 / 64)
    assert measures.mcnemar(2, 10) == pytest.approx(2 * (1 + 12 + math.comb(12, 2)) / 4096)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(1, 4)), min_size=1, max_size=30))
def test_a_weight_is_so_many_of_the_same(items: list[tuple[float, bool, int]]) -> None:
    stated, right, weights = (list(column) for column in zip(*items, strict=True))
    many = [index for index, weight in enumerate(weights) for _ in range(weight)]
    repeated = [stated[i] for i in many], [right[i] for i in many]
    counted = [float(weight) for weight in weights]
    assert measures.brier(stated, right, weights=counted) == pytest.approx(measures.brier(*repeated))
    assert measures.auc(stated, right, weights=counted) == pytest.approx(measures.auc(*repeated))
    bins = measures.reliability(stated, right, weights=counted)
    assert measures.ece(bins) == pytest.approx(measures.ece(measures.reliability(*repeated)))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe (1998), table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_a_difference_of_shares_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = measures.difference(measures.Share(*first), measures.Share(*second))
    assert found is not None
    assert found[0] == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert found[1] == pytest.approx((low, high), abs=5e-5)
    back = measures.difference(measures.Share(*second), measures.Share(*first))
    assert back is not None
    assert back[1] == pytest.approx((-found[1].high, -found[1].low))


def test_a_difference_is_made_of_scipys_intervals_and_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for hits, others in zip(rng.binomial(60, 0.3, 400), rng.binomial(45, 0.2, 400), strict=True):
        found = measures.difference(measures.Share(int(hits), 60), measures.Share(int(others), 45))
        assert found is not None
        a = stats.binomtest(int(hits), 60).proportion_ci(method="wilson")
        b = stats.binomtest(int(others), 45).proportion_ci(method="wilson")
        p, q = hits / 60, others / 45
        low = p - q - math.hypot(p - a.low, b.high - q)
        assert found[1].low == pytest.approx(low)
        held += found[1].low <= 0.1 <= found[1].high
    assert held >= 0.92 * 400
    assert measures.difference(measures.Share(1, 2), measures.Share(0, 0)) is None


@given(st.integers(0, 60), st.integers(0, 40), st.integers(0, 40))
def test_f1_lies_in_its_interval(hits: int, wrong: int, missed: int) -> None:
    predicted, positives = hits + wrong, hits + missed
    found = measures.f1_interval(hits, predicted, positives)
    if not hits + wrong + missed:
        assert found is None
        return
    assert found is not None
    value = 2 * hits / (predicted + positives)
    assert found.low - 1e-9 <= value <= found.high + 1e-9
    assert 0 <= found.low <= found.high <= 1


def test_f1_lies_in_its_interval_as_often_as_that_says() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        truth = rng.random(200) < 0.3
        said = np.where(rng.random(200) < 0.85, truth, ~truth)
        found = measures.f1_interval(int((said & truth).sum()), int(said.sum()), int(truth.sum()))
        assert found is not None
        held += found.low <= 2 * 0.3 * 0.85 / (0.3 + 0.3 * 0.85 + 0.7 * 0.15) <= found.high
    assert held >= 0.92 * 400


def test_the_curve_of_precision_and_recall_by_hand() -> None:
    found = measures.curve([90, 80, 80, 10], [True, False, True, False])
    assert found == [(90, 0.5, 1.0), (80, 1.0, pytest.approx(2 / 3)), (10, 1.0, 0.5)]
    assert measures.curve([1, 2], [False, False]) == []
