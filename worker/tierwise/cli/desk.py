"""Working through the review queue: take, show, snooze, hand over, answer alike items in one go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import output, session
from tierwise.domain.advice import Advice, advise
from tierwise.domain.decision import Decision
from tierwise.domain.review import KINDS
from tierwise.domain.rubric import Rubric
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import queue
from tierwise.pipeline import review as reviewing
from tierwise.policies import owners
from tierwise.ports import ReviewItem
from tierwise.wiring import Wiring

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

ItemId = Annotated[int, typer.Argument(metavar="ID", help="Number of the item, as `review list` shows it.")]
Kind = Annotated[str | None, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `tierwise review`."""
    for command in (take, show, snooze, hand_over):
        app.command()(command)


def house(parts: Wiring) -> queue.House:
    """What settings, policy and its owners say of the queue."""
    return queue.House(
        rubric=parts.runnable().policy.rubric,
        sla=parts.review_sla(),
        owners=owners.exceptions(parts.policy_directory()),
        reserve=timedelta(seconds=parts.settings.review.reserve_seconds),
        hand_over=timedelta(seconds=parts.settings.review.hand_over_seconds),
    )


def check_kind(kind: str | None) -> None:
    """Misconfigured for a kind that there is not."""
    if kind is not None and kind not in KINDS:
        raise Misconfigured(f"'{kind}' is not a kind of review", place="--kind", remedy=f"one of {', '.join(KINDS)}")


def take(kind: Kind = None, json: output.Json = False) -> None:
    """Take the most urgent item: for ten minutes nobody else can. Exit code 1 where nothing waits."""
    check_kind(kind)
    with session.opened() as parts:
        found = queue.take(parts.store, house(parts), by=session.actor(parts), clock=wiring.clock, kind=kind)
        if found is None:
            raise RejectRecord("nothing waits for you", remedy="tierwise review list")
        tell(parts, found, json=json)


Unblind = Annotated[
    bool,
    typer.Option("--unblind", help="Show our verdict though the audit is open; recorded, and you answer none of it."),
]


def show(item_id: ItemId, unblind: Unblind = False, json: output.Json = False) -> None:
    """One item with the lead it is about, as it was when that was decided."""
    with session.opened() as parts:
        item = parts.store.reviews.get(item_id)
        if item is None:
            raise RejectRecord(f"there is no review item {item_id}", remedy="tierwise review list")
        found = queue.seen(item, house(parts), now=wiring.clock())
        if unblind and item.blind:
            look(parts, item.connection, item.record_id)
            found = found._replace(item=item)
        tell(parts, found, json=json, unblind=unblind)


def snooze(item_id: ItemId, until: Annotated[str, typer.Option(help="30m, 4h, 2d or a time (UTC).")]) -> None:
    """Put an item out of sight for a while."""
    moment = later(until, now=wiring.clock())
    with session.opened() as parts:
        queue.snooze(parts.store, item_id, until=moment, by=session.actor(parts), clock=wiring.clock)
    output.say(f"item {item_id} is back at {moment:%Y-%m-%d %H:%M} UTC")


def hand_over(item_id: ItemId, to: Annotated[str, typer.Option(help="Who is to answer it.")]) -> None:
    """Reserve an item for somebody else."""
    with session.opened() as parts:
        queue.hand_over(parts.store, house(parts), item_id, to=to, by=session.actor(parts), clock=wiring.clock)
    output.say(f"item {item_id} is {to}'s")


def corrections(
    parts: Wiring, item: ReviewItem, texts: Sequence[str], *, rubric: Rubric
) -> dict[str, reviewing.Correction]:
    """What `--criterion ID=LEVEL:WORDS` says; Misconfigured where the lead does not say these words."""
    from tierwise.llm import lessons  # jinja2, for who corrects only

    found: dict[str, reviewing.Correction] = {}
    story = parts.store.leads.story(item.connection, item.record_id) if texts else []
    for text in texts:
        name, equals, rest = text.partition("=")
        level, _, words = rest.partition(":")
        if not equals or not level:
            raise Misconfigured(f"'{text}' is no correction", place="--criterion", remedy="ID=LEVEL or ID=LEVEL:WORDS")
        field = said = None
        criterion = rubric.find(name)
        if words and criterion is not None:
            proof = lessons.proof(criterion, words, story[0].lead) if story and story[0].lead is not None else None
            if proof is None:
                places = ", ".join(criterion.fields) or "no field: rules decide it"
                raise Misconfigured(f"the lead does not say '{words}'", place="--criterion", remedy=f"from {places}")
            field, said = proof
        elif criterion is not None and criterion.decide == "model" and lessons.proves(criterion, level):
            output.say(f"{name}={level}:WORDS of the lead that prove it would make it an example to learn from")
        found[name] = reviewing.Correction(level, field, said)
    return found


def later(text: str, *, now: datetime) -> datetime:
    """30m, 4h, 2d from now, or a moment; UTC where no zone is told. Misconfigured for all else."""
    span = re.fullmatch(r"(\d{1,4})([mhd])", text)
    if span is not None:
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(
            f"'{text}' is no time", place="--until", remedy="30m, 4h, 2d or 2026-01-31T08:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def desired(parts: Wiring, item: ReviewItem) -> Advice:
    """What the CRM is to show today: the advice of the decision that applies, or what is there."""
    story = parts.store.leads.story(item.connection, item.record_id)
    if not story:
        return {}
    decisions = story[0].decisions
    if not decisions:
        return story[0].own
    made = applying([link.decision for link in decisions], story[0].fingerprint)
    policy = parts.store.policies.get(made.policy)
    return advise(made, policy) if policy is not None else story[0].own


def applying(decisions: Sequence[Decision], fingerprint: str) -> Decision:
    """The newest decision on the lead as it is now: one that went back to an earlier input has a newer one too."""
    return next((made for made in reversed(decisions) if made.fingerprint == fingerprint), decisions[-1])


def shape(found: queue.Waiting) -> dict[str, Any]:
    """As JSON tells it."""
    item = found.item
    more = {"blind": item.blind, "due_at": found.due_at, "overdue": found.overdue, "owner": found.owner}
    return {**item._asdict(), **more, "urgency": found.urgency}


def look(parts: Wiring, connection: str, record_id: str) -> None:
    """Record that whoever sits here asked to see our verdict in spite of an open audit."""
    by = session.actor(parts)
    reviewing.unblind(parts.store, connection, record_id, by=by, reason="--unblind", now=wiring.clock())


def tell(parts: Wiring, found: queue.Waiting, *, json: bool = False, unblind: bool = False) -> None:
    """One item with its lead, as a table or as JSON."""
    item = found.item
    about = reviewing.about(parts.store, item)
    seen = item.decision_id is not None and (unblind or not item.blind)
    made = parts.store.decisions.get(item.decision_id) if seen and item.decision_id is not None else None
    reasons = [reason.sentence for reason in made.reasons] if made is not None else []
    criteria = _criteria(parts.runnable().policy.rubric, [made] if made is not None else [])
    if json:
        more = {"lead": about.lead, "as_of": about.as_of, "erased": about.gone}
        output.print_json({**shape(found), **more, "reasons": reasons, "criteria": criteria})
        return
    shown = shape(found)
    rows = [(name.replace("_", " "), shown[name]) for name in _SHOWN if shown[name] not in (None, "", {}, False)]
    output.table(f"Review item {item.id}", ["what", "value"], rows)
    title = "Lead" if about.as_of is None else f"Lead as it was when it was decided, {about.as_of:%Y-%m-%d %H:%M} UTC"
    output.table(title, ["field", "value"], list(about.lead.items()))
    if about.gone:
        output.say("it was erased since: nothing of it is left to judge")
    if reasons:
        output.table("Why", ["reason"], [[reason] for reason in reasons])
    output.table(
        "Criteria (`review answer --criterion ID=LEVEL` corrects one)",
        ["id", "level", "quote", "levels"],
        [[one["id"], one["level"], one["quote"], ", ".join(one["levels"])] for one in criteria],
    )


_SHOWN = (
    "connection", "record_id", "kind", "reason", "score", "tier", "confidence", "volume", "blind", "owner", "due_at",
    "overdue", "urgency", "reserved_by", "reserved_until", "snoozed_until", "state", "answered_by", "answer",
)  # fmt: skip
"""What of an item a person needs; JSON has the rest."""


def _criteria(rubric: Rubric, about: Sequence[Decision]) -> list[dict[str, Any]]:
    """Every criterion with its levels, and what the decision says of it where somebody may know."""
    cards = [made.scorecard for made in about if made.scorecard is not None]
    said = {one.criterion: one for card in cards for one in card.contributions}
    return [
        {
            "id": one.id, "decide": one.decide, "levels": [level.id for level in one.levels],
            "level": said[one.id].level if one.id in said else None,
            "quote": said[one.id].verdict.quote if one.id in said else None,
        }
        for one in rubric.criteria
    ]  # fmt: skip
