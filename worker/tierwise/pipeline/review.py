"""A person's answer to a review item: a label, kept with the item, and shown in the CRM from then on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.domain import review
from tierwise.domain.advice import WRITTEN, Advice, AdviceValue
from tierwise.domain.rubric import UNKNOWN, Rubric
from tierwise.domain.rules import Outcome
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import record

UNDO = timedelta(seconds=10)
"""As long nothing of an answer is written, and who gave it can take it back."""
_ALL = 10_000_000
SUBJECT = "criterion:"
"""Subject of a label on one criterion, before the criterion's id."""
_OUTCOMES: tuple[Outcome, ...] = ("accept", "nurture", "reject")


class Correction(NamedTuple):
    """What a person says of one criterion."""

    level: str
    """Level id, or `unknown`."""
    field: str | None = None
    words: str | None = None
    """The lead's own, that prove it."""


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
    wait: timedelta = UNDO,
    criteria: Mapping[str, Correction] = MappingProxyType({}),
) -> Mapping[str, Any]:
    """Store the verdict with its labels and put it in the outbox, to be sent when `wait` is over.

    `criteria`: what is right of single criteria, beside the tier. `desired` is the record's advice as it stands.
    Raises Misconfigured for a verdict that the rubric does not know or that says too little, RejectRecord where the
    item is closed or not for this person.
    """
    _check(criteria, rubric)
    given = verdict(item, rubric=rubric, agree=agree, tier=tier, outcome=outcome)
    given |= {"reason": reason, "note": note}
    if criteria:
        given["criteria"] = {name: one._asdict() for name, one in criteria.items()}
    # What reps write themselves is in there too where `desired` is what the CRM shows; it stays theirs.
    shown: dict[str, AdviceValue] = {name: value for name, value in desired.items() if name in WRITTEN}
    shown["tierwise_tier"] = given["tier"]
    shown["tierwise_outcome"] = given["outcome"]
    shown["tierwise_status"] = "rejected" if given["outcome"] == "reject" else "scored"
    now = clock()
    stored = store.reviews.answer(
        item.id,
        by=by,
        answer=given,
        advice=shown,
        now=now,
        labels=said(item, agree=agree, tier=tier, outcome=outcome, criteria=criteria),
        about=item.decision_id,
        wait=wait,
    )
    if not stored:
        raise closed(store.reviews.get(item.id), item.id, by=by, now=now)
    return given


def verdict(
    item: ports.ReviewItem, *, rubric: Rubric, agree: bool, tier: str | None, outcome: Outcome | None
) -> dict[str, Any]:
    """What an answer comes to: agree, tier and outcome. Raises Misconfigured where it cannot be said of the item."""
    if tier is not None and tier not in rubric.tiers:
        raise Misconfigured(f"'{tier}' is not a tier of the active policy", remedy=f"one of {', '.join(rubric.tiers)}")
    if not agree and tier is None and outcome is None:
        raise Misconfigured("an answer needs --agree, --tier or --outcome")
    if agree and tier not in (None, item.tier):
        raise Misconfigured(
            f"either tier {item.tier or 'none'} is right or it is {tier}", remedy="leave out --agree or --tier"
        )
    if item.blind and tier is None:
        # Who has not seen a tier cannot agree with it, and an audit without a tier measures nothing.
        raise Misconfigured(
            f"review item {item.id} is of the audit sample: say the tier that you would give it", remedy="--tier"
        )
    if outcome is not None and outcome not in _OUTCOMES:
        raise Misconfigured(f"'{outcome}' is not an outcome", remedy=f"one of {', '.join(_OUTCOMES)}")
    return {
        "agree": agree,
        "tier": tier or item.tier,
        "outcome": outcome or _outcome(tier or item.tier, rubric),
    }


def said(
    item: ports.ReviewItem,
    *,
    agree: bool,
    tier: str | None,
    outcome: str | None,
    criteria: Mapping[str, Correction] = MappingProxyType({}),
) -> list[ports.SaidLabel]:
    """What of a verdict is a label: only what the person said, nothing that follows from it."""
    labels = []
    right = tier or (item.tier if agree else None)
    if right is not None:
        labels.append(ports.SaidLabel("tier", right))
    if outcome is not None:
        labels.append(ports.SaidLabel("outcome", outcome))
    return [*labels, *(ports.SaidLabel(f"{SUBJECT}{name}", given.level) for name, given in criteria.items())]


def _check(criteria: Mapping[str, Correction], rubric: Rubric) -> None:
    for name, given in criteria.items():
        criterion = rubric.find(name)
        if criterion is None:
            known = ", ".join(one.id for one in rubric.criteria)
            raise Misconfigured(f"'{name}' is not a criterion", place="--criterion", remedy=f"one of {known}")
        if given.level != UNKNOWN and criterion.level(given.level) is None:
            known = ", ".join((*(level.id for level in criterion.levels), UNKNOWN))
            raise Misconfigured(
                f"'{given.level}' is not a level of {name}", place="--criterion", remedy=f"one of {known}"
            )


def masked(item: ports.ReviewItem) -> ports.ReviewItem:
    """The item as people may see it: of one that is drawn for the audit nothing that we think of the lead."""
    if not item.blind:
        return item
    return item._replace(score=None, tier=None, confidence=None, priority=0, reason=record.REASONS[item.kind])


class About(NamedTuple):
    """The lead that an item asks about."""

    lead: Mapping[str, Any]
    """Canonical field -> value."""
    as_of: datetime | None
    """Where the lead has changed since: when it was decided as it is shown; None: it is like that now."""
    gone: bool = False
    """It was erased: nothing of it is left."""


def about(store: ports.Store, item: ports.ReviewItem) -> About:
    """The lead as it is, or, where the item asks about an earlier decision, as it was when that was made."""
    story = next(iter(store.leads.story(item.connection, item.record_id)), None)
    made = store.decisions.get(item.decision_id) if item.decision_id is not None else None
    if made is not None and (story is None or made.fingerprint != story.fingerprint):
        return About(dict(made.fields), made.decided_at, gone=not made.fields)
    lead = story.lead if story is not None else None
    return About(lead.model_dump(mode="json", exclude_none=True) if lead is not None else {}, None)


def blind(story: ports.LeadStory) -> bool:
    """Whether somebody is still to say of this lead, without knowing what we think, what they think."""
    return any(item.blind for item in story.reviews)


def labels(store: ports.Store, *, source: str | None, limit: int) -> list[ports.Label]:
    """The newest, without what was said of leads that somebody is still to judge unaided: a second person, say."""
    hidden = awaited(store)
    return [
        item._replace(value="", previous=None, title="", amount=None, currency=None, won=None)
        if (item.connection, item.record_id) in hidden
        else item
        for item in store.labels.list(source=source, limit=limit)
    ]


def given(store: ports.Store, *, source: str | None, limit: int) -> tuple[list[ports.Label], int]:
    """Those that may leave, the oldest first, and how many may not yet: of leads that somebody is still to judge."""
    hidden = awaited(store)
    stored = store.labels.list(source=source, limit=limit)
    found = [item for item in reversed(stored) if (item.connection, item.record_id) not in hidden]
    return found, len(stored) - len(found)


def awaited(store: ports.Store) -> set[tuple[str, str]]:
    """Connection and record of the leads that somebody is still to judge unaided."""
    return {(item.connection, item.record_id) for item in store.reviews.list(limit=_ALL) if item.blind}


def unblind(store: ports.Store, connection: str, record_id: str, *, by: str, reason: str, now: datetime) -> None:
    """Record that `by` has asked to see it all the same: from then on they answer nothing of its audit."""
    store.admin_events.add(by, review.UNBLIND, review.unblinded(connection, record_id), reason=reason, now=now)


def undo(store: ports.Store, item_id: int, *, by: str, clock: ports.Clock) -> None:
    """Take back one's own answer before anything of it was written. Raises RejectRecord where that cannot be."""
    undone = store.reviews.undo(item_id, by=by, now=clock())
    if not undone.done:
        raise RejectRecord(f"review item {item_id} stays as it is: {undone.why_not}", remedy="tierwise review list")


def agreement(store: ports.Store) -> list[review.Agreement]:
    """How far every two people agree on the tier of what both of them labelled."""
    labels = store.labels.list(source="review", limit=_ALL)
    return review.agreement(
        review.Verdict(item.decision_id, item.by, item.value)
        for item in reversed(labels)
        if item.subject == "tier" and item.decision_id is not None and item.by is not None
    )


class Dispute(NamedTuple):
    """A decision that people gave different tiers."""

    connection: str
    record_id: str
    decision_id: int
    said: tuple[tuple[str, str], ...]
    """Who and which tier, in the order in which they said so; all of it is kept."""
    counts: str
    """The tier that counts: the last word."""


def disputes(store: ports.Store) -> list[Dispute]:
    """Decisions to which people gave different tiers, the newest first."""
    said: dict[int, list[ports.Label]] = {}
    for label in reversed(store.labels.list(source="review", limit=_ALL)):
        if label.subject == "tier" and label.decision_id is not None:
            said.setdefault(label.decision_id, []).append(label)
    counts = review.counting((key, label.value) for key, labels in said.items() for label in labels)
    return [
        Dispute(
            labels[0].connection, labels[0].record_id, key, tuple((label.by or "", label.value) for label in labels),
            counts[key],
        )
        for key, labels in sorted(said.items(), reverse=True)
        if len({label.value for label in labels}) > 1
    ]  # fmt: skip


def closed(item: ports.ReviewItem | None, item_id: int, *, by: str, now: datetime) -> RejectRecord:
    """Why `by` cannot have it."""
    if item is not None and item.state == "open" and item.not_for == by:
        return RejectRecord(
            f"review item {item_id} is a second opinion, and you gave the first", remedy="another person answers it"
        )
    if item is not None and item.state == "open" and item.reserved_until is not None and item.reserved_until > now:
        until = f"{item.reserved_until:%H:%M} UTC"
        return RejectRecord(
            f"{item.reserved_by} holds review item {item_id} until {until}", remedy="tierwise review take"
        )
    return RejectRecord(f"review item {item_id} is not open any more", remedy="tierwise review list")


def _outcome(tier: str | None, rubric: Rubric) -> Outcome:
    """What agreeing with a tier means where nothing else was said: the lowest is not worth a rep's time."""
    tiers = list(rubric.tiers)
    if tier is None or tier == tiers[-1]:
        return "reject"
    return "accept" if tier in tiers[: max(1, len(tiers) // 2)] else "nurture"
