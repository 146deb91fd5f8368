"""People who may change things, their roles, and what was done by whom."""

from __future__ import annotations

from typing import Annotated

import typer

from tierwise import wiring
from tierwise.cli import output, session

app = typer.Typer(no_args_is_help=True, help="Who may change things: add, list, disable, events.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="As it is to stand in approvals and in the history.")],
    role: Annotated[list[str], typer.Option(help="sales, revops, ops or admin; may be given more than once.")],
    json: output.Json = False,
) -> None:
    """Add a person and print their token, this once. The first one must be an admin."""
    with session.opened() as parts:
        token = parts.store.people.add(name, roles=role, by=session.actor(parts), now=wiring.clock())
    if json:
        output.print_json({"name": name, "roles": sorted(role), "token": token})
        return
    output.out.print(token, markup=False)
    output.say(f"{name} acts with TIERWISE_TOKEN set to this; it is not shown again")


@app.command("list")
def list_(json: output.Json = False) -> None:
    """Everybody, disabled people too."""
    with session.opened() as parts:
        people = parts.store.people.list()
    if json:
        output.print_json([{**item._asdict(), "roles": sorted(item.roles)} for item in people])
        return
    output.table(
        "People",
        ["name", "roles", "added by", "added", "disabled"],
        [
            [item.name, ", ".join(sorted(item.roles)), item.by, output.ago(item.created_at),
             output.ago(item.disabled_at) if item.disabled_at is not None else ""]
            for item in people
        ],
    )  # fmt: skip


@app.command()
def disable(name: Annotated[str, typer.Argument(help="Who.")]) -> None:
    """Their token opens nothing any more, and approvals of theirs that were not used count no more."""
    with session.opened() as parts:
        parts.store.people.disable(name, by=session.actor(parts), now=wiring.clock())
    output.say(f"{name} is disabled")


@app.command()
def events(
    subject: Annotated[str | None, typer.Option(help="Only what begins so: `policy 1f3a`, `person ada`.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: output.Json = False,
) -> None:
    """What people did, and what they tried and were refused, newest first."""
    with session.opened() as parts:
        found = parts.store.admin_events.list(subject=subject, limit=limit)
    if json:
        output.print_json([item._asdict() for item in found])
        return
    output.table(
        "Events",
        ["at", "who", "what", "of", "why", "refused"],
        [
            [f"{item.at:%Y-%m-%d %H:%M:%S}", item.actor, item.action, item.subject[:19], item.reason, item.refused]
            for item in found
        ],
    )
