from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import worlds

distributions = st.dictionaries(st.integers(0, 400).map(worlds.world), st.floats(0.01, 1), min_size=1, max_size=5)


def test_points_and_facts_add_up() -> None:
    left = {worlds.world(150) | worlds.CORROBORATED: 0.5, worlds.world(0): 0.5}
    right = {worlds.world(100) | worlds.KNOCKED: 1.0}
    assert worlds.combine(left, right) == {
        worlds.world(250) | worlds.CORROBORATED | worlds.KNOCKED: 0.5,
        worlds.world(100) | worlds.KNOCKED: 0.5,
    }


def test_a_cap_keeps_facts_and_loses_points() -> None:
    both = worlds.combine({worlds.world(150) | worlds.KNOCKED: 1.0}, {worlds.world(100): 1.0}, cap=0)
    assert both == {worlds.KNOCKED: 1.0}
    assert worlds.points(worlds.KNOCKED) == 0


@given(distributions, distributions)
def test_no_probability_is_lost_and_order_does_not_matter(left: dict[int, float], right: dict[int, float]) -> None:
    one, two = worlds.combine(left, right), worlds.combine(right, left)
    assert sum(one.values()) == pytest.approx(sum(left.values()) * sum(right.values()))
    assert one.keys() == two.keys()
