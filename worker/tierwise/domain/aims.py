"""What decisions on labelled leads are held against, so that a report says what is aimed at and whether it is met.

Precision and recall are aimed at as the organisation agreed in its rubric; the rest is what Tierwise promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tierwise.domain.rubric import Targets

REVIEW_RATE = 0.15
"""Of all leads, those that wait for a person; at most."""
ECE = 0.05
"""Expected calibration error; at most."""
CONFIDENCE_AUC = 0.75
"""Of confidence for "the tier is right"; at least."""
SAVED = 0.75
"""Of the model cost of asking the stronger model about every lead; at least."""


class Aim(NamedTuple):
    """One figure, what it is to be, and what was measured."""

    name: str
    bound: float
    least: bool
    """It is to be at least the bound, not at most."""
    measured: float | None
    interval: tuple[float, float] | None = None
    """95 %; None where there is none."""

    @property
    def said(self) -> str:
        """What is aimed at, for people."""
        return f"at {'least' if self.least else 'most'} {self.bound:g}"

    @property
    def met(self) -> bool | None:
        """By what was measured; None where nothing could be."""
        return None if self.measured is None else self._holds(self.measured)

    @property
    def shown(self) -> bool:
        """The whole interval meets it, so that these leads are no luck."""
        return self.interval is not None and all(self._holds(end) for end in self.interval)

    @property
    def verdict(self) -> str:
        """For people."""
        if self.met is None:
            return "not measured"
        sure = self.interval is None or len({self._holds(end) for end in self.interval}) == 1
        return ("met" if self.met else "not met") + ("" if sure else ", but too few leads to be sure")

    def plain(self) -> dict[str, Any]:
        """For scripts."""
        return {"aim": self.said, "measured": self.measured, "met": self.met, "shown": self.shown}

    def _holds(self, value: float) -> bool:
        return value >= self.bound if self.least else value <= self.bound


def of(figures: Mapping[str, Any], targets: Targets, *, strong_usd: float | None = None) -> list[Aim]:
    """The aims for the figures of one run. `strong_usd`: what the model compared with cost on the same leads."""
    wanted = (
        ("precision", targets.precision, True),
        ("recall", targets.recall, True),
        ("review_rate", REVIEW_RATE, False),
        ("ece", ECE, False),
        ("confidence_auc", CONFIDENCE_AUC, True),
    )
    intervals = figures["intervals"]
    found = [
        Aim(name, bound, least, figures[name], tuple(between) if (between := intervals.get(name)) else None)
        for name, bound, least in wanted
    ]
    if strong_usd:
        cost = figures["cost_usd"]
        found.append(Aim("saved", SAVED, True, None if cost is None else 1 - cost / strong_usd))
    return found
