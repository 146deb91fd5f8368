"""Versions from the customer's own policy repository."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tierwise import wiring
from tierwise.cli import lifecycle, output, session
from tierwise.policies import repository


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(pull)


def pull(
    source: Annotated[str, typer.Option("--from", metavar="DIR|URL[@REF]", help="A directory, or a git repository.")],
    note: Annotated[str, typer.Option(help="Why; default: the newest commit's subject.")] = "",
    json: output.Json = False,
) -> None:
    """Check, test and publish the bundle of a directory or of a git repository. What runs stays as it is."""
    where = repository.parse(source)
    with tempfile.TemporaryDirectory(prefix="tierwise-pull-") as made:
        if where.directory is not None:
            directory, origin = where.directory, repository.origin(where.directory)
        else:
            directory = Path(made)
            with output.busy(f"fetching {where.shown}"):
                origin = repository.fetch(where, directory)
        policy = lifecycle.read(directory, shown=where.shown)
    with session.opened() as parts:
        by = session.actor(parts)
        digest = policy.digest()
        new = parts.store.policies.published(digest) is None
        parts.store.policies.publish(
            policy, by=by, note=note or origin.subject, now=wiring.clock(), origin=origin._asdict()
        )
        there = parts.store.policies.published(digest)
        assert there is not None
    if json:
        output.print_json({**there._asdict(), **origin._asdict(), "new": new})
        return
    output.out.print(digest, markup=False)
    commit = f" at {origin.commit[:12]}" if origin.commit else ""
    output.say(f"{where.shown}{commit}" + (f", by {origin.author}" if origin.author else ""))
    if origin.author is None:
        output.say(f"its author is not on record{': ' if origin.unnamed else ''}{origin.unnamed}")
    if new:
        output.say(f"published: {there.change}; `tierwise policy stage {digest[:12]}` is the next step")
    else:
        output.say(f"published already, {there.at:%Y-%m-%d %H:%M} by {there.by}: of the policy nothing was changed")
