"""The review queue, plain form."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, cast

import typer

from tierwise import wiring
from tierwise.cli import desk, output, session, shift
from tierwise.domain.review import KINDS
from tierwise.domain.rules import Outcome
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import queue
from tierwise.pipeline import review as reviewing

app = typer.Typer(
    no_args_is_help=True,
    help="Leads that wait for a person: list, work, take, show, answer, undo, snooze, hand-over, agreement.",
)
desk.register(app)
shift.register(app)


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Answered and superseded ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: output.Json = False,
) -> None:
    """The queue, most urgent first."""
    desk.check_kind(kind)
    with session.opened() as parts:
        house, now = desk.house(parts), wiring.clock()
        if everything:
            items = parts.store.reviews.list(state=None, kind=kind, limit=limit)
            found = [queue.seen(item, house, now=now) for item in items]
        else:
            found = queue.queue(parts.store, house, now=now, kind=kind)[:limit]
    if json:
        output.print_json([desk.shape(one) for one in found])
        return
    output.table(
        "Review queue",
        ["id", "lead", "kind", "score", "tier", "confidence", "waits", "due", "owner", "held by", "why"],
        [
            [
                item.id, f"{item.connection}:{item.record_id}", item.kind, item.score, item.tier,
                None if item.confidence is None else f"{item.confidence:.0%}", output.ago(item.created_at),
                "overdue" if one.overdue and item.state == "open" else f"{one.due_at:%m-%d %H:%M}", one.owner,
                item.reserved_by if item.reserved_until is not None and item.reserved_until > now else None,
                item.reason,
            ]
            for one in found
            for item in (one.item,)
        ],
    )  # fmt: skip


@app.command()
def answer(
    item_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the item, as `review list` shows it.")],
    agree: Annotated[bool, typer.Option("--agree", help="The tier is right.")] = False,
    tier: Annotated[str | None, typer.Option(help="The tier it should have.")] = None,
    outcome: Annotated[str | None, typer.Option(help="accept, nurture or reject.")] = None,
    reason: Annotated[str | None, typer.Option(help="Reason code.")] = None,
    note: Annotated[str | None, typer.Option(help="In your words.")] = None,
    criterion: Annotated[
        list[str] | None,
        typer.Option(help="ID=LEVEL, or ID=LEVEL:WORDS of the lead that prove it; as often as needed."),
    ] = None,
    json: output.Json = False,
) -> None:
    """Answer one item; the CRM shows the answer with the next write."""
    with session.opened() as parts:
        item = parts.store.reviews.get(item_id)
        if item is None:
            raise RejectRecord(f"there is no review item {item_id}", remedy="tierwise review list")
        rubric = parts.runnable().policy.rubric
        verdict = reviewing.answer(
            parts.store,
            item,
            rubric=rubric,
            desired=desk.desired(parts, item),
            by=session.actor(parts),
            agree=agree,
            tier=tier,
            outcome=cast("Outcome | None", outcome),
            reason=reason,
            note=note,
            clock=wiring.clock,
            wait=timedelta(seconds=parts.settings.review.undo_seconds),
            criteria=desk.corrections(parts, item, criterion or [], rubric=rubric),
        )
        seconds = parts.settings.review.undo_seconds
    if json:
        output.print_json({"id": item_id, **verdict})
    else:
        output.say(f"item {item_id} answered: tier {verdict['tier'] or 'none'}, outcome {verdict['outcome']}")
        if seconds:
            output.say(f"`tierwise review undo {item_id}` takes it back within {seconds:g} seconds")


@app.command()
def undo(
    item_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the item that you answered.")],
) -> None:
    """Take your answer back, before anything of it is written."""
    with session.opened() as parts:
        reviewing.undo(parts.store, item_id, by=session.actor(parts), clock=wiring.clock)
    output.say(f"item {item_id} is open again")


@app.command()
def agreement(json: output.Json = False) -> None:
    """How far people agree on the leads that two of them labelled."""
    with session.opened() as parts:
        found = reviewing.agreement(parts.store)
    if json:
        output.print_json([item._asdict() for item in found])
        return
    output.table(
        "Agreement",
        ["first", "second", "leads", "agreed", "kappa"],
        [
            [item.first, item.second, item.n, item.agreed, None if item.kappa is None else f"{item.kappa:.2f}"]
            for item in found
        ],
    )


@app.command()
def answer_all(
    like: Annotated[int | None, typer.Option(help="Number of an item: all of its kind and reason.")] = None,
    kind: Annotated[str | None, typer.Option(help="In place of --like: kind of the items.")] = None,
    reason: Annotated[str | None, typer.Option(help="And why they are in the queue, word for word.")] = None,
    agree: Annotated[bool, typer.Option("--agree", help="Their tiers are right.")] = False,
    tier: Annotated[str | None, typer.Option(help="The tier that all of them should have.")] = None,
    outcome: Annotated[str | None, typer.Option(help="accept, nurture or reject, for all of them.")] = None,
    note: Annotated[str | None, typer.Option(help="In your words.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, they are only shown.")] = False,
    json: output.Json = False,
) -> None:
    """Give all items of one kind and reason the same answer; items of the audit sample are left out."""
    desk.check_kind(kind)
    if not agree and tier is None and outcome is None:
        raise Misconfigured("an answer needs --agree, --tier or --outcome")
    if (like is None) == (kind is None or reason is None):
        raise Misconfigured("which items?", place="--like", remedy="--like ID, or --kind and --reason")
    with session.opened() as parts:
        if like is not None:
            model = parts.store.reviews.get(like)
            if model is None:
                raise RejectRecord(f"there is no review item {like}", remedy="tierwise review list")
            kind, reason = model.kind, model.reason
        assert kind is not None
        assert reason is not None
        by, rubric = session.actor(parts), parts.runnable().policy.rubric
        found = queue.alike(parts.store, kind=kind, reason=reason, by=by, now=wiring.clock())
        say = {"agree": agree, "tier": tier, "outcome": cast("Outcome | None", outcome)}
        # What cannot be said is refused in the preview, not after half of them.
        planned = [reviewing.verdict(item, rubric=rubric, **say) for item in found]  # type: ignore[arg-type]
        done: list[int] = []
        lost: list[int] = []
        if yes:
            wait = timedelta(seconds=parts.settings.review.undo_seconds)
            done, lost = queue.answer_each(
                found,
                answer=lambda item: reviewing.answer(
                    parts.store, item, rubric=rubric, desired=desk.desired(parts, item), by=by, agree=agree, tier=tier,
                    outcome=cast("Outcome | None", outcome), reason=None, note=note, clock=wiring.clock, wait=wait,
                ),
            )  # fmt: skip
    rows = list(zip(found, planned, strict=True))
    if json:
        told = [{"id": item.id, "tier": item.tier, "answer": said} for item, said in rows]
        output.print_json(
            {"found": [item.id for item in found], "plan": told, "answered": done, "taken_by_others": lost}
        )
        return
    output.table(
        "Alike",
        ["id", "lead", "tier", "waits", "would be" if not yes else "is"],
        [
            [item.id, f"{item.connection}:{item.record_id}", item.tier, output.ago(item.created_at),
             f"{said['tier'] or 'no tier'}, {said['outcome']}"]
            for item, said in rows
        ],
    )  # fmt: skip
    if yes:
        output.say(f"{len(done)} answered, {len(lost)} taken by others; `tierwise review undo ID` takes one back")
    else:
        output.say(f"{len(found)} alike; --yes answers them")
