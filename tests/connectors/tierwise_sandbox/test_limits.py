from __future__ import annotations

import pytest

from tierwise_sandbox.limits import Limits
from tierwise_sandbox.refusals import Refusal


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def refused(limits: Limits, *, search: bool = False) -> str:
    with pytest.raises(Refusal) as caught:
        limits.take(search=search)
    assert caught.value.status == 429
    return str(caught.value.body()["policyName"])


def test_without_limits_nothing_is_refused() -> None:
    limits = Limits()
    for _ in range(1_000):
        limits.take(search=False)
    assert limits.used_today == 1_000


def test_the_window_rolls() -> None:
    clock = Clock()
    limits = Limits(burst=3, now=clock)
    for second in (0.0, 4.0, 8.0):
        clock.seconds = second
        limits.take(search=False)
    assert refused(limits) == "TEN_SECONDLY_ROLLING"
    clock.seconds = 10.0  # the first one is ten seconds old
    limits.take(search=False)
    assert refused(limits) == "TEN_SECONDLY_ROLLING"


def test_search_is_counted_apart_and_by_the_second() -> None:
    clock = Clock()
    limits = Limits(search_per_second=1, burst=1, now=clock)
    limits.take(search=True)
    limits.take(search=False)
    assert refused(limits, search=True) == "SECONDLY"
    assert refused(limits) == "TEN_SECONDLY_ROLLING"
    clock.seconds = 1.0
    limits.take(search=True)
    assert limits.refused == 2


def test_the_day_counts_everything() -> None:
    limits = Limits(daily=2)
    limits.take(search=True)
    limits.take(search=False)
    assert refused(limits, search=True) == "DAILY"
    assert limits.headers()["X-HubSpot-RateLimit-Daily-Remaining"] == "0"


@pytest.mark.parametrize("given", [{"now": 1}, {"burst": 0}, {"burst": "many"}, {"weekly": 3}])
def test_unknown_limits_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rate_limits"):
        Limits().set(given)


def test_a_day_ends_and_its_cost_can_be_set() -> None:
    clock = Clock()
    limits = Limits(daily=2, now=clock)
    limits.take(search=True)
    limits.take(search=False)
    assert refused(limits, search=True) == "DAILY"
    clock.seconds += 86_400
    limits.take(search=False)
    limits.set({"used_today": 0})
    limits.take(search=False)
    limits.set({"used_today": 2})
    assert refused(limits) == "DAILY"
