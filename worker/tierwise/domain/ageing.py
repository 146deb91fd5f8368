"""What a look was made of, with when each label was said: labels grow old after the verdict, and then no longer count.

Dropping them can only end a verdict that passed, never make one that failed pass: that is no further look.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tierwise.domain import validation
from tierwise.domain.validation import Cell, Counted, Drawn, Registration, Verdict

MOST_GONE = 0.05
"""Share of a tier's sample that may be left out because it was erased unanswered (and one always may)."""
_START = datetime(1970, 1, 1, tzinfo=UTC)


class Dated(NamedTuple):
    """One kind of decision (see `validation.Cell`) with its labels' moments, whole seconds since 1970."""

    tier: str | None
    alone: bool
    reach: int
    n: int
    positive: tuple[int, ...]
    negative: tuple[int, ...]
    unanswered: int


class Measured(NamedTuple):
    """The sample of one look, as a report keeps it."""

    registration: Registration
    look: int
    cells: tuple[Dated, ...]

    def old(self, now: datetime) -> int:
        """Labels that are too old to count."""
        return sum(sum(moment < self._since(now) for moment in (*one.positive, *one.negative)) for one in self.cells)

    def labels(self) -> int:
        """All labels, however old."""
        return sum(len(one.positive) + len(one.negative) for one in self.cells)

    def verdict(self, now: datetime) -> Verdict:
        """What the look says with the labels that still count."""
        return _verdict(self.registration, self.look, young(self.cells, since=self._since(now)))

    def _since(self, now: datetime) -> int:
        return _seconds(now - timedelta(days=self.registration.most_age_days))


def dated(registration: Registration, drawn: Sequence[Drawn], counted: Iterable[Counted]) -> tuple[Dated, ...]:
    """Sample and population side by side. What was erased unanswered is left out, as far as that is little."""
    drawn = answerable(drawn)
    sample = {cell[:3]: cell for cell in validation.cells(registration, drawn, counted)}
    moments: dict[tuple[Any, ...], tuple[list[int], list[int]]] = {key: ([], []) for key in sample}
    for item in validation.thinned(drawn):
        if item.truth is not None:
            key = (item.tier, item.alone, validation.reach(registration, item.confidence))
            moments[key][0 if item.truth else 1].append(_seconds(item.said_at) if item.said_at is not None else 0)
    return tuple(
        Dated(cell.tier, cell.alone, cell.reach, cell.n, tuple(sorted(moments[key][0])),
              tuple(sorted(moments[key][1])), cell.unanswered)
        for key, cell in sample.items()
    )  # fmt: skip


def answerable(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Without what was erased before anybody answered, in the tiers where that is little. Where it is much, it stays
    and counts against us as everything that nobody answered: who is erased may not be who would have been wrong.
    """
    left_out = {tier for tier, (gone, of) in erased(drawn).items() if gone <= max(1, MOST_GONE * of)}
    return [item for item in drawn if not (item.gone and item.truth is None and item.tier in left_out)]


def erased(drawn: Iterable[Drawn]) -> dict[str | None, tuple[int, int]]:
    """By tier: how many were erased before anybody answered, of how many."""
    found: dict[str | None, tuple[int, int]] = {}
    for item in drawn:
        gone, of = found.get(item.tier, (0, 0))
        found[item.tier] = (gone + (item.gone and item.truth is None), of + 1)
    return found


def young(cells: Iterable[Dated], *, since: int) -> tuple[Cell, ...]:
    """The sample without older labels."""
    found = []
    for one in cells:
        right = sum(moment >= since for moment in one.positive)
        wrong = sum(moment >= since for moment in one.negative)
        found.append(Cell(one.tier, one.alone, one.reach, one.n, right + wrong + one.unanswered, right, one.unanswered))
    return tuple(found)


def plain(cells: Iterable[Dated]) -> list[dict[str, Any]]:
    """As JSON keeps it."""
    return [{**one._asdict(), "positive": list(one.positive), "negative": list(one.negative)} for one in cells]


def read(body: Mapping[str, Any]) -> Measured | None:
    """From the body of a report; None where a version stored it that did not keep its sample."""
    if "sample" not in body:
        return None
    cells = tuple(
        Dated(**{**one, "positive": tuple(one["positive"]), "negative": tuple(one["negative"])})
        for one in body["sample"]
    )
    return Measured(Registration.model_validate(body["registration"]), int(body["look"]), cells)


@functools.lru_cache(maxsize=64)
def _verdict(registration: Registration, look: int, cells: tuple[Cell, ...]) -> Verdict:
    return validation.judge(registration, cells, look=look)


def _seconds(moment: datetime) -> int:
    return int((moment - _START).total_seconds() // 1)
