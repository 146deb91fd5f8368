"""Work for people: why a lead is in the queue and how urgent it is, and how far people agree.

Of several people's verdicts on one decision the last one counts: people are equals, and who answers later could know
more. All of them are kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeVar, get_args

from tierwise.domain import measures

T = TypeVar("T")

ReviewKind = Literal[
    "low_confidence", "contradiction", "schema", "fast_track", "audit_sample", "guardrail", "write_failed"
]
KINDS: tuple[ReviewKind, ...] = get_args(ReviewKind)

UNBLIND = "review.unblind"
"""What is recorded of who looks at a lead in spite of its open audit."""

ReviewState = Literal["open", "answered", "superseded"]

_WEIGHT: dict[ReviewKind, int] = {
    "fast_track": 100_000,
    "write_failed": 3_000,
    "guardrail": 2_000,
    "contradiction": 2_000,
    "low_confidence": 1_000,
    "schema": 500,
    "audit_sample": 0,
}


def unblinded(connection: str, record_id: str) -> str:
    """Subject of that event: the lead under the id that it had then."""
    return f"lead {connection}:{record_id}"


def priority(kind: ReviewKind, *, score: int | None, confidence: float | None) -> int:
    """Larger is sooner: what a rep asked for first, then by kind, worth and doubt.

    The score stands for the lead's value (0-100 points), doubt adds up to 50.
    """
    doubt = round((1 - confidence) * 50) if confidence is not None else 0
    return _WEIGHT[kind] + (score or 0) * 5 + doubt


class Verdict(NamedTuple):
    """The tier that a person gave a decision."""

    decision_id: int
    by: str
    tier: str


class Agreement(NamedTuple):
    """How far two people agree on what both of them labelled."""

    first: str
    second: str
    n: int
    agreed: int
    kappa: float | None
    """Cohen's; None where chance alone explains everything."""


def agreement(verdicts: Iterable[Verdict]) -> list[Agreement]:
    """One entry for every two people who labelled the same decision; of each of them the first word counts."""
    said: dict[int, dict[str, str]] = {}
    for verdict in verdicts:
        said.setdefault(verdict.decision_id, {}).setdefault(verdict.by, verdict.tier)
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for tiers in said.values():
        for one, other in itertools.combinations(sorted(tiers), 2):
            pairs.setdefault((one, other), []).append((tiers[one], tiers[other]))
    return [
        Agreement(
            one, other, n=len(found), agreed=sum(a == b for a, b in found),
            kappa=measures.kappa([a for a, _ in found], [b for _, b in found]),
        )
        for (one, other), found in sorted(pairs.items())
    ]  # fmt: skip


def counting(said: Iterable[tuple[int, T]]) -> dict[int, T]:
    """What counts of each decision, from what was said of decisions in that order: people are equals, the last word
    stands."""
    return dict(said)


class Stakes(NamedTuple):
    """What makes an item urgent."""

    kind: ReviewKind
    age: float
    """Seconds."""
    sla: float
    """Seconds within which it is to be answered, above 0."""
    rank: float | None = None
    """Of its tier: 1 for the best, 0 for the lowest; None where it has none, or where nobody is to know."""
    volume: float | None = None
    """What the lead says of its monthly volume."""
    distance: float | None = None
    """Points between its score and the nearest cut-off."""


def urgency(stakes: Stakes) -> tuple[int, float]:
    """Larger is sooner: what a rep asked for, then by worth, by nearness of a cut-off and by age against the SLA.

    What is three times overdue comes before anything fresh, so that nothing waits for ever.
    """
    worth = 50 * (stakes.rank or 0) + min(25.0, 5 * math.log10(1 + max(0.0, stakes.volume or 0)))
    near = 30 * max(0.0, 1 - stakes.distance / 15) if stakes.distance is not None else 0.0
    age = 100 * min(3.0, max(0.0, stakes.age) / stakes.sla)
    return int(stakes.kind == "fast_track"), _BASE[stakes.kind] + worth + near + age


_BASE: dict[ReviewKind, int] = {
    "fast_track": 60, "write_failed": 60, "guardrail": 40, "contradiction": 40, "low_confidence": 30, "schema": 10,
    "audit_sample": 0,
}  # fmt: skip
