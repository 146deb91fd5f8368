"""May this bundle run? Asked and answered in the one transaction that makes it run.

Whichever interface asks, the answer is the same; a refusal is stored as an event in place of the activation. What a
step changes is computed here from the two stored bundles, never taken from who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.domain import changes
from tierwise.domain.policy import Policy
from tierwise.ports import Activation
from tierwise.store import admin_events, people, schema

VERSION = schema.policy_version
ACTIVATION = schema.policy_activation
APPROVAL = schema.policy_approval
TRIAL = schema.policy_trial
ACTIVATORS = ("ops", "revops", "admin")
SECOND_PAIR = "`tierwise policy approve DIGEST --reason …`, by people with the roles sales and revops"


class Asked(NamedTuple):
    """What somebody wants to run."""

    digest: str
    environment: str
    by: str
    note: str
    now: datetime


class Refusal(NamedTuple):
    """Why it does not."""

    why: str
    place: str
    remedy: str


class _Step(NamedTuple):
    """From what runs to what is asked for."""

    change: changes.ChangeClass
    base: str | None
    baseline: str | None
    """What people approved in full the last time."""


def rows(environment: str) -> sa.Select[Any]:
    """Activations of an environment, as ports.Activation has them."""
    table = ACTIVATION.c
    return (
        sa.select(table.id, table.digest, VERSION.c.version, table.by, table.note, table.at, table.kind, table.change)
        .join(VERSION, VERSION.c.digest == table.digest)
        .where(table.environment == environment)
    )


def running(connection: sa.Connection, environment: str) -> sa.Row[Any] | None:
    """The newest activation of the environment."""
    query = sa.select(ACTIVATION).where(ACTIVATION.c.environment == environment)
    return connection.execute(query.order_by(ACTIVATION.c.id.desc()).limit(1)).one_or_none()


def previous(connection: sa.Connection, environment: str) -> str | None:
    """What a rollback goes back to. Two rollbacks in a row go back two steps, not to and fro."""
    query = sa.select(ACTIVATION.c.digest, ACTIVATION.c.kind).where(ACTIVATION.c.environment == environment)
    stack: list[str] = []
    for row in connection.execute(query.order_by(ACTIVATION.c.id)):
        if row.kind == "rollback" and row.digest in stack:
            del stack[len(stack) - stack[::-1].index(row.digest) :]
        elif not stack or stack[-1] != row.digest:
            stack.append(row.digest)
    return stack[-2] if len(stack) > 1 else None


def activate(
    connection: sa.Connection, asked: Asked, *, policy: Policy, stored: Callable[[str], Policy | None]
) -> Activation | Refusal:
    """The activation, or why there is none; either is recorded. What runs already is left as it is."""
    held = running(connection, asked.environment)
    if held is not None and held.digest == asked.digest:
        return _told(connection, held.id)
    step = _step(held, policy, stored)
    used: list[int] = []
    why: tuple[str, str] | None = None
    if held is not None or asked.by != people.SYSTEM:
        no = people.why_not(connection, asked.by, ACTIVATORS)
        why = (no, "somebody with the role ops, revops or admin activates") if no is not None else None
    if why is None and asked.environment == "production" and step.change != "first" and people.listed(connection):
        used, why = _allowed(connection, asked, step)
    refusal = Refusal(why[0], f"policy {asked.digest[:12]}", why[1]) if why is not None else None
    _note(connection, asked, "policy.activate", step, refusal)
    if refusal is not None:
        return refusal
    return _append(connection, asked, "activate", step, used)


def rollback(connection: sa.Connection, asked: Asked) -> Activation | Refusal:
    """Back to something that ran once. Needs no approval, only somebody who is known."""
    held = running(connection, asked.environment)
    ran = (
        sa.select(ACTIVATION.c.baseline)
        .where(ACTIVATION.c.environment == asked.environment, ACTIVATION.c.digest == asked.digest)
        .order_by(ACTIVATION.c.id.desc())
        .limit(1)
    )
    before = connection.execute(ran).one_or_none()
    no = people.why_not(connection, asked.by, people.ROLES)
    remedy = "set TIERWISE_TOKEN to your token"
    if no is None and before is None:
        no, remedy = "it never ran, so nothing can go back to it", "tierwise policy history"
    step = _Step("none", held.digest if held is not None else None, before.baseline if before is not None else None)
    refusal = Refusal(no, f"policy {asked.digest[:12]}", remedy) if no is not None else None
    if refusal is None and held is not None and held.digest == asked.digest:
        return _told(connection, held.id)
    _note(connection, asked, "policy.rollback", step, refusal)
    return refusal if refusal is not None else _append(connection, asked, "rollback", step, [])


def _step(held: sa.Row[Any] | None, policy: Policy, stored: Callable[[str], Policy | None]) -> _Step:
    if held is None:
        return _Step("first", None, None)
    approved = held.baseline or held.digest
    baseline = stored(approved) if approved != held.digest else None
    return _Step(changes.change_class(stored(held.digest), policy, baseline=baseline), held.digest, approved)


def _allowed(connection: sa.Connection, asked: Asked, step: _Step) -> tuple[list[int], tuple[str, str] | None]:
    """Ids of the approvals that this step uses up, and why it may not be done, with the remedy."""
    given = _given(connection, asked, step)
    beyond = _beyond(connection, asked, step)
    if step.change == "major":
        return sorted(given), _short_of_two(connection, given)
    roles = people.roles_of(connection).get(asked.by, frozenset())
    if "ops" not in roles:
        return [], (f"{asked.by} has not the role ops, which a minor change needs", "an ops editor activates it")
    if not _staged(connection, asked, step):
        return [], ("no green staging run of it against what runs now", "tierwise policy stage DIGEST")
    if beyond and not given:
        return [], (f"it is beyond a limit: {beyond[0]}", SECOND_PAIR.replace("people", "one person"))
    return sorted(given) if beyond else [], None


def _given(connection: sa.Connection, asked: Asked, step: _Step) -> dict[int, str]:
    """Approvals of exactly this step that no activation used up, by people who still may give them."""
    used = {
        number
        for row in connection.execute(sa.select(ACTIVATION.c.approvals).where(ACTIVATION.c.digest == asked.digest))
        for number in row.approvals
    }
    author = connection.execute(sa.select(VERSION.c.by).where(VERSION.c.digest == asked.digest)).scalar_one()
    query = sa.select(APPROVAL).where(APPROVAL.c.digest == asked.digest, APPROVAL.c.base == step.base)
    roles = people.roles_of(connection)
    return {
        row.id: row.by
        for row in connection.execute(query.order_by(APPROVAL.c.id))
        if row.id not in used and row.by != author and roles.get(row.by, frozenset()) & {"sales", "revops"}
    }


def _short_of_two(connection: sa.Connection, given: dict[int, str]) -> tuple[str, str] | None:
    roles = people.roles_of(connection)
    sales = {name for name in given.values() if "sales" in roles[name]}
    revops = {name for name in given.values() if "revops" in roles[name]}
    if any(one != other for one in sales for other in revops):
        return None
    so_far = ", ".join(f"{name} ({'/'.join(sorted(roles[name]))})" for name in sorted(set(given.values()))) or "nobody"
    why = f"a major change needs two different people of sales and revops besides its author; so far: {so_far}"
    return why, SECOND_PAIR


def _trial(connection: sa.Connection, asked: Asked, step: _Step, *kinds: str) -> sa.Row[Any] | None:
    query = sa.select(TRIAL).where(TRIAL.c.digest == asked.digest, TRIAL.c.base == step.base, TRIAL.c.kind.in_(kinds))
    return connection.execute(query.order_by(TRIAL.c.id.desc()).limit(1)).one_or_none()


def _staged(connection: sa.Connection, asked: Asked, step: _Step) -> bool:
    found = _trial(connection, asked, step, "staging")
    return found is not None and bool(found.passed)


def _beyond(connection: sa.Connection, asked: Asked, step: _Step) -> list[str]:
    found = _trial(connection, asked, step, "staging", "backtest")
    return list(found.beyond) if found is not None else []


def _note(connection: sa.Connection, asked: Asked, action: str, step: _Step, refusal: Refusal | None) -> None:
    admin_events.note(
        connection,
        asked.by,
        action,
        subject=f"policy {asked.digest}",
        reason=asked.note,
        now=asked.now,
        refused=refusal.why if refusal is not None else None,
        before={"active": step.base},
        after={"active": asked.digest, "environment": asked.environment, "change": step.change},
    )


def _append(connection: sa.Connection, asked: Asked, kind: str, step: _Step, used: list[int]) -> Activation:
    # A minor step moves on from the baseline it was counted from; anything larger is a new one.
    kept = step.baseline if step.change == "minor" or kind == "rollback" else None
    row = {
        "digest": asked.digest, "by": asked.by, "note": asked.note, "at": asked.now, "kind": kind,
        "environment": asked.environment, "change": step.change, "baseline": kept or asked.digest, "approvals": used,
    }  # fmt: skip
    return _told(
        connection, connection.execute(sa.insert(ACTIVATION).values(row).returning(ACTIVATION.c.id)).scalar_one()
    )


def _told(connection: sa.Connection, number: int) -> Activation:
    table = ACTIVATION.c
    query = sa.select(
        table.id, table.digest, VERSION.c.version, table.by, table.note, table.at, table.kind, table.change
    ).join(VERSION, VERSION.c.digest == table.digest)
    return Activation(*connection.execute(query.where(table.id == number)).one())
