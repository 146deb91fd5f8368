"""The queue of leads to decide. A lease may run out under its owner; the token tells who may still finish."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise.domain import advice
from tierwise.domain.lead import Lead
from tierwise.ports import Claim
from tierwise.store import columns, connections, desired, engine, fence, requeue, reviews, schema, telling

TABLE = schema.work
LEAD = schema.lead
MANY = 100_000
SUSPECT = 2
"""Leases that ran out: after so many the row is claimed alone, it may be what kills its worker."""
HELD = "waits: "
UNREADABLE = "Stored by another version of Tierwise; read it again with `tierwise backfill`."
UNDECIDED = "Tierwise could not decide this lead; a person should look."
_READY = columns.literal("ready")
_LEASED = columns.literal("leased")
_CLAIMED = [
    TABLE.c[name]
    for name in (
        "id", "connection", "record_id", "fingerprint", "policy", "revision", "state", "rank", "attempt", "expiries",
        "run_after",
    )
]  # fmt: skip
"""What a claim is made of; times that nobody looks at cost as much to read as all the rest."""
_LEASE = (
    sa.update(TABLE)
    .where(TABLE.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(
        attempt=TABLE.c.attempt + 1,
        expiries=TABLE.c.expiries + sa.case((TABLE.c.state == "leased", 1), else_=0),
        state="leased",
        token=sa.bindparam("token_"),
        lease_until=sa.bindparam("until"),
        owner=sa.bindparam("owner_"),
        updated_at=sa.bindparam("now"),
    )
)

_DECIDING = sa.select(TABLE.c.id).where(TABLE.c.state == _LEASED, TABLE.c.lease_until > sa.bindparam("now")).limit(1)


class Works:
    """ports.Works over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database
        self._more: set[str | None] = set()

    def claim(
        self, *, limit: int, owner: str, lease: float, now: datetime, connection: str | None = None
    ) -> list[Claim]:
        """The most urgent ready rows and expired leases; the attempt is counted here."""

        def work(transaction: sa.Connection) -> list[Claim]:
            while True:
                candidates = self._candidates(transaction, limit, now, connection)
                stale = [row.id for row in candidates if row.revision < row.current]
                if stale:
                    _set(transaction, stale, state="superseded", lease_until=None, updated_at=now)
                fresh = [row for row in candidates if row.revision >= row.current]
                if fresh or not candidates:
                    return _lease(transaction, _bounded(fresh), owner=owner, lease=lease, now=now)

        # Asked without a write transaction first: an idle worker asks often. After a full claim there is mostly more.
        if connection not in self._more:
            with self._database.read() as reader:
                if not _any(reader, now, connection):
                    return []
        claims = self._database.write(work)
        (self._more.add if len(claims) >= limit else self._more.discard)(connection)
        return claims

    def renew(self, claims: Sequence[Claim], *, lease: float, now: datetime) -> frozenset[int]:
        """Work ids that are still ours."""

        def work(transaction: sa.Connection) -> frozenset[int]:
            return frozenset(
                row.id
                for token, ids in by_token(claims).items()
                for row in transaction.execute(
                    _mine(token, ids).values(lease_until=now + timedelta(seconds=lease)).returning(TABLE.c.id)
                )
            )

        return self._database.write(work) if claims else frozenset()

    def retry(self, claim: Claim, *, run_after: datetime, error: str, now: datetime) -> bool:
        """Back to ready at that time. False where the lease was lost."""
        statement = _mine(claim.token, [claim.work_id]).values(
            state="ready", run_after=run_after, error=error, lease_until=None, owner="", updated_at=now
        )
        return self._database.write(lambda transaction: transaction.execute(statement).rowcount == 1)

    def hold(self, claim: Claim, *, run_after: datetime, error: str, now: datetime) -> bool:
        """Back to ready at that time, the attempt not counted: nothing was tried. False where the lease was lost."""
        values = {"state": "ready", "run_after": run_after, "error": HELD + error, "lease_until": None, "owner": ""}
        statement = _mine(claim.token, [claim.work_id]).values(**values, attempt=TABLE.c.attempt - 1, updated_at=now)
        return self._database.write(lambda transaction: transaction.execute(statement).rowcount == 1)

    def held(self) -> dict[str, int]:
        """Leads that wait for money, by connection."""
        query = (
            sa.select(TABLE.c.connection, sa.func.count())
            .where(TABLE.c.state == _READY, TABLE.c.error.startswith(HELD, autoescape=True))
            .group_by(TABLE.c.connection)
        )
        with self._database.read() as reader:
            return {row[0]: int(row[1]) for row in reader.execute(query)}

    def release(self, claims: Sequence[Claim], *, now: datetime) -> None:
        """Back to ready at once, the attempt not counted: we are shutting down."""

        def work(transaction: sa.Connection) -> None:
            for token, ids in by_token(claims).items():
                values = {"state": "ready", "run_after": now, "lease_until": None, "owner": "", "updated_at": now}
                transaction.execute(_mine(token, ids).values(**values, attempt=TABLE.c.attempt - 1))

        if claims:
            self._database.write(work)

    def quarantine(self, claim: Claim, *, error: str, now: datetime) -> bool:
        """Tried too often: a review item of kind `schema` opens and status in_review is written. False: lease lost."""

        def work(transaction: sa.Connection) -> bool:
            lead = transaction.execute(
                sa.select(LEAD)
                .where(LEAD.c.id == sa.select(TABLE.c.lead_id).where(TABLE.c.id == claim.work_id).scalar_subquery())
                .with_for_update()
            ).one_or_none()
            values = {"state": "quarantined", "error": error, "lease_until": None, "owner": "", "updated_at": now}
            statement = _mine(claim.token, [claim.work_id]).values(values).returning(TABLE.c.revision)
            revision = transaction.execute(statement).scalar_one_or_none()
            if lead is None or revision is None:
                return False
            shown = {**advice.not_scorable(claim.fingerprint, why=UNDECIDED), "tierwise_status": "in_review"}
            row = desired.Desired(lead.connection, lead.record_id, shown, revision, columns.advice(lead.own))
            desired.put(self._database, transaction, [row], now=now)
            item = reviews.schema_item(lead.connection, lead.record_id, f"{UNDECIDED} {error}".strip())
            reviews.supersede(transaction, lead.connection, [lead.record_id], kinds=("schema",))
            reviews.open_items(transaction, [item], now=now)
            telling.quarantined(self._database, transaction, now=now)
            return True

        return self._database.write(work)

    def requeue(
        self,
        policy: str,
        *,
        since: datetime,
        now: datetime,
        connection: str | None = None,
        open_only: bool = True,
        until: datetime | None = None,
        batch: bool = False,
    ) -> int:
        """Decide leads again under this policy that were decided between `since` and `until`; how many.

        `batch`: where models are to be asked, they may wait for a batch.
        """
        return requeue.requeue(
            self._database, policy, since=since, until=until, connection=connection, open_only=open_only, now=now,
            batch=batch,
        )  # fmt: skip

    def candidates(
        self,
        policy: str,
        *,
        since: datetime,
        connection: str | None = None,
        open_only: bool = True,
        until: datetime | None = None,
    ) -> Iterator[tuple[str, Lead]]:
        """Connection and lead of what `requeue` would take and nobody decided under this policy yet."""
        return requeue.candidates(
            self._database, policy, since=since, until=until, connection=connection, open_only=open_only
        )

    def counts(self) -> dict[str, int]:
        """By state; every state is there. Reads the whole table: not for what is asked every few seconds."""
        query = sa.select(TABLE.c.state, sa.func.count()).group_by(TABLE.c.state)
        with self._database.read() as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in schema.WORK_STATES}

    def waiting(self) -> dict[str, int]:
        """Ready and leased rows: on their partial indexes alone, so that history costs nothing."""
        with self._database.read() as reader:
            return {
                name: int(reader.execute(sa.select(sa.func.count()).where(TABLE.c.state == state)).scalar_one())
                for name, state in (("ready", _READY), ("leased", _LEASED))
            }

    def undecided(self, connection: str) -> bool:
        """Whether any of the connection's leads is still to be decided."""
        # Dressed up: the bare column makes SQLite walk all of the connection's history.
        mine = sa.func.coalesce(TABLE.c.connection, "") == connection
        with self._database.read() as reader:
            queries = (
                sa.select(TABLE.c.id).where(TABLE.c.state == state, mine).limit(1) for state in (_READY, _LEASED)
            )
            return any(reader.execute(query).first() is not None for query in queries)

    def due(self, *, now: datetime) -> int:
        """Rows that a claim would find; counting stops at `MANY`."""
        total = 0
        with self._database.read() as reader:
            for query in _found(one=False):
                some = sa.select(sa.func.count()).select_from(query.subquery())
                total += int(reader.execute(some, {"now": now, "most": MANY}).scalar_one())
        return min(total, MANY)

    def neglected(self, *, since: datetime, now: datetime) -> bool:
        """Whether leads were due at `since` already, and nobody decides any lead now."""
        with self._database.read() as reader:
            # One row tells that a pump is at work, however many rows are ready. Not all in one statement: a plan for
            # any moment reads the whole table on PostgreSQL where nothing is due.
            return reader.execute(_DECIDING, {"now": now}).first() is None and _any(reader, since, None)

    def _candidates(
        self, transaction: sa.Connection, limit: int, now: datetime, connection: str | None
    ) -> list[sa.Row[Any]]:
        """Rows to lease, locked, the most urgent first."""
        asked = {"now": now, "name": connection, "most": limit}
        queries = _claimable(one=connection is not None)
        rows = [row for query in queries for row in transaction.execute(query, asked)]
        return sorted(rows, key=lambda row: (row.rank, row.run_after, row.id))[:limit]


def by_token(claims: Sequence[Claim]) -> dict[int, list[int]]:
    """Work ids by lease token; the ids in order, so that locks are taken in order."""
    tokens: dict[int, set[int]] = {}
    for claim in claims:
        tokens.setdefault(claim.token, set()).add(claim.work_id)
    return {token: sorted(ids) for token, ids in sorted(tokens.items())}


@functools.cache
def _found(*, one: bool) -> tuple[sa.Select[tuple[int]], ...]:
    """`most` ready rows that are due, and leases that ran out, at `now`; `one`: of the connection `name`."""
    # Dressed up, as in `undecided`: by the bare column SQLite would go through the history of the connection.
    name = sa.func.coalesce(TABLE.c.connection, "")
    served = [connections.active(name, writing=False), *([name == sa.bindparam("name")] if one else [])]
    return tuple(
        sa.select(TABLE.c.id)
        .where(TABLE.c.state == state, since <= sa.bindparam("now"), *served)
        .limit(sa.bindparam("most"))
        for state, since in ((_READY, TABLE.c.run_after), (_LEASED, TABLE.c.lease_until))
    )


def _any(reader: sa.Connection, now: datetime, connection: str | None) -> bool:
    """Whether there is one."""
    asked = {"now": now, "name": connection, "most": 1}
    return any(reader.execute(query, asked).first() is not None for query in _found(one=connection is not None))


@functools.cache
def _claimable(*, one: bool) -> tuple[sa.Select[Any], ...]:
    """The most urgent of those, locked, with what a claim is made of. Two queries, each on its own partial index."""
    return tuple(
        query.with_only_columns(*_CLAIMED, LEAD.c.revision.label("current"), LEAD.c.canonical)
        .join(LEAD, LEAD.c.id == TABLE.c.lead_id)
        .order_by(TABLE.c.rank, TABLE.c.run_after, TABLE.c.id)
        .with_for_update(of=TABLE, skip_locked=True)
        for query in _found(one=one)
    )


def _bounded(rows: list[sa.Row[Any]]) -> list[sa.Row[Any]]:
    """All of them, or a suspect alone: what dies with it would be suspected too."""
    if rows and rows[0].expiries + (rows[0].state == "leased") >= SUSPECT:
        return rows[:1]
    return [row for row in rows if row.expiries + (row.state == "leased") < SUSPECT]


def _lease(
    transaction: sa.Connection, rows: Sequence[sa.Row[Any]], *, owner: str, lease: float, now: datetime
) -> list[Claim]:
    leads = {row.id: _readable(row) for row in rows}
    _set_aside(transaction, [row for row in rows if leads[row.id] is None], now=now)
    rows = [row for row in rows if leads[row.id] is not None]
    if not rows:
        return []
    token = fence.draw(transaction)
    leased = {"token_": token, "until": now + timedelta(seconds=lease), "owner_": owner, "now": now}
    transaction.execute(_LEASE, {"ids": [row.id for row in rows], **leased})
    return [
        Claim(
            work_id=row.id,
            connection=row.connection,
            record_id=row.record_id,
            fingerprint=row.fingerprint,
            policy=row.policy,
            revision=row.revision,
            attempt=row.attempt + 1,
            token=token,
            lead=lead,
        )
        for row in rows
        if (lead := leads[row.id]) is not None
    ]


def _readable(row: sa.Row[Any]) -> Lead | None:
    try:
        return Lead.model_validate(row.canonical)
    except pydantic.ValidationError:
        return None


def _set_aside(transaction: sa.Connection, rows: Sequence[sa.Row[Any]], *, now: datetime) -> None:
    """Leads stored by a version whose fields this one does not have: they must not stop the queue."""
    if not rows:
        return
    values = {"state": "quarantined", "lease_until": None, "owner": "", "error": UNREADABLE, "updated_at": now}
    _set(transaction, [row.id for row in rows], **values)
    items = [reviews.schema_item(row.connection, row.record_id, UNREADABLE) for row in rows]
    reviews.open_items(transaction, items, now=now)


def _set(transaction: sa.Connection, ids: Sequence[int], **values: Any) -> None:
    transaction.execute(sa.update(TABLE).where(TABLE.c.id.in_(ids)).values(**values))


def _mine(token: int, ids: Sequence[int]) -> sa.Update:
    return sa.update(TABLE).where(TABLE.c.id.in_(ids), TABLE.c.token == token, TABLE.c.state == "leased")
