"""Leads that are to be decided again under another policy: work rows for what is stored, a slice at a time.

It asks nothing and decides nothing. A lead that is being decided at that moment is left to whoever does.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise.domain.lead import Lead
from tierwise.store import batch_waits, engine, schema

WORK = schema.work
LEAD = schema.lead
DECISION = schema.decision
RANK = 95
"""After new leads and after backfill."""
SLICE = 2000
CLOSED = ("opportunity", "customer", "evangelist", "disqualified")
"""Stages of a lead in which no tier would change what sales does."""


def requeue(
    database: engine.Database,
    policy: str,
    *,
    since: datetime,
    until: datetime | None,
    connection: str | None,
    open_only: bool,
    now: datetime,
    batch: bool = False,
) -> int:
    """How many leads it is. Safe to run again: what is there is not doubled. `batch`: they may wait for one."""
    conditions = _chosen(since, until, connection, open_only=open_only)
    total, after = 0, 0
    while True:
        query = sa.select(LEAD.c.id).where(*conditions, LEAD.c.id > after).order_by(LEAD.c.id).limit(SLICE)
        with database.read() as reader:
            ids = list(reader.execute(query).scalars())
        if not ids:
            return total
        # Asked again where it is written: a lead may have changed or been merged in between.
        due = now + batch_waits.HORIZON if batch else now
        statement = _insert(database, policy, [LEAD.c.id.in_(ids), *conditions], due=due, now=now)
        total += database.write(functools.partial(_queue, database, statement, now if batch else None))
        after = ids[-1]


def candidates(
    database: engine.Database,
    policy: str,
    *,
    since: datetime,
    until: datetime | None,
    connection: str | None,
    open_only: bool,
) -> Iterator[tuple[str, Lead]]:
    """Connection and lead of all that `requeue` would take and that have no decision under the policy yet."""
    made = sa.exists().where(
        DECISION.c.connection == LEAD.c.connection,
        DECISION.c.record_id == LEAD.c.record_id,
        DECISION.c.fingerprint == LEAD.c.fingerprint,
        DECISION.c.policy == policy,
    )
    conditions = [*_chosen(since, until, connection, open_only=open_only), ~made]
    after = 0
    while True:
        query = sa.select(LEAD.c.id, LEAD.c.connection, LEAD.c.canonical).where(*conditions, LEAD.c.id > after)
        with database.read() as reader:
            rows = reader.execute(query.order_by(LEAD.c.id).limit(SLICE)).all()
        if not rows:
            return
        for row in rows:
            # What another version stored is read again by a backfill; `claim` sets it aside.
            with contextlib.suppress(pydantic.ValidationError):
                yield row.connection, Lead.model_validate(row.canonical)
        after = rows[-1].id


def _chosen(
    since: datetime, until: datetime | None, connection: str | None, *, open_only: bool
) -> list[sa.ColumnElement[bool]]:
    conditions = [LEAD.c.decided_at >= since, LEAD.c.merged_into.is_(None), LEAD.c.rejected.is_(None)]
    if until is not None:
        conditions.append(LEAD.c.decided_at < until)
    if connection is not None:
        conditions.append(LEAD.c.connection == connection)
    if open_only:
        stage = sa.func.coalesce(LEAD.c.canonical["lifecycle"].as_string(), "lead")
        conditions.append(stage.not_in(CLOSED))
    return conditions


def _queue(
    database: engine.Database, statement: sa.Executable, wished: datetime | None, transaction: sa.Connection
) -> int:
    ids = [row[0] for row in transaction.execute(statement)]
    if wished is None:
        batch_waits.forget(transaction, ids)
    else:
        batch_waits.wish(database, transaction, ids, now=wished)
    return len(ids)


def _insert(
    database: engine.Database, policy: str, conditions: list[Any], *, due: datetime, now: datetime
) -> sa.Executable:
    given = {
        "lead_id": LEAD.c.id, "connection": LEAD.c.connection, "record_id": LEAD.c.record_id,
        "fingerprint": LEAD.c.fingerprint, "policy": sa.literal(policy), "revision": LEAD.c.revision,
        "state": sa.literal("ready"), "rank": sa.literal(RANK), "attempt": sa.literal(0), "expiries": sa.literal(0),
        "run_after": sa.literal(due, WORK.c.run_after.type), "created_at": sa.literal(now, WORK.c.created_at.type),
        "updated_at": sa.literal(now, WORK.c.updated_at.type),
    }  # fmt: skip
    insert = database.insert(WORK).from_select(list(given), sa.select(*given.values()).where(*conditions))
    fresh = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[WORK.c.connection, WORK.c.record_id, WORK.c.fingerprint, WORK.c.policy],
        set_={
            "state": fresh.state, "revision": fresh.revision, "rank": fresh.rank, "attempt": 0, "expiries": 0,
            "run_after": fresh.run_after, "error": "", "updated_at": fresh.updated_at,
        },
        where=WORK.c.state.not_in(("leased", "ready")),
    ).returning(WORK.c.id)  # fmt: skip
