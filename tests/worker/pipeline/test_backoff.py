"""Waits grow, differ from one another, and keep to what the other side asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.pipeline import backoff

ATTEMPTS = st.integers(0, 10_000)
JITTER = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempt", "ceiling"),
    [(0, 2), (1, 2), (2, 4), (3, 8), (9, 512), (10, 600), (31, 600), (10_000, 600)],  # doubling, then no more
)
def test_the_longest_wait_doubles_up_to_ten_minutes(attempt: int, ceiling: float) -> None:
    assert backoff.delay(attempt, jitter=0.75) == 0.75 * ceiling


@given(attempt=ATTEMPTS, jitter=JITTER, wish=st.one_of(st.none(), st.floats(0, 86_400)))
def test_never_at_once_never_before_the_wish_never_far_beyond(attempt: int, jitter: float, wish: float | None) -> None:
    wait = backoff.delay(attempt, jitter=jitter, wish=wish)
    assert wait >= max(0.5, wish or 0)
    assert wait <= max(600.0, wish or 0)


@given(attempt=ATTEMPTS, jitter=JITTER)
def test_a_later_try_never_waits_less(attempt: int, jitter: float) -> None:
    assert backoff.delay(attempt + 1, jitter=jitter) >= backoff.delay(attempt, jitter=jitter)


def test_two_workers_that_fail_together_do_not_come_back_together() -> None:
    assert backoff.delay(5, jitter=0.2) != backoff.delay(5, jitter=0.8)


def test_other_scales() -> None:
    assert backoff.delay(3, jitter=0.5, first=10, most=30) == 15
    assert backoff.delay(1, jitter=0.5, first=10, most=30) == 5
