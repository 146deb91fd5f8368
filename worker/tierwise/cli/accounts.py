"""How the accounts are doing, in the words of `connections list` and `doctor`: from the database, nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tierwise import ports, store
from tierwise import settings as configuration
from tierwise.cli import output
from tierwise.errors import PauseConnection, RetryLater


def as_dict(health: ports.Health) -> dict[str, Any]:
    """The shape of `connections list --json`; `ok` and one sentence besides what is stored."""
    return {"ok": not health.failures, **health._asdict(), "sentence": health.sentence()}


def note(found: Sequence[dict[str, Any]], error: str) -> str:
    """What a person should know of one connection; the poll's own error where nothing else is known."""
    lines = [_line(one) for one in found if not one["ok"]]
    return "\n".join(lines) or error


def _line(one: dict[str, Any]) -> str:
    since = f", since {output.ago(one['failing_since'])}" if one["failures"] > 1 else ""
    remedy = f" ({one['remedy']})" if one["remedy"] else ""
    return f"{one['sentence']}{remedy}{since}"


def contact(settings: configuration.Settings, name: str) -> str:
    """One line of `doctor`. PauseConnection where it rests until a person acts, RetryLater where a step fails."""
    revision, head = store.current(settings.database_url)
    if revision != head:
        return "not known yet"
    opened = store.open_store(settings.database_url)
    try:
        state = next((state for state in opened.connections.list() if state.name == name), None)
        found = [one for one in opened.health.list() if one.connection == name]
    finally:
        opened.close()
    if state is None or not state.enabled:
        return "not enabled"
    if state.paused:
        raise PauseConnection(f"paused: {state.paused}", remedy=f"see to it, then tierwise connections enable {name}")
    failing = [one for one in found if one.failures]
    if failing:
        remedy = next((one.remedy for one in failing if one.remedy), "it is tried again by itself; read the log")
        raise RetryLater("; ".join(_line({**as_dict(one), "remedy": ""}) for one in failing), remedy=remedy)
    well = [f"{one.step.replace('_', ' ')} {output.ago(one.ok_at)}" for one in found if one.ok_at is not None]
    return ", ".join(well) or "not called yet"
