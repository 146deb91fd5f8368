"""Notifiers: what is configured and how it is doing, a notice to try one, and another go for what was given up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tierwise import ports, store, wiring
from tierwise import settings as configuration
from tierwise.cli import output, session
from tierwise.errors import Misconfigured, RetryLater
from tierwise.pipeline import notify
from tierwise.sdk import Notice

app = typer.Typer(no_args_is_help=True, help="Notifiers: list, test, retry.")

Name = Annotated[str, typer.Argument(help="Name of the notifier, as in tierwise.toml.")]


@app.command("list")
def list_(json: output.Json = False) -> None:
    """Every configured notifier, what it wants and what became of its last notices."""
    with session.opened() as parts:
        rows: list[dict[str, Any]] = []
        for name, settings in sorted(parts.settings.notifiers.items()):
            found = parts.store.notifications.list(notifier=name, limit=1000)
            states = [one.state for one in found]
            error = next((one.error for one in found if one.error), "")
            counts = {state: states.count(state) for state in ("ready", "leased", "sent", "dead")}
            rows.append({"name": name, "type": settings.type, "events": settings.events, **counts, "error": error})
    if json:
        output.print_json(rows)
        return
    output.table(
        "Notifiers",
        ["name", "type", "events", "waiting", "sent", "given up", "note"],
        [
            [r["name"], r["type"], ", ".join(r["events"]) or "all", r["ready"] + r["leased"], r["sent"], r["dead"],
             r["error"]]
            for r in rows
        ],
    )  # fmt: skip


@app.command()
def test(name: Name) -> None:
    """Send one notice now, past the queue, and say what came of it."""
    with session.opened() as parts:
        _known(parts, name)
        notice = Notice("test", "info", "Tierwise can reach you", "This is only a test.", wiring.clock(), event="test")
        error = notify.attempt(
            ports.Dispatch(0, name, notice, "leased", 1, 0, ""), parts.notifier, seconds=notify.Pace().longest
        )
    if error is not None:
        raise RetryLater(error, place=f"notifiers.{name}")
    output.say(f"{name} took the notice")


@app.command()
def retry(name: Name) -> None:
    """What was given up goes out again."""
    with session.opened() as parts:
        _known(parts, name)
        number = parts.store.notifications.revive(name, now=wiring.clock())
    output.say(f"{number} notices go out again")


def _known(parts: wiring.Wiring, name: str) -> None:
    if name not in parts.settings.notifiers:
        known = ", ".join(sorted(parts.settings.notifiers)) or "none"
        raise Misconfigured(f"there is no notifier '{name}' in the settings", remedy=f"known: {known}")


def doctor_line(settings: configuration.Settings, name: str) -> str:
    """One line of `doctor`. RetryLater where notices are given up or fail."""
    revision, head = store.current(settings.database_url)
    if revision != head:
        return "not known yet"
    opened = store.open_store(settings.database_url)
    try:
        found = opened.notifications.list(notifier=name, limit=1000)
    finally:
        opened.close()
    dead = [one for one in found if one.state == "dead"]
    failing = [one for one in found if one.state == "ready" and one.error]
    if dead:
        remedy = f"mend it, try it with tierwise notifiers test {name}, then tierwise notifiers retry {name}"
        raise RetryLater(f"{len(dead)} notices were given up: {dead[0].error}", remedy=remedy)
    if failing:
        raise RetryLater(f"{len(failing)} notices wait for another try: {failing[0].error}", remedy="read the log")
    return f"{sum(one.state == 'sent' for one in found)} notices sent"
