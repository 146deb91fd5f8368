"""Decide stored leads again under a policy, after telling what it would cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import moments, output, session
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
        with output.busy("counting"):
            found = _estimate(parts, digest, scope)
        if not json:
            _tell(found, chain=_chain(parts, digest))
        if not yes and (json or not typer.confirm("Go on?")):
            if json:
                output.print_json({"policy": digest, **found._asdict(), "requeued": 0})
                return
            raise typer.Exit(1)
        requeued = parts.store.works.requeue(digest, now=wiring.clock(), **scope)
    if json:
        output.print_json({"policy": digest, **found._asdict(), "requeued": requeued})
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


def _chain(parts: wiring.Wiring, digest: str) -> replaying.Chain:
    models, settings = parts.runnable(digest).policy.rubric.models, parts.settings.model
    first, second = settings.primary or models.primary, settings.secondary or models.secondary
    return replaying.Chain(first, second if second != first else None, settings.decisions)


def _estimate(parts: wiring.Wiring, digest: str, scope: dict[str, Any]) -> replaying.Estimate:
    leads = (lead for _, lead in parts.store.works.candidates(digest, **scope))
    return replaying.estimate(
        leads,
        parts.runnable(digest),
        chain=_chain(parts, digest),
        known=parts.store.assessments.get,
        prices=parts.prices,
    )


def _tell(found: replaying.Estimate, *, chain: replaying.Chain) -> None:
    output.say(
        f"{found.leads:,} leads without a decision under this policy: {found.stopped:,} need no model, "
        f"{found.answered:,} are answered from the cache, {found.calls:,} calls of {chain.primary}"
    )
    if found.usd_at_most is not None and found.usd_at_least is not None:
        output.say(f"about {found.usd_at_least:.4f} USD, {found.usd_at_most:.4f} where all went on to the second model")
    elif found.calls:
        output.say("what it costs is not known: a model's price is unknown (set it in [prices])")
