"""Tiers whose cut-offs are out of order: sorting them would hide the slip."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from tierwise.domain.consistency import CUT_OFFS
from tierwise.policies.loading import Loaded
from tierwise.policies.problems import Problem


def check(loaded: Loaded) -> list[Problem]:
    """What was found on loading, and the first two tiers that are out of order. Cut-offs as they are written fall or
    rise all the way. Where one of them alone is wrong, and the lowest is not 0 for that reason, only this is told."""
    problems = list(loaded.problems)
    if loaded.rubric is None or not loaded.rubric.stands("tiers"):
        return problems
    given = loaded.rubric.document.value.get("tiers")
    written: dict[str, int] = given if isinstance(given, dict) else {}
    cuts = list(written.values())
    if not all(type(cut) is int for cut in cuts) or len(set(cuts)) != len(cuts) or _ordered(cuts):
        return problems  # what is no number, and what stands twice, was told
    rising = _rising(cuts)
    (before, points), (name, cut) = next(
        pair for pair in itertools.pairwise(written.items()) if (pair[0][1] > pair[1][1]) is rising
    )
    upper, lower = (before, name) if rising else (name, before)
    only = "" if rising else "only "
    message = f"tier {name} needs {cut} points and {before} before it {only}{points}: {upper} would rank above {lower}"
    meant = _with_zero(written, rising=rising)
    if meant is None:
        in_order = dict(sorted(written.items(), key=lambda item: -item[1]))
        hint = f"change one of the two, or write them in this order if it is meant: {_shown(in_order)}"
    else:
        problems = [problem for problem in problems if problem.message != CUT_OFFS]
        hint = f"the lowest tier needs 0 points: {_shown(meant)}"
    return [*problems, loaded.rubric.document.problem(("tiers", name), "value", message, hint=hint)]


def _ordered(cuts: list[int]) -> bool:
    return cuts in (sorted(cuts), sorted(cuts, reverse=True))


def _rising(cuts: list[int]) -> bool:
    """Which way they were meant to go: that of most steps, downwards in doubt."""
    steps = [after > before for before, after in itertools.pairwise(cuts)]
    rising, falling = steps.count(True), steps.count(False)
    return rising > falling or (rising == falling and cuts[0] == 0)


def _with_zero(written: Mapping[str, int], *, rising: bool) -> dict[str, int] | None:
    """The tiers with 0 at their lower end, where that alone sets them right."""
    names = list(written)
    meant = {**written, names[0 if rising else -1]: 0}
    cuts = list(meant.values())
    right = 0 not in written.values() and len(set(cuts)) == len(cuts) and max(cuts) <= 100 and _ordered(cuts)
    return meant if right else None


def _shown(tiers: Mapping[str, int]) -> str:
    return f"{{{', '.join(f'{tier}: {points}' for tier, points in tiers.items())}}}"
