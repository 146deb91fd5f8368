"""Waits that are not over are neither left out nor counted as over."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tierwise.domain import waiting
from tierwise.domain.waiting import Wait

waits = st.lists(
    st.builds(Wait, st.integers(0, 30).map(float) | st.floats(0, 1e6), st.booleans()), min_size=1, max_size=60
)


def scipy_says(found: list[Wait]) -> stats._result_classes.ECDFResult:
    ended, waiting_ = [one.seconds for one in found if one.ended], [one.seconds for one in found if not one.ended]
    return stats.ecdf(stats.CensoredData(uncensored=ended, right=waiting_))


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_and_its_interval_are_scipys(seed: int) -> None:
    rng = random.Random(seed)
    found = [
        Wait(rng.choice([1.0, 2.5, 4, 8, 15, 60]) * rng.choice([1, 1, 1.5]), rng.random() < 0.6) for _ in range(50)
    ]
    found.append(Wait(1000, False))  # scipy knows no interval where the last one ended
    made, told = waiting.curve(found), scipy_says(found)
    said = list(zip(told.cdf.quantiles, told.cdf.probabilities, strict=True))
    steps = [(x, p) for (_, before), (x, p) in itertools.pairwise([(0, 0), *said]) if p > before]
    assert [step.seconds for step in made.steps] == [x for x, _ in steps]
    assert [step.share for step in made.steps] == pytest.approx([p for _, p in steps])
    interval = told.cdf.confidence_interval(method="log-log")
    for step in made.steps:
        assert step.low == pytest.approx(float(interval.low.evaluate(step.seconds)))
        assert step.high == pytest.approx(float(interval.high.evaluate(step.seconds)))


@given(waits)
def test_it_only_grows_and_stays_within_its_interval(found: list[Wait]) -> None:
    made = waiting.curve(found)
    shares = [step.share for step in made.steps]
    assert shares == sorted(shares)
    assert all(-1e-9 <= step.low <= step.share + 1e-9 and step.share <= step.high + 1e-9 for step in made.steps)
    assert made.n == len(found)
    assert made.ended == sum(one.ended for one in found)
    quarters = [made.quantile(share) for share in (0.25, 0.5, 0.75)]
    assert quarters == sorted(quarters, key=lambda value: math.inf if value is None else value)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_where_all_is_over_the_quantiles_are_those_of_the_list(seconds: list[float]) -> None:
    made = waiting.curve(Wait(one, True) for one in seconds)
    assert made.quantile(0.5) == statistics.median_low(seconds)
    assert made.quantile(1.0) == max(seconds)
    assert made.within(max(seconds) * 2) == pytest.approx(1)


def test_what_still_waits_counts() -> None:
    made = waiting.curve([Wait(1, True), Wait(2, True), Wait(50, False), Wait(50, False), Wait(50, False)])
    assert made.quantile(0.25) == 2
    assert made.quantile(0.5) is None, "more than half still wait"
    assert made.within(10) == pytest.approx(0.4)
    assert made.within(100) is None, "nobody was watched for as long"
    assert made.quantile_interval(0.5) == (1, None)


def test_leaving_out_what_waits_would_be_wrong_and_this_is_not() -> None:
    rng = random.Random(3)
    truth = [rng.expovariate(math.log(2) / 100) for _ in range(4000)]  # the median is 100
    watched = [(one, rng.uniform(0, 150)) for one in truth]
    made = waiting.curve(Wait(min(one, end), one <= end) for one, end in watched)
    assert made.quantile(0.5) == pytest.approx(100, rel=0.1)
    low, high = made.quantile_interval(0.5) or (None, None)
    assert low is not None
    assert high is not None
    assert low <= 100 <= high
    assert statistics.median(one for one, end in watched if one <= end) < 60


def test_of_nothing_nothing_is_known() -> None:
    made = waiting.curve([])
    assert (made.n, made.quantile(0.5), made.quantile_interval(0.5), made.within(1)) == (0, None, None, None)
    with pytest.raises(ValueError, match="0 seconds"):
        waiting.curve([Wait(-1, True)])
