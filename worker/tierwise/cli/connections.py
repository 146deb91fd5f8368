"""The first hour on a real account: add, check, preview, provision, enable; and switching it off again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from tierwise import plugins, wiring
from tierwise import settings as configuration
from tierwise.cli import accounts, models, output, session
from tierwise.cli import checks as showing
from tierwise.cli.leads import show_previews
from tierwise.domain import mapping
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import preview as previewing
from tierwise.sdk import Connector

app = typer.Typer(no_args_is_help=True, help="Accounts: add, check, preview, provision, enable, disable, list.")

Name = Annotated[str, typer.Argument(help="Name of the connection, as in tierwise.toml.")]


@app.command("list")
def list_(json: output.Json = False) -> None:
    """Every configured connection and how it is doing."""
    with session.opened() as parts:
        states = {state.name: state for state in parts.store.connections.list()}
        health = [accounts.as_dict(one) for one in parts.store.health.list()]
        rows: list[dict[str, Any]] = []
        for name, settings in sorted(parts.settings.connections.items()):
            state = states.get(name)
            rows.append(
                {
                    "name": name,
                    "type": settings.type,
                    "enabled": bool(state and state.enabled),
                    "paused": state.paused if state else None,
                    "leads": state.leads if state else 0,
                    "watermark": state.watermark if state else None,
                    "last_polled_at": state.last_polled_at if state else None,
                    "next_poll_at": state.next_poll_at if state else None,
                    "error": state.error if state else "",
                    "quota": state.quota._asdict() if state and state.quota else None,
                    "health": [one for one in health if one["connection"] == name],
                }
            )
    if json:
        output.print_json(rows)
        return
    output.table(
        "Connections",
        ["name", "type", "enabled", "paused", "leads", "last polled", "calls left today", "note"],
        [
            [r["name"], r["type"], "yes" if r["enabled"] else "no", r["paused"], r["leads"],
             output.ago(r["last_polled_at"]), calls_left(r["quota"]), accounts.note(r["health"], r["error"])]
            for r in rows
        ],
    )  # fmt: skip


def calls_left(quota: dict[str, Any] | None) -> str:
    """The day's calls of an account, in a few words; nothing where it never told."""
    if quota is None:
        return ""
    kept = f", {quota['reserve']:,} kept for people" if quota["reserve"] else ""
    return f"{quota['left']:,} of {quota['limit']:,}{kept}"


@app.command()
def add(
    name: Name,
    type_: Annotated[str, typer.Option("--type", help="Kind of system: see tierwise connectors list.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE of the connector's own settings.")
    ] = None,
) -> None:
    """Write [connections.NAME] into tierwise.toml. The token goes into the environment, not into the file."""
    types = plugins.connector_types()
    if type_ not in types:
        raise Misconfigured(f"there is no connector type '{type_}'", remedy=f"installed: {', '.join(sorted(types))}")
    given = dict(_pair(text) for text in option or [])
    options = plugins.installed().checked_options(type_, given, place=f"connections.{name}")
    path = configuration.add_connection(None, name, type_, options)
    output.say(f"wrote [connections.{name}] into {path}")
    login = f"export {configuration.token_variable(name)}=...   then: " if types[type_].needs_token else ""
    output.say(f"next: {login}tierwise connections check {name}")


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise Misconfigured(f"'{text}' is not KEY=VALUE", place="--option")
    return key.strip(), value.strip()


@app.command()
def check(name: Name, json: output.Json = False) -> None:
    """Prove token, scopes, mapped properties, own fields and quota, before anything runs."""
    with session.opened() as parts:
        field_map = parts.field_map(name, parts.runnable().policy)
        with parts.connector(name) as connector, output.busy(f"asking {name}"):
            found = connector.check(properties=mapping.properties(field_map), fields=parts.advice_fields())
    if json:
        output.print_json([item._asdict() for item in found])
    else:
        output.table(f"Check of {name}", ["", "what", "found", "remedy"], showing.rows(found))
    if not all(item.ok for item in found):
        raise typer.Exit(1)


@app.command()
def provision(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: output.Json = False,
) -> None:
    """Create Tierwise's fields in the CRM. Shows the plan first; running it again changes nothing."""
    with session.opened() as parts:
        fields = parts.advice_fields()
        with parts.connector(name) as connector:
            plan = connector.provision(fields, dry_run=True)
            pending = [step for step in plan if step.action in {"create", "update"}]
            if not json:
                output.table(f"Plan for {name}", ["action", "what", "detail"], plan)
            if pending and not dry_run:
                if not yes and not json and not typer.confirm(f"Carry out {len(pending)} steps?"):
                    raise typer.Exit(1)
                with output.busy(f"creating fields in {name}"):
                    plan = connector.provision(fields, dry_run=False)
                left = sum(step.action == "conflict" for step in plan)
                output.say(f"{max(0, len(pending) - left)} steps done" + (f", {left} left to a person" if left else ""))
    if json:
        output.print_json([step._asdict() for step in plan])
    if any(step.action == "conflict" for step in plan):
        raise typer.Exit(1)


@app.command()
def preview(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many leads.")] = 20,
    days: Annotated[int, typer.Option(min=1, help="How far back to look.")] = 30,
    json: output.Json = False,
) -> None:
    """Score live leads and write nothing."""
    with session.opened() as parts:
        runnable = parts.runnable()
        field_map = parts.field_map(name, runnable.policy)
        with parts.connector(name) as connector, output.busy(f"reading {name}"):
            records = _newest(connector, limit, days=days, properties=mapping.properties(field_map))
        judge, loop = parts.judge()
        found = list(
            previewing.preview(
                records, runnable=runnable, field_map=field_map, judge=judge, submit=loop.submit,
                clock=wiring.clock, enrich=parts.enrich_unstored(),
            )
        )  # fmt: skip
    show_previews(found, title=f"Preview of {name}: nothing was written", json=json)
    models.require_answers(*models.fallen(item.decision for item in found), place=name)


def _newest(connector: Connector, limit: int, *, days: int, properties: Sequence[str]) -> list[previewing.Row]:
    """The leads changed last. Changes come oldest first, so the look back grows until it holds enough of them."""
    until = connector.now()
    found: list[previewing.Row] = []
    for back in sorted({1, 3, 10, 30, days}):
        if back > days:
            break
        records: dict[str, previewing.Row] = {}
        for page in connector.changes(until - timedelta(days=back), until, properties=properties, position=None):
            for record in page.records:
                records.pop(record.id, None)
                records[record.id] = previewing.Row(record.id, record.properties)
        found = list(records.values())[-limit:]
        if len(found) == limit:
            break
    return found


@app.command()
def enable(name: Name) -> None:
    """Poll from now on; older leads come only by `tierwise backfill`."""
    with session.opened() as parts:
        parts.store.connections.ensure(name, parts.connection(name).type, now=wiring.clock())
        with parts.connector(name) as connector:
            watermark = connector.now()
        fresh = parts.store.connections.enable(name, watermark=watermark, now=wiring.clock())
        parts.store.connections.resume(name, now=wiring.clock())
    output.say(f"{name} is enabled" if fresh else f"{name} was enabled already")


@app.command()
def disable(name: Name) -> None:
    """Stop polling and writing within seconds; the cursor stays where it is."""
    with session.opened() as parts:
        known = {state.name for state in parts.store.connections.list()}
        if name not in known:
            raise RejectRecord(f"the database knows no connection '{name}'", remedy="tierwise connections list")
        parts.store.connections.disable(name, now=wiring.clock())
    output.say(f"{name} is disabled")
