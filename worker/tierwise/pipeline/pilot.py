"""A pilot in figures: how quick we and sales were, what became of the leads, what people corrected, what it cost.

Reads nothing itself. What is not known is None with a sentence that says why, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tierwise.domain import measures, waiting
from tierwise.domain.measures import Share
from tierwise.domain.review import KINDS, ReviewKind
from tierwise.pipeline import cohort
from tierwise.pipeline.cohort import Asked, Seen
from tierwise.ports.automation import Automated
from tierwise.ports.pilot import PilotItem, PilotLead, Watched

MEDIAN, P95 = 300.0, 3600.0
"""Targets from submission to outcome, seconds."""
NONE = "none"
POINTS = 200
"""Of a curve, at most."""
Table = dict[str, Any]


class Found(NamedTuple):
    """What is stored of the two periods."""

    leads: Iterable[PilotLead]
    before: Iterable[PilotLead]
    """Of the equal period before."""
    items: Sequence[PilotItem]
    watched: Sequence[Watched]
    automated: Sequence[Automated]
    spent_usd: float | None
    """All that models cost in the period's days, whatever it came to; None where a price is unknown."""


class House(NamedTuple):
    """What the installation agreed on."""

    tiers: tuple[str, ...]
    """Best first."""
    sla: Mapping[ReviewKind, timedelta]
    """Within which review items of a kind are to be answered."""


def report(found: Found, *, asked: Asked, house: House) -> Table:
    """Everything, as JSON keeps it; durations are seconds, shares 0-1 with their 95 % interval."""
    leads = list(found.leads)
    mine = cohort.seen(leads, found.watched, asked=asked)
    before = cohort.seen(found.before, found.watched, asked=asked)
    return {
        "pod": asked.pod,
        "connection": asked.connection,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "days": round(asked.days, 3),
        "at": asked.now.isoformat(),
        "leads": _leads(mine, everybody=leads, asked=asked, house=house),
        "sla": sla(mine, now=asked.now),
        "touch": touch(mine, house=house),
        "accepted": accepted(mine, before, asked=asked),
        "conversion": conversion(mine, house=house),
        "overrides": overrides(mine, found.automated),
        "exceptions": exceptions(found.items, watched=found.watched, asked=asked, house=house),
        "cost": cost(mine, spent=found.spent_usd if asked.pod is None else None, told=asked.pod is None),
    }


def _leads(mine: Sequence[Seen], *, everybody: Sequence[PilotLead], asked: Asked, house: House) -> Table:
    tiers = Counter(_tier(one) for one in mine)
    return {
        "n": len(mine),
        "undecided": sum(one.standing is None for one in mine),
        "in_no_pod": sum(not lead.decisions for lead in everybody) if asked.pod is not None else 0,
        "without_submit_time": sum(one.lead.submitted_at is None for one in mine),
        "by_tier": {tier: tiers[tier] for tier in (*house.tiers, NONE) if tiers[tier]},
        "by_outcome": dict(Counter(one.standing.outcome for one in mine if one.standing is not None)),
    }


# -- how quick ----------------------------------------------------------------------------------------------------


def sla(mine: Sequence[Seen], *, now: datetime) -> Table:
    """From the CRM's own submit time to the decision, and to the advice in the CRM; what still waits counts."""
    left_out: Counter[str] = Counter()
    decided, shown = [], []
    for one in mine:
        why = _unmeasured(one)
        if why:
            left_out[why] += 1
            continue
        first = one.lead.decisions[0].at if one.lead.decisions else None
        decided.append(_wait(one.began, first, now))
        shown.append(_wait(one.began, one.lead.shown_at, now))
    made = waiting.curve(shown)
    return {
        "measured": len(shown),
        "waiting": len(shown) - made.ended,
        "left_out": dict(left_out),
        "to_decision": _spread(waiting.curve(decided)),
        "to_crm": {**_spread(made), "within_5_min": made.within(MEDIAN), "within_1_h": made.within(P95)},
        "targets": {"median": MEDIAN, "p95": P95},
        "met": {"median": _met(made, 0.5, MEDIAN), "p95": _met(made, 0.95, P95)},
        "curve": _points(made),
        "unknown": "" if shown else "no lead of the period was submitted after its connection was set up",
    }


def _unmeasured(one: Seen) -> str:
    """Why it says nothing of how quick we are; empty where it does."""
    lead = one.lead
    if lead.submitted_at is None:
        return "without_submit_time"
    if lead.adopted and not lead.decisions:
        return "had_advice"
    if one.watched is not None and lead.submitted_at < one.watched.known_from:
        return "older_than_connection"
    if lead.decisions and lead.decisions[0].at < lead.submitted_at:
        return "submitted_again"
    return ""


def _met(made: waiting.Curve, share: float, target: float) -> bool | None:
    found = made.quantile(share)
    if found is not None:
        return found <= target
    # Not reached, though it was watched for longer: it is missed, whatever comes.
    return False if made.n and made.last > target else None


def touch(mine: Sequence[Seen], *, house: House) -> Table:
    """From the CRM's own submit time until sales first called, wrote or met."""
    known = [one for one in mine if one.touches_known]
    waits = [(one, one.wait(cohort.touched(one), followed=False)) for one in known]
    made = waiting.curve(wait for _, wait in waits)
    tiers = [
        {"name": tier, **_spread(waiting.curve(wait for one, wait in waits if _tier(one) == tier))}
        for tier in (*house.tiers, NONE)
        if any(_tier(one) == tier for one, _ in waits)
    ]
    return {
        **_spread(made),
        "by_tier": tiers,
        "not_watched": len(mine) - len(known),
        "curve": _points(made),
        "unknown": "" if known else _untold(mine, {"touch"}, "calls, e-mails and meetings"),
    }


# -- what became of them ------------------------------------------------------------------------------------------


def accepted(mine: Sequence[Seen], before: Sequence[Seen], *, asked: Asked) -> Table:
    """The share that sales took, against the equal period before, each lead at the same age."""
    now, then = _share(mine, "accepted"), _share(before, "accepted")
    found = measures.difference(now, then)
    why = ""
    if not now.n:
        why = _untold(mine, cohort.BUSINESS, "stages, statuses and deals") or "no lead is old enough"
    elif not then.n:
        why = "of the period before: " + (_untold(before, cohort.BUSINESS, "stages, statuses and deals") or "no lead")
    return {
        "within_days": asked.within / timedelta(days=1),
        "words": {name: list(words) for name, words in asked.accepted.items()},
        "period": {**share(now), **_gaps(mine)},
        "before": {**share(then), **_gaps(before), "since": asked.before[0].isoformat()},
        "difference": found[0] if found else None,
        "interval": list(found[1]) if found else None,
        "unknown": why,
    }


def conversion(mine: Sequence[Seen], *, house: House) -> Table:
    """What sales took, made business of and won, by tier and by reason code, of leads that were followed to the end."""
    codes = sorted({code for one in mine if one.standing for code in one.standing.codes})
    by_reason = [
        _became(code, [one for one in mine if one.standing is not None and code in one.standing.codes])
        for code in codes
    ]
    tiers = [tier for tier in (*house.tiers, NONE) if any(_tier(one) == tier for one in mine)]
    followed = [one for one in mine if one.followed]
    return {
        "by_tier": [_became(tier, [one for one in mine if _tier(one) == tier]) for tier in tiers],
        "by_reason": sorted(by_reason, key=lambda row: (-row["leads"], row["name"])),
        "all": _became("all", mine),
        "to_accepted": _spread(waiting.curve(one.wait(one.became.accepted) for one in followed)),
        "to_won": _spread(waiting.curve(one.wait(one.became.won) for one in followed)),
        "unknown": "" if any(one.complete for one in mine) else _untold(mine, cohort.BUSINESS, "what sales made of it"),
    }


def _became(name: str, some: Sequence[Seen]) -> Table:
    amounts: dict[str, float] = {}
    unknown = 0
    for one in some:
        for currency, amount in one.became.amounts if one.complete else ():
            if amount is None:
                unknown += 1
            else:
                amounts[currency] = amounts.get(currency, 0.0) + amount
    return {
        "name": name,
        "leads": len(some),
        "followed": sum(one.complete for one in some),
        **{kind: share(_share(some, kind)) for kind in ("accepted", "converted", "won")},
        "amounts": amounts,
        "deals_without_amount": unknown,
    }


def _share(some: Sequence[Seen], kind: str) -> Share:
    complete = [one for one in some if one.complete]
    return Share(sum(getattr(one.became, kind) is not None for one in complete), len(complete))


def _gaps(some: Sequence[Seen]) -> dict[str, int]:
    """Why leads are not in it."""
    young = sum(one.followed and not one.complete for one in some)
    return {"leads": len(some), "too_young": young, "not_watched": sum(not one.followed for one in some)}


def _untold(some: Sequence[Seen], subjects: Iterable[str], what: str) -> str:
    """Why nothing is known, in words that help; empty where something is."""
    if not some:
        return "there are no leads"
    told = [one.watched for one in some if one.watched is not None]
    if not any(one.subjects.intersection(subjects) for one in told):
        return f"the CRM told no {what} yet"
    began = [one.outcomes_from for one in told if one.outcomes_from is not None]
    if began and all(one.began < min(began) for one in some):
        return f"the CRM's {what} are read since {min(began):%Y-%m-%d} only (tierwise backfill NAME --outcomes)"
    return "" if any(one.complete for one in some) else "no lead is old enough, or was watched from its beginning on"


# -- what people corrected ----------------------------------------------------------------------------------------


def overrides(mine: Sequence[Seen], automated: Sequence[Automated]) -> Table:
    """Tiers that people gave and that differ from ours, and fields in which a person's value stands."""
    drawn, picked, feedback = [0, 0], [0, 0], Counter[str]()
    for one in mine:
        made = {decision.id: decision for decision in one.lead.decisions}
        for (source, key), value in _verdicts(one.lead).items():
            if key not in made:
                continue
            if source == "rep_feedback":
                feedback[value] += 1
            else:
                # What was drawn tells of all decisions; what asked for a person tells of the doubtful ones only.
                counted = drawn if made[key].drawn else picked
                counted[0] += value != made[key].tier
                counted[1] += 1
    shown = [one for one in mine if one.lead.shown_at is not None]
    ours = {(one.lead.connection, one.lead.record_id) for one in mine}
    written = [row for row in automated if (row.connection, row.record_id) in ours and row.state in ("written", "kept")]
    return {
        "drawn": share(Share(*drawn)),
        "asked": share(Share(*picked)),
        "feedback": dict(feedback),
        "our_field": share(Share(sum(one.lead.tier_kept for one in shown), len(shown))),
        "automated": share(Share(sum(row.state == "kept" for row in written), len(written))),
    }


def _verdicts(lead: PilotLead) -> dict[tuple[str, int], str]:
    """By source and decision; the last word counts."""
    return {
        (label.source, label.decision_id): label.value
        for label in lead.labels
        if label.subject == "tier" and label.source in ("review", "rep_feedback") and label.decision_id is not None
    }


def exceptions(items: Sequence[PilotItem], *, watched: Sequence[Watched], asked: Asked, house: House) -> Table:
    """Leads that went to people: how many a day and how long they took. The audit sample is no exception.

    Days count from when the first connection was set up: before that there could be none. Less than one tells nothing.
    """
    end = min(asked.until, asked.now)
    begin = max(asked.since, min((one.known_from for one in watched), default=end))
    length = max(0.0, (end - begin) / timedelta(days=1))
    mine = [item for item in items if asked.pod is None or item.route == asked.pod]
    real = [item for item in mine if item.kind != "audit_sample"]
    days = Counter(item.created_at.astimezone(UTC).date() for item in real)
    first, last = begin.astimezone(UTC).date(), (end - timedelta(microseconds=1)).astimezone(UTC).date()
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {
        "opened": len(real),
        "days": round(length, 3),
        "per_day": len(real) / length if length >= 1 else None,
        "by_day": [{"day": day.isoformat(), "n": days[day]} for day in every],
        "by_kind": [
            _resolved(
                [item for item in mine if item.kind == kind], kind, now=asked.now, days=length, sla=house.sla[kind]
            )
            for kind in KINDS
            if any(item.kind == kind for item in mine)
        ],
        "in_no_pod": sum(item.route is None for item in items) if asked.pod is not None else 0,
    }


def _resolved(some: Sequence[PilotItem], kind: ReviewKind, *, now: datetime, days: float, sla: timedelta) -> Table:
    # What was overtaken by a newer decision was nobody's to answer any more, and nobody knows since when.
    real = [item for item in some if item.state != "superseded"]
    made = waiting.curve(_wait(item.created_at, item.answered_at, now) for item in real)
    return {
        "kind": kind,
        "opened": len(some),
        "per_day": len(some) / days if days >= 1 else None,
        "answered": made.ended,
        "open": len(real) - made.ended,
        "superseded": len(some) - len(real),
        "sla_seconds": sla.total_seconds(),
        "within_sla": made.within(sla.total_seconds()),
        **{key: value for key, value in _spread(made).items() if key in ("median", "p95", "interval")},
    }


# -- what it cost -------------------------------------------------------------------------------------------------


def cost(mine: Sequence[Seen], *, spent: float | None, told: bool) -> Table:
    """What models cost for the decisions on these leads; without people's time."""
    decided = [one for one in mine if one.lead.decisions]
    unknown = sum(any(made.cost_usd is None for made in one.lead.decisions) for one in decided)
    usd = (
        None if unknown or not decided else sum(made.cost_usd or 0.0 for one in decided for made in one.lead.decisions)
    )
    why = f"the price of a model is unknown for {unknown} of {len(decided)} leads" if unknown else ""
    return {
        "leads": len(decided),
        "usd": usd,
        "per_lead_usd": usd / len(decided) if usd is not None else None,
        "spent_usd": spent,
        "unknown": why or ("" if decided else "no lead was decided"),
        "spent_unknown": "" if spent is not None else "a price is unknown" if told else "bills name no pod",
    }


# -- small parts --------------------------------------------------------------------------------------------------


def share(found: Share) -> Table:
    """hits, n, value and interval; the latter two None where n is 0."""
    return {
        "hits": found.hits, "n": found.n, "value": found.value,
        "interval": list(found.interval) if found.interval is not None else None,
    }  # fmt: skip


def _tier(one: Seen) -> str:
    return (one.standing.tier if one.standing is not None else None) or NONE


def _wait(began: datetime, ended: datetime | None, now: datetime) -> waiting.Wait:
    return waiting.Wait(max(0.0, ((ended or now) - began).total_seconds()), ended is not None)


def _spread(made: waiting.Curve) -> Table:
    quantile: Callable[[float], float | None] = made.quantile
    interval = made.quantile_interval(0.5)
    return {
        "n": made.n, "ended": made.ended, "median": quantile(0.5), "interval": list(interval) if interval else None,
        "p25": quantile(0.25), "p75": quantile(0.75), "p90": quantile(0.9), "p95": quantile(0.95),
    }  # fmt: skip


def _points(made: waiting.Curve) -> list[list[float]]:
    """Of a long curve every so many steps, the last one always."""
    every = -(-len(made.steps) // POINTS) or 1
    kept = [step for place, step in enumerate(made.steps) if place % every == 0 or place == len(made.steps) - 1]
    return [[round(step.seconds, 1), round(step.share, 4)] for step in kept]
