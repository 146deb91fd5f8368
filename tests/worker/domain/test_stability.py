from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import stability


class Option(NamedTuple):
    hundredths: int
    probability: float
    corroborates: bool
    knocks: bool


def plain(criteria: list[list[Option]]) -> list[list[tuple[int, float]]]:
    return [
        [(stability.world(o.hundredths, corroborates=o.corroborates, knocks=o.knocks), o.probability) for o in options]
        for options in criteria
    ]


@st.composite
def criteria(draw: st.DrawFn) -> list[list[Option]]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        shares = draw(st.lists(st.floats(0.01, 1), min_size=1, max_size=4))
        found.append(
            [
                Option(draw(st.integers(0, 3000)), share / sum(shares), draw(st.booleans()), draw(st.booleans()))
                for share in shares
            ]
        )
    return found


def settle(hundredths: int, corroborated: bool, knocked: bool) -> str:
    return f"{hundredths // 1000}{corroborated}{knocked}"


@given(criteria(), criteria(), st.integers(0, 6000))
def test_it_is_what_enumerating_all_worlds_gives(
    written: list[list[Option]], structured: list[list[Option]], cap: int
) -> None:
    wanted: dict[str, float] = {}
    for world in itertools.product(*written, *structured):
        free = sum(option.hundredths for option in world[: len(written)])
        solid = sum(option.hundredths for option in world[len(written) :])
        corroborated, knocked = any(o.corroborates for o in world), any(o.knocks for o in world)
        tier = settle(solid + min(free, cap), corroborated, knocked)
        wanted[tier] = wanted.get(tier, 0.0) + math.prod(option.probability for option in world)
    found = stability.tiers(plain(written), plain(structured), cap=cap, settle=settle)
    assert found == pytest.approx(wanted, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1)
