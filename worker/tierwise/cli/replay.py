"""Decide stored leads again under a policy, after telling what it would cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import batches, inquiries, moments, output, session
from tierwise.errors import Misconfigured
from tierwise.pipeline import replay as replaying


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("replay")(replay)


def replay(
    policy: Annotated[str, typer.Option(help="Digest (or its beginning) or version of the active policy.")],
    since: Annotated[str, typer.Option(help="Leads decided since then: a day, a moment, or 30d.")] = "30d",
    connection: Annotated[str | None, typer.Option(help="Only leads of this connection.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Also customers, opportunities and disqualified.")] = False,
    batch: batches.Wish = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: output.Json = False,
) -> None:
    """Decide stored leads again under the active policy; tells calls and money first."""
    start = moments.parse(since, place="--since")
    with session.opened() as parts:
        digest = _active(parts, policy)
        if connection is not None:
            parts.connection(connection)
        scope: dict[str, Any] = {"since": start, "connection": connection, "open_only": not closed}
        chain = batches.chain(parts, parts.runnable(digest).policy, wish=batch)
        with output.busy("counting"):
            found = _estimate(parts, digest, scope, chain=chain)
        by_batch = batches.worth(parts, chain, calls=found.calls, wish=batch)
        if not by_batch:
            found = found._replace(usd_at_least=found.live_usd_at_least, usd_at_most=found.live_usd_at_most)
        answer = {"policy": digest, **found._asdict(), "batch": by_batch}
        if not json:
            _tell(found, chain=chain)
            batches.tell(found, chain, by_batch=by_batch)
        if not yes and (json or not typer.confirm("Go on?")):
            if json:
                output.print_json({**answer, "requeued": 0})
                return
            raise typer.Exit(1)
        requeued = parts.store.works.requeue(digest, now=wiring.clock(), batch=by_batch, **scope)
    if json:
        output.print_json({**answer, "requeued": requeued})
    else:
        output.say(f"{requeued:,} leads wait to be decided again, behind new ones; the workers do it")


def _active(parts: wiring.Wiring, name: str) -> str:
    digest = parts.store.policies.find(name)
    active = parts.ensure_policy()
    if digest != active.digest:
        by, why = session.actor(parts), "it does not run: a replay decides under what runs, and activates nothing"
        parts.store.admin_events.add(
            by, "policy.replay", f"policy {digest}", reason="", now=wiring.clock(), refused=why,
            before={"active": active.digest},
        )  # fmt: skip
        raise Misconfigured(
            f"{digest[:12]} is not the policy that runs ({active.digest[:12]} does): the CRM shows no other advice",
            place=f"policy {name}",
            remedy="`tierwise policy backtest` shows what it would change; `tierwise policy activate` makes it run",
        )
    return digest


def _estimate(
    parts: wiring.Wiring, digest: str, scope: dict[str, Any], *, chain: replaying.Chain
) -> replaying.Estimate:
    leads = (lead for _, lead in parts.store.works.candidates(digest, **scope))
    return replaying.estimate(
        leads,
        parts.runnable(digest),
        chain=chain,
        known=parts.store.assessments.get,
        prices=parts.prices,
    )


def _tell(found: replaying.Estimate, *, chain: replaying.Chain) -> None:
    output.say(
        f"{found.leads:,} leads without a decision under this policy: {found.stopped:,} need no model, "
        f"{found.answered:,} are answered from the cache, {found.calls:,} calls of {chain.primary}"
    )
    if found.calls or found.usd_at_most is not None:
        output.say(inquiries.money(found))
