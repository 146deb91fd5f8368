"""How likely each tier is, given how likely each level of each criterion is: exact, if the criteria err independently.

Works on plain numbers: what a level adds, not what it means. `rubric` says that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

Settle = Callable[[int, bool, bool], str]
"""Tier of hundredths of points, whether something structured corroborates, whether a verdict knocked the lead out."""

World = int
"""What some levels, if they were the true ones, add up to: hundredths of points, shifted left by two, and two facts
in the lowest bits. A plain number, since thousands of them are added up for every lead."""
Options = Sequence[tuple[World, float]]
"""Of one criterion: what each level adds, and how likely it is the true one."""

_UNREACHED: World = 1 << 62
"""More than any levels add up to."""
CORROBORATED, _KNOCKED, _FACTS = 1, 2, 3
"""The bit of a world in which something structured corroborates, and its neighbours."""


def world(hundredths: int, *, corroborates: bool = False, knocks: bool = False) -> World:
    """What one level adds."""
    return hundredths << 2 | CORROBORATED * corroborates | _KNOCKED * knocks


def tiers(written: Sequence[Options], structured: Sequence[Options], *, cap: int, settle: Settle) -> dict[str, float]:
    """Probability of every tier; they add up to what the options of each criterion add up to.

    `written` are the criteria that rest on self-reported text, whose hundredths together count up to `cap`.
    """
    found: dict[str, float] = {}
    settled = _settled(settle)
    for added, probability in _worlds(tuple(map(tuple, written)), tuple(map(tuple, structured)), cap).items():
        tier = settled[added]
        found[tier] = found.get(tier, 0.0) + probability
    return found


class _Settled(dict[World, str]):
    """The tier of every world that came up: there are only so many of them."""

    def __init__(self, settle: Settle) -> None:
        super().__init__()
        self._settle = settle

    def __missing__(self, added: World) -> str:
        tier = self[added] = self._settle(added >> 2, bool(added & CORROBORATED), bool(added & _KNOCKED))
        return tier


@functools.lru_cache(maxsize=64)
def _settled(settle: Settle) -> _Settled:
    return _Settled(settle)


@functools.lru_cache(maxsize=1024)
def _worlds(
    written: tuple[tuple[tuple[World, float], ...], ...],
    structured: tuple[tuple[tuple[World, float], ...], ...],
    cap: int,
) -> Mapping[World, float]:
    """Kept, since a lead is scored again when it is decided, and under every version that differs in cut-offs alone."""
    return _combine(_structured(structured), _convolve(written, cap=cap))


@functools.lru_cache(maxsize=1024)
def _structured(criteria: tuple[tuple[tuple[World, float], ...], ...]) -> Mapping[World, float]:
    """Apart, since what rules say is mostly certain and the same for many leads."""
    return _convolve(criteria)


def _convolve(criteria: Iterable[Options], *, cap: int | None = None) -> dict[World, float]:
    total: dict[World, float] = {0: 1.0}
    for options in criteria:
        single: dict[World, float] = {}
        for added, probability in options:
            if probability:
                single[added] = single.get(added, 0.0) + probability
        total = _combine(total, single, cap=cap)
    return total


def _combine(
    left: Mapping[World, float], right: Mapping[World, float], *, cap: int | None = None
) -> dict[World, float]:
    total: dict[World, float] = {}
    get = total.get
    pairs = list(left.items())
    highest = _UNREACHED if cap is None else cap << 2 | _FACTS
    for b, q in right.items():
        facts, points = b & _FACTS, b & ~_FACTS
        for a, p in pairs:
            added = a + points
            if added > highest:
                added = highest & ~_FACTS | added & _FACTS
            added |= facts
            total[added] = get(added, 0.0) + p * q
    return total
