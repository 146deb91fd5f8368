"""How likely each tier is, given how likely each level of each criterion is: exact, if the criteria err independently.

Works on plain numbers: what a level adds, not what it means. `rubric` says that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Settle = Callable[[int, bool, bool], str]
"""Tier of hundredths of points, whether something structured corroborates, whether a verdict knocked the lead out."""

_CORROBORATED, _KNOCKED, _FACTS = 1, 2, 3
_World = int
"""What some levels, if they were the true ones, add up to: hundredths of points, shifted left by two, and two facts
in the lowest bits. A plain number, since thousands of them are added up for every lead."""


class Option(NamedTuple):
    """One level that may be the true one."""

    hundredths: int
    probability: float
    corroborates: bool = False
    knocks: bool = False


def tiers(
    written: Sequence[Sequence[Option]], structured: Sequence[Sequence[Option]], *, cap: int, settle: Settle
) -> dict[str, float]:
    """Probability of every tier; they add up to what the options of each criterion add up to.

    `written` are the criteria that rest on self-reported text, whose hundredths together count up to `cap`.
    """
    found: dict[str, float] = {}
    for world, probability in _combine(_convolve(structured), _convolve(written, cap=cap)).items():
        tier = settle(world >> 2, bool(world & _CORROBORATED), bool(world & _KNOCKED))
        found[tier] = found.get(tier, 0.0) + probability
    return found


def _convolve(criteria: Sequence[Sequence[Option]], *, cap: int | None = None) -> dict[_World, float]:
    total: dict[_World, float] = {0: 1.0}
    for options in criteria:
        single: dict[_World, float] = {}
        for option in options:
            if option.probability:
                world = option.hundredths << 2 | _CORROBORATED * option.corroborates | _KNOCKED * option.knocks
                single[world] = single.get(world, 0.0) + option.probability
        total = _combine(total, single, cap=cap)
    return total


def _combine(
    left: Mapping[_World, float], right: Mapping[_World, float], *, cap: int | None = None
) -> dict[_World, float]:
    total: dict[_World, float] = {}
    for a, p in left.items():
        for b, q in right.items():
            points = (a >> 2) + (b >> 2)
            if cap is not None and points > cap:
                points = cap
            world = points << 2 | (a | b) & _FACTS
            total[world] = total.get(world, 0.0) + p * q
    return total
