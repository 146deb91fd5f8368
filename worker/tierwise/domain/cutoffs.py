"""Thresholds out of labels, with a stated risk of being wrong; or none, where the labels prove none.

Exact binomial tests. Cut-offs are registered before the labels are looked at: trying many and keeping the best
would pass what is not so more often than the risk says. Labels must be a plain random sample of the leads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tierwise.domain import exact
from tierwise.domain.rubric import Frozen

REVIEW = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Confidence below which a person is asked: the cut-offs that are tried, seven at most."""
ESCALATE = (0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Confidence below which the second model is asked, from strict to lenient."""
RISK = 0.05


class Chosen(Frozen):
    """A threshold, or why there is none."""

    value: float | None
    """None: cannot be met with these labels."""
    target: str
    risk: float
    n: int
    share: float | None = None
    """Of the leads in the labels that fall below it."""
    why: str = ""


class Kept(NamedTuple):
    """One labelled lead after the first model alone."""

    confidence: float
    right: bool


class Final(NamedTuple):
    """One labelled lead after the whole chain."""

    confidence: float
    predicted: bool
    """Its tier is a positive one, and nothing else sends it to a person."""
    positive: bool
    reviewed: bool = False
    """A person is asked whatever the confidence."""


def escalate(found: Sequence[Kept], *, target: float, risk: float = RISK) -> Chosen:
    """The lowest cut-off above which the first model's tiers are right as often as `target`.

    Fixed-sequence: from the strictest on, each is tested at the whole risk, and the first that fails ends it.
    """
    best: float | None = None
    enough = math.log(risk) / math.log(target)
    for cut in ESCALATE:
        kept = [item for item in found if item.confidence >= cut]
        if len(kept) < enough:
            continue  # however right they were, so few prove nothing; their labels were not looked at
        if exact.tail(sum(item.right for item in kept), len(kept), p=target) > risk:
            break
        best = cut
    said = f"tiers that need no second model are right at least {target:.0%} of the time"
    if best is None:
        why = "no cut-off keeps a group of leads that these labels prove to be right so often"
        return Chosen(value=None, target=said, risk=risk, n=len(found), why=why)
    share = sum(item.confidence < best for item in found) / len(found)
    return Chosen(value=best, target=said, risk=risk, n=len(found), share=share)


def for_share(confidences: Sequence[tuple[float, float]], *, share: float) -> Chosen:
    """The cut-off below which so many of the leads fall: a choice about money, which needs no label.

    `confidences`: of some leads, each with the number of leads that it stands for."""
    ordered = sorted(confidences)
    said = f"at most {share:.0%} of the leads are shown to the second model"
    if not ordered:
        return Chosen(value=None, target=said, risk=0, n=0, why="no model answered any of these leads")
    total = math.fsum(weight for _, weight in ordered)
    before, at = 0.0, ordered[-1][0]
    for confidence, weight in ordered:
        if before + weight > share * total:
            at = confidence
            break
        before += weight
    value = round(at - 5e-7, 6)
    told = math.fsum(weight for confidence, weight in ordered if confidence < value) / total
    return Chosen(value=max(0.0, value), target=said, risk=0, n=len(ordered), share=told)


def review(found: Sequence[Final], *, precision: float, recall: float, risk: float = RISK) -> Chosen:
    """The lowest cut-off at which precision and recall are both met.

    Every cut-off is tested for both (the larger p counts), and the risk is shared by Holm's method.
    """
    said = f"precision at least {precision:.0%} and recall at least {recall:.0%}"
    positives = sum(item.positive for item in found)
    tests = []
    for cut in REVIEW:
        passed = [item for item in found if item.predicted and not item.reviewed and item.confidence >= cut]
        hits = sum(item.positive for item in passed)
        p = max(exact.tail(hits, len(passed), p=precision), exact.tail(hits, positives, p=recall)) if passed else 1.0
        tests.append((p, cut))
    met = []
    for place, (p, cut) in enumerate(sorted(tests)):
        if p > risk / (len(tests) - place):
            break
        met.append(cut)
    if not met:
        p, cut = min(tests)
        why = f"the best cut-off, {cut:g}, could be as good by chance with probability {p:.2f}"
        return Chosen(value=None, target=said, risk=risk, n=len(found), why=why)
    value = min(met)
    share = sum(item.reviewed or item.confidence < value for item in found) / len(found)
    return Chosen(value=value, target=said, risk=risk, n=len(found), share=share)
