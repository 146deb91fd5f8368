"""A person's answer to a review item: kept with the item, and shown in the CRM from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierwise import ports
from tierwise.domain.advice import WRITTEN, Advice, AdviceValue
from tierwise.domain.rubric import Rubric
from tierwise.domain.rules import Outcome
from tierwise.errors import Misconfigured, RejectRecord

_OUTCOMES: tuple[Outcome, ...] = ("accept", "nurture", "reject")


def answer(
    store: ports.Store,
    item: ports.ReviewItem,
    *,
    rubric: Rubric,
    desired: Advice,
    by: str,
    agree: bool,
    tier: str | None,
    outcome: Outcome | None,
    reason: str | None,
    note: str | None,
    clock: ports.Clock,
) -> Mapping[str, Any]:
    """Store the verdict and put it in the outbox. `desired` is the record's advice as it stands.

    Raises Misconfigured for a verdict that the rubric does not know, RejectRecord where the item is closed.
    """
    if tier is not None and tier not in rubric.tiers:
        raise Misconfigured(f"'{tier}' is not a tier of the active policy", remedy=f"one of {', '.join(rubric.tiers)}")
    if not agree and tier is None and outcome is None:
        raise Misconfigured("an answer needs --agree, --tier or --outcome")
    if agree and tier not in (None, item.tier):
        raise Misconfigured(
            f"either tier {item.tier or 'none'} is right or it is {tier}", remedy="leave out --agree or --tier"
        )
    if outcome is not None and outcome not in _OUTCOMES:
        raise Misconfigured(f"'{outcome}' is not an outcome", remedy=f"one of {', '.join(_OUTCOMES)}")
    verdict: dict[str, Any] = {
        "agree": agree,
        "tier": tier or item.tier,
        "outcome": outcome or _outcome(tier or item.tier, rubric),
        "reason": reason,
        "note": note,
    }
    # What reps write themselves is in there too where `desired` is what the CRM shows; it stays theirs.
    shown: dict[str, AdviceValue] = {name: value for name, value in desired.items() if name in WRITTEN}
    shown["tierwise_tier"] = verdict["tier"]
    shown["tierwise_outcome"] = verdict["outcome"]
    shown["tierwise_status"] = "rejected" if verdict["outcome"] == "reject" else "scored"
    stored = store.reviews.answer(item.id, by=by, answer=verdict, advice=shown, now=clock())
    if not stored:
        raise RejectRecord(f"review item {item.id} is not open any more", remedy="tierwise review list")
    return verdict


def _outcome(tier: str | None, rubric: Rubric) -> Outcome:
    """What agreeing with a tier means where nothing else was said: the lowest is not worth a rep's time."""
    tiers = list(rubric.tiers)
    if tier is None or tier == tiers[-1]:
        return "reject"
    return "accept" if tier in tiers[: max(1, len(tiers) // 2)] else "nurture"
