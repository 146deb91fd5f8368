"""Whether the whole works: what must answer or have given a sign of life, and what to do where it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.errors import TierwiseError

FRESH = timedelta(seconds=60)
"""A process that gave no sign of life for longer counts as gone."""
ROLES = ("worker", "beat")

Broker = Callable[[], bool]
"""Whether the broker answers, within seconds; raises nothing."""
Schema = Callable[[], tuple[str | None, str]]
"""The revision of the database's tables, and the one this version needs."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def look(store: ports.Store, *, broker: Broker | None, schema: Schema | None, now: datetime) -> list[Finding]:
    """Database, its tables, broker, and a fresh heartbeat of each role; never raises."""
    found: list[Finding] = []
    try:
        beats: Sequence[ports.Heartbeat] | None = store.heartbeats.latest()
        found.append(Finding("database", True, "answers"))
        if schema is not None:
            found.append(_tables(*schema()))
    except TierwiseError as error:
        beats = None
        found.append(Finding("database", False, error.message, error.remedy))
    if broker is not None:
        answers = broker()
        remedy = "" if answers else "start it, or correct TIERWISE_BROKER_URL"
        found.append(Finding("broker", answers, "answers" if answers else "does not answer", remedy))
    return [*found, *(_role(role, beats, now=now) for role in ROLES)]


def accounts(store: ports.Store) -> list[Finding]:
    """How each connection is doing; never raises. It stands beside readiness: a CRM that is down hides no console."""
    try:
        states, healths = store.connections.list(), store.health.list()
    except TierwiseError:
        return []
    found = []
    for state in states:
        failing = [one for one in healths if one.connection == state.name and one.failures]
        if state.paused:
            remedy = f"see to it, then tierwise connections enable {state.name}"
            found.append(Finding(state.name, False, f"paused: {state.paused}", remedy))
        elif failing:
            remedy = next((one.remedy for one in failing if one.remedy), "it is tried again by itself")
            found.append(Finding(state.name, False, "; ".join(one.sentence() for one in failing), remedy))
        else:
            found.append(Finding(state.name, True, "does well" if state.enabled else "disabled"))
    return found


def as_json(found: Sequence[Finding], connections: Sequence[Finding] = ()) -> dict[str, Any]:
    """The answer of /readyz: `missing` holds the names of what is not as it should be."""
    missing = [finding.name for finding in found if not finding.ok]
    return {
        "ready": not missing,
        "missing": missing,
        "checks": [finding._asdict() for finding in found],
        "connections": [finding._asdict() for finding in connections],
    }


def age(at: datetime, *, now: datetime) -> float:
    """Seconds since then; clocks of two machines may differ, so never below 0."""
    return max((now - at).total_seconds(), 0.0)


def unserved(workers: Iterable[ports.Heartbeat]) -> tuple[str, ...]:
    """Queues that none of these workers takes from; one that names no queues takes from all."""
    served = {queue for beat in workers for queue in beat.info.get("queues", ports.QUEUES)}
    return tuple(queue for queue in ports.QUEUES if queue not in served)


def _tables(revision: str | None, head: str) -> Finding:
    if revision == head:
        return Finding("schema", True, f"at {revision}")
    return Finding("schema", False, f"at {revision or 'nothing'}, this version needs {head}", "tierwise db upgrade")


def _role(role: str, beats: Sequence[ports.Heartbeat] | None, *, now: datetime) -> Finding:
    if beats is None:
        return Finding(role, False, "not known while the database does not answer")
    ages = [age(beat.at, now=now) for beat in beats if beat.role == role]
    living = [beat for beat in beats if beat.role == role and age(beat.at, now=now) <= FRESH.total_seconds()]
    if living:
        count = f"{len(living)} processes, " if len(living) > 1 else ""
        told = f"{count}last sign of life {min(ages):.0f} s ago"
        idle = unserved(living) if role == "worker" else ()
        if idle:
            remedy = f"start `tierwise worker --queues {','.join(idle)}`, or read its log"
            return Finding(role, False, f"{told}, but none serves {', '.join(idle)}", remedy)
        return Finding(role, True, told)
    detail = f"last sign of life {min(ages):.0f} s ago" if ages else "no sign of life yet"
    return Finding(role, False, detail, f"start `tierwise {role}`, or read its log")
