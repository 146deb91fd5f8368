from __future__ import annotations

import statistics

import pytest

from tierwise_sandbox.latency import Latency


def test_fixed_and_none() -> None:
    assert Latency.parse(None, None, seed=1).draw() == 0.0
    assert Latency.parse(300, None, seed=1).draw() == 0.3


def test_log_normal_has_its_mean_a_long_tail_and_a_cap() -> None:
    latency = Latency.parse(None, "400,10000", seed=1)
    drawn = [latency.draw() for _ in range(20_000)]
    assert statistics.mean(drawn) == pytest.approx(0.4, rel=0.03)
    assert statistics.quantiles(drawn, n=100)[98] > 3 * statistics.median(drawn)
    capped = Latency.parse(None, "400,450", seed=1)
    assert max(capped.draw() for _ in range(1_000)) == 0.45


def test_the_same_seed_gives_the_same_times() -> None:
    one, two = (Latency.parse(None, "400,2000", seed=7) for _ in range(2))
    assert [one.draw() for _ in range(5)] == [two.draw() for _ in range(5)]


@pytest.mark.parametrize(
    ("fixed", "lognormal"), [(1, "1,2"), (-1, None), (None, "5"), (None, "a,b"), (None, "9,3"), (None, "0,3")]
)
def test_what_makes_no_sense_is_refused(fixed: float | None, lognormal: str | None) -> None:
    with pytest.raises(ValueError, match="latency"):
        Latency.parse(fixed, lognormal, seed=1)
