"""When automation ends by itself: labels that rule its target out, people who change what it wrote, an open alert.

It only ever lowers. Pure: who looks and when is `pipeline/watch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from tierwise.domain import exact
from tierwise.domain.rollout import Flag
from tierwise.domain.rubric import Frozen


class Limits(Frozen):
    """What is borne."""

    precision: float = Field(gt=0, lt=1)
    """Target of the policy."""
    overrides: float = Field(default=0.2, ge=0, le=1)
    """Largest share of automated leads that people change or call wrong."""
    fewest: int = Field(default=20, ge=1)
    """Automated leads below which the share of overrides says nothing."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance of ending what meets its target, at one look."""


class Window(NamedTuple):
    """The newest automated leads of this run, at most as many as the window is long."""

    labels: int
    """Of the audit sample among them, with an answer."""
    right: int
    """Of these: found in a positive tier."""
    automated: int
    overridden: int
    """People changed what was written, or said too high or too low."""


class Reason(NamedTuple):
    """Why it ends: a kind for the alert, and words."""

    kind: str
    detail: str


def reasons(window: Window, *, alerts: Sequence[str], limits: Limits) -> list[Reason]:
    """Everything that speaks against going on; empty: it goes on."""
    found = [Reason("alert", alert) for alert in alerts]
    if window.labels:
        most = exact.upper(window.right, window.labels, alpha=limits.alpha)
        if most < limits.precision:
            told = f"{window.right} of the last {window.labels} audited leads were right, so precision is at most"
            found.append(Reason("precision", f"{told} {most:.1%}; the target is {limits.precision:.0%}"))
    if window.automated >= limits.fewest and window.overridden > limits.overrides * window.automated:
        told = f"people changed or disputed {window.overridden} of the last {window.automated} automated leads"
        found.append(Reason("overrides", f"{told}; at most {limits.overrides:.0%} is borne"))
    return found


def lowered(flag: Flag | None, why: Sequence[Reason]) -> Flag | None:
    """What the flag is to be; None where it stays as it is."""
    if not why or flag is None or flag.percentage == 0:
        return None
    return flag.model_copy(update={"percentage": 0})
