"""Exact bounds: against an oracle, against their own definition, and against somebody who peeks."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from tierwise.domain import exact

COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ALPHA = st.floats(0.0005, 0.2)
P = st.floats(0.001, 0.999)


@given(P, st.floats(0.5, 3000), st.floats(0.5, 3000))
def test_the_incomplete_beta_is_the_libraries(x: float, a: float, b: float) -> None:
    assert exact.beta_cdf(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), abs=1e-11)


@given(COUNTS, ALPHA)
def test_bounds_are_those_of_clopper_and_pearson(counts: tuple[int, int], alpha: float) -> None:
    k, n = counts
    if n == 0:
        assert (exact.lower(0, 0, alpha=alpha), exact.upper(0, 0, alpha=alpha)) == (0.0, 1.0)
        return
    low = float(stats.beta.ppf(alpha, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - alpha, k + 1, n - k)) if k < n else 1.0
    assert exact.lower(k, n, alpha=alpha) == pytest.approx(low, abs=1e-9)
    assert exact.upper(k, n, alpha=alpha) == pytest.approx(high, abs=1e-9)


@given(COUNTS, P)
def test_the_tail_is_the_sum_of_its_terms(counts: tuple[int, int], p: float) -> None:
    k, n = counts
    summed = math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert exact.tail(k, n, p=p) == pytest.approx(summed, abs=1e-9)


@given(COUNTS, ALPHA)
def test_looking_always_costs_something(counts: tuple[int, int], alpha: float) -> None:
    k, n = counts
    low, high = exact.anytime_lower(k, n, alpha=alpha), exact.anytime_upper(k, n, alpha=alpha)
    assert 0 <= low <= (k / n if n else 1) + 1e-9
    assert (k / n if n else 0) - 1e-9 <= high <= 1
    assert low <= exact.lower(k, n, alpha=alpha) + 1e-9
    assert high >= exact.upper(k, n, alpha=alpha) - 1e-9


@given(COUNTS, P, P)
def test_evidence_is_against_less_the_higher_the_claim(counts: tuple[int, int], one: float, other: float) -> None:
    """Below the share that was seen: so the bound is the end of one stretch."""
    k, n = counts
    low, high = sorted((one, other))
    if n and high <= k / n:
        assert exact.evidence(k, n, against=low) >= exact.evidence(k, n, against=high) - 1e-9


def test_the_wealth_of_a_bet_is_an_expectation_of_at_most_one() -> None:
    """Summed over everything that can happen in n draws at the edge of the claim."""
    for n, p in ((1, 0.5), (7, 0.8), (60, 0.8), (60, 0.3)):
        expected = math.fsum(
            float(stats.binom.pmf(k, n, p)) * math.exp(exact.evidence(k, n, against=p)) for k in range(n + 1)
        )
        assert expected == pytest.approx(1.0, abs=1e-9)


def test_who_peeks_after_every_label_is_wrong_in_at_most_alpha() -> None:
    """A fixed bound, looked at as often, is wrong several times as often: that is why the gate does not peek."""
    rng = random.Random(7)
    pilots, n, p, alpha = 1000, 400, 0.8, 0.05
    fixed_at = [exact.needed(m, target=p, alpha=alpha) for m in range(n + 1)]
    peeking = anytime = 0
    for _ in range(pilots):
        k, fooled, proved = 0, False, False
        for m in range(1, n + 1):
            k += rng.random() < p
            fooled = fooled or k >= fixed_at[m]
            proved = proved or exact.evidence(k, m, against=p) >= -math.log(alpha)
        peeking += fooled
        anytime += proved
    assert anytime / pilots <= alpha
    assert peeking / pilots > 3 * alpha


@pytest.mark.parametrize(
    ("target", "truth", "labels"),
    # One-sided 95 %, power 80 %: within the saw-tooth of the figures that were measured for the design.
    [(0.80, 0.85, 370), (0.80, 0.88, 136), (0.80, 0.90, 82), (0.80, 0.95, 30), (0.70, 0.80, 128), (0.90, 0.95, 180)],
)
def test_labels_for_a_verdict(target: float, truth: float, labels: int) -> None:
    found = exact.labels_for(target, truth=truth, alpha=0.05)
    assert found is not None
    assert labels * 0.8 <= found <= labels * 1.05


def test_labels_for_what_is_not_true() -> None:
    assert exact.labels_for(0.8, truth=0.8, alpha=0.05) is None
    assert exact.labels_for(0.8, truth=0.8001, alpha=0.05, most=1000) is None


@given(st.integers(1, 600), st.floats(0.05, 0.95), ALPHA)
def test_what_is_needed_is_the_first_count_whose_bound_reaches_the_target(n: int, target: float, alpha: float) -> None:
    k = exact.needed(n, target=target, alpha=alpha)
    if k <= n:
        assert exact.lower(k, n, alpha=alpha) >= target - 1e-9
    if k:
        assert exact.lower(k - 1, n, alpha=alpha) < target + 1e-9


def test_more_successes_than_draws() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        exact.lower(3, 2, alpha=0.05)
