"""Batches of questions at half the price: how they stand, and whether a backfill or replay is worth one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import typer

from tierwise import ports, store, wiring
from tierwise import settings as configuration
from tierwise.cli import moments, output, session
from tierwise.domain.policy import Policy
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import replay as replaying
from tierwise.ports.batches import Batch

Wish = Annotated[
    Literal["auto", "never"] | None,
    typer.Option(help="auto: let leads wait up to a day for half the price, where models take batches. never: live."),
]
SILENT = timedelta(hours=1)
"""After which a batch that is due and that nobody looked at is a finding of `doctor`."""


app = typer.Typer(
    help="Batches of backfills, replays and backtests: half the price, within a day.", no_args_is_help=True
)


@app.command("list")
def list_(
    since: Annotated[str, typer.Option(help="Also those that ended since then: a day, a moment, or 7d.")] = "7d",
    json: output.Json = False,
) -> None:
    """Batches that are under way and those that ended, and the leads that wait for them."""
    start = moments.parse(since, place="--since")
    with session.opened() as parts:
        now = wiring.clock()
        found = parts.store.batches.list(ended_since=start)
        answer = {
            "batches": [as_json(batch) for batch in found],
            "waiting": parts.store.batches.waiting(),
            "backtests": [{**item._asdict(), "error": item.error or None} for item in parts.store.backtests.list()],
            "gathering": parts.store.batches.gathering(now=now).leads,
            "backfills": [
                {**item._asdict(), "read_to": parts.store.cursors.watermark(item.connection, "changes")}
                for item in parts.store.batches.backfills()
            ],
        }
    if json:
        output.print_json(answer)
    else:
        _show(answer)


@app.command()
def cancel(
    number: Annotated[int, typer.Argument(help="Number of the batch, as `batches list` shows it.")],
    json: output.Json = False,
) -> None:
    """Decide the leads of a batch live, now; what its provider still answers is kept."""
    with session.opened() as parts:
        if not parts.store.batches.cancel(number, now=wiring.clock()):
            raise RejectRecord(f"batch {number} is not under way", remedy="tierwise batches list")
    if json:
        output.print_json({"batch": number, "cancelled": True})
    else:
        output.say(f"batch {number} is cancelled; its leads are decided live")


def chain(parts: wiring.Wiring, policy: Policy, *, wish: str | None) -> replaying.Chain:
    """Who would be asked under the policy, and who of them in batches."""
    models, given = policy.rubric.models, parts.settings.model
    first, second = given.primary or models.primary, given.secondary or models.secondary
    batched = () if (wish or parts.settings.batch.mode) == "never" else parts.batched(policy)
    return replaying.Chain(first, second if second != first else None, given.decisions, batched)


def worth(parts: wiring.Wiring, chain: replaying.Chain, *, calls: int, wish: str | None) -> bool:
    """Whether leads are to wait. Raises Misconfigured where that is wished for and turned off."""
    if wish == "auto" and parts.settings.batch.mode == "never":
        raise Misconfigured("batches are turned off", place="[batch] mode", remedy="set it to auto")
    return bool(chain.batched) and calls >= parts.settings.batch.fewest


def tell(found: replaying.Estimate, chain: replaying.Chain, *, by_batch: bool) -> None:
    """By what way questions go, and what that saves."""
    if not by_batch:
        return
    output.say(
        f"by batch where that is offered ({', '.join(chain.batched)}): within a day, and live for what a batch does "
        "not answer; --batch never asks live at once"
    )
    if found.live_usd_at_least is not None and found.live_usd_at_most is not None:
        output.say(f"live calls would cost {found.live_usd_at_least:.4f} to {found.live_usd_at_most:.4f} USD")


def as_json(batch: Batch) -> dict[str, Any]:
    """What scripts rely on."""
    return {
        "batch": batch.id,
        "model": batch.model,
        "stage": batch.stage,
        "state": batch.state,
        "outcome": batch.outcome or None,
        "questions": batch.questions,
        "done": batch.done,
        "answered": batch.answered,
        "unusable": batch.unusable,
        "error": batch.error or None,
        "fault": batch.fault or None,
        "provider_id": batch.provider_id or None,
        "created_at": batch.created_at,
        "submitted_at": batch.submitted_at,
        "deadline": batch.deadline,
        "look_at": batch.look_at,
        "ended_at": batch.ended_at,
        "estimate_usd": batch.nano_estimate / ports.NANO,
        "usd": batch.nano_usd / ports.NANO,
        "saved_usd": batch.nano_saved / ports.NANO,
    }


def check(settings: configuration.Settings) -> str:
    """How batches stand; Misconfigured names one that is in trouble. For `doctor`."""
    revision, head = store.current(settings.database_url)
    if revision != head:
        return "not known yet"
    opened = store.open_store(settings.database_url)
    try:
        now = wiring.clock()
        found = [item for item in opened.batches.list(ended_since=now) if item.state != "ended"]
        waiting = sum(opened.batches.waiting().values())
        tried = sum(item.decisions for item in opened.backtests.list())
    finally:
        opened.close()
    for item in found:
        why = _trouble(item, now=now)
        if why:
            raise Misconfigured(why, place=f"batch {item.id}", remedy=f"tierwise batches cancel {item.id}: live")
    if not found and not waiting and not tried:
        return "none under way"
    backtests = f", {tried} decisions of backtests" if tried else ""
    return f"{len(found)} under way, {waiting} leads wait{backtests}"


def _trouble(batch: Batch, *, now: datetime) -> str:
    if batch.error:
        return f"it is tried again: {batch.error}"
    if now - batch.look_at > SILENT:
        return f"nobody looked at it since {batch.look_at:%Y-%m-%d %H:%M} UTC: is a worker running?"
    return ""


def _show(answer: dict[str, Any]) -> None:
    rows: Sequence[dict[str, Any]] = answer["batches"]
    output.table(
        "Batches",
        ["", "model", "stage", "state", "questions", "answered", "USD", "saved", "since", "until", "trouble"],
        [
            [
                row["batch"], row["model"], row["stage"], row["outcome"] or row["state"], row["questions"],
                row["answered"] if row["ended_at"] else row["done"], f"{row['usd']:.4f}", f"{row['saved_usd']:.4f}",
                output.ago(row["submitted_at"] or row["created_at"]),
                f"{row['ended_at'] or row['deadline']:%Y-%m-%d %H:%M}", row["error"] or "",
            ]
            for row in rows
        ],
    )  # fmt: skip
    for item in answer["backfills"]:
        read_to = item["read_to"] or item["since"]
        output.out.print(
            f"backfill of {item['connection']}: read from {item['since']:%Y-%m-%d %H:%M} to {read_to:%Y-%m-%d %H:%M}"
            f" UTC, {item['until']:%Y-%m-%d %H:%M} is its end",
            markup=False,
        )
    for item in answer["backtests"]:
        output.out.print(
            f"backtest of {item['policy'][:12]}: {item['decisions']} decisions wait for answers since"
            f" {output.ago(item['since'])}, {item['batched']} of them in batches"
            + (f": {item['error']}" if item["error"] else ""),
            markup=False,
        )
    waiting = ", ".join(f"{count} of {name}" for name, count in answer["waiting"].items())
    told = f"leads that wait: {waiting}" if waiting else "no lead waits for a batch"
    gathering = f"; {answer['gathering']} of them are still being gathered" if answer["gathering"] else ""
    output.out.print(f"{told}{gathering}", markup=False)
