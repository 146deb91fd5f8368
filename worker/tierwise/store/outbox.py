"""Desired fields on their way to the CRM: claimed with a lease, intended in a transaction, sent, settled.

The CRM cannot check our token. So whatever may have reached it without our knowing makes the row go out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from tierwise.domain.advice import REQUEST, Advice
from tierwise.ports import Outgoing, Settled
from tierwise.store import columns, connections, desired, engine, fence, schema, settle

TABLE = schema.outbox
_READY = columns.literal("ready")
_LEASED = columns.literal("leased")
_DUE = ((_READY, TABLE.c.run_after), (_LEASED, TABLE.c.lease_until))
"""When a row of that state is due. Asked apart: each has its own partial index, OR would use neither."""


class Outbox:
    """ports.Outbox over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def claim(self, connection: str, *, limit: int, owner: str, lease: float, now: datetime) -> list[Outgoing]:
        """At most `limit` due rows of one connection, ordered by record id; none while it is disabled or paused."""
        served = (TABLE.c.connection == connection, connections.active(TABLE.c.connection, writing=True))

        def work(transaction: sa.Connection) -> list[Outgoing]:
            rows: list[sa.Row[tuple[int]]] = []
            for state, since in _DUE:
                query = sa.select(TABLE.c.id).where(TABLE.c.state == state, since <= now, *served)
                query = query.order_by(since, TABLE.c.id)
                rows += transaction.execute(query.limit(limit - len(rows)).with_for_update(skip_locked=True)).all()
            if not rows:
                return []
            statement = (
                sa.update(TABLE)
                .where(TABLE.c.id.in_([row.id for row in rows]))
                .values(
                    state="leased",
                    attempt=TABLE.c.attempt + 1,
                    token=fence.draw(transaction),
                    lease_until=now + timedelta(seconds=lease),
                    owner=owner,
                    updated_at=now,
                )
                .returning(*TABLE.c)
            )
            claimed = sorted(transaction.execute(statement), key=lambda row: row.record_id)
            return [
                Outgoing(
                    outbox_id=row.id,
                    connection=row.connection,
                    record_id=row.record_id,
                    desired={**columns.advice(row.desired), **({REQUEST: False} if row.clear else {})},
                    known=columns.advice(row.known),
                    kept=tuple(row.kept),
                    version=row.version,
                    generation=row.generation,
                    attempt=row.attempt,
                    token=row.token,
                )
                for row in claimed
            ]

        return self._database.write(work)

    def intend(
        self, rows: Sequence[tuple[Outgoing, Advice]], *, batch: str, now: datetime, theirs: datetime | None = None
    ) -> frozenset[int]:
        """Commit the intents; returns the outbox ids whose lease still stands, only those may be sent.

        A row whose desired fields changed since the claim is not among them: it is free again at once. `theirs` is
        the same moment by the CRM's own clock, which the stamps of its records are compared with.
        """

        def work(transaction: sa.Connection) -> frozenset[int]:
            intents = {row.outbox_id: (row, values) for row, values in rows}
            updates, attempts, moved = [], [], []
            for stored in settle.locked(transaction, sorted(intents)):
                row, values = intents[stored.id]
                if stored.state != "leased" or stored.token != row.token:
                    continue
                if (stored.version, stored.generation) != (row.version, row.generation):
                    moved.append(stored.id)
                    continue
                updates.append(
                    {
                        "key": stored.id,
                        # From here on nobody knows what the CRM holds in these fields, until it is settled or read.
                        "known": {**stored.known, **dict.fromkeys(values, columns.UNSURE)},
                        "written": desired.remember(stored.written, values),
                        "begun_at": theirs or now,
                        "updated_at": now,
                    }
                )
                attempts.append(
                    {
                        "outbox_id": stored.id,
                        "connection": stored.connection,
                        "record_id": stored.record_id,
                        "batch": batch,
                        "version": row.version,
                        "generation": row.generation,
                        "values": columns.plain(values),
                        "at": now,
                    }
                )
            if moved:
                # An answer that can still be taken back waits on.
                later = sa.case(
                    (TABLE.c.run_after > now, TABLE.c.run_after), else_=sa.literal(now, TABLE.c.run_after.type)
                )
                free = {"state": "ready", "run_after": later, "lease_until": None, "owner": "", "updated_at": now}
                transaction.execute(sa.update(TABLE).where(TABLE.c.id.in_(moved)).values(free))
            if updates:
                transaction.execute(sa.update(TABLE).where(TABLE.c.id == sa.bindparam("key")), updates)
                attempt = schema.write_attempt
                transaction.execute(sa.insert(attempt).returning(attempt.c.id), attempts)
            return frozenset(update["key"] for update in updates)

        return self._database.write(work) if rows else frozenset()

    def renew(self, rows: Sequence[Outgoing], *, lease: float, now: datetime) -> frozenset[int]:
        """Let the lease of these start anew; the outbox ids of those that nobody else has claimed meanwhile."""

        def work(transaction: sa.Connection) -> frozenset[int]:
            ours: set[int] = set()
            for token in sorted({row.token for row in rows}):
                for some in columns.chunks(sorted(row.outbox_id for row in rows if row.token == token)):
                    held = (TABLE.c.id.in_(some), TABLE.c.state == "leased", TABLE.c.token == token)
                    values = {"lease_until": now + timedelta(seconds=lease), "updated_at": now}
                    statement = sa.update(TABLE).where(*held).values(values).returning(TABLE.c.id)
                    ours |= {row.id for row in transaction.execute(statement)}
            return frozenset(ours)

        return self._database.write(work) if rows else frozenset()

    def settle(self, settled: Sequence[Settled], *, batch: str, now: datetime) -> None:
        """Outcomes of a batch. A row whose lease was lost after the call goes back to ready."""
        if settled:
            self._database.write(
                lambda transaction: settle.store(self._database, transaction, settled, batch=batch, now=now)
            )

    def due(self, *, now: datetime) -> dict[str, int]:
        """Rows that a claim would find, by connection."""
        found: dict[str, int] = {}
        with self._database.read() as reader:
            for state, since in _DUE:
                query = sa.select(TABLE.c.connection, sa.func.count()).where(TABLE.c.state == state, since <= now)
                query = query.where(connections.active(TABLE.c.connection, writing=True)).group_by(TABLE.c.connection)
                for name, number in reader.execute(query):
                    found[name] = found.get(name, 0) + int(number)
        return found

    def waiting_since(self, connection: str, *, now: datetime) -> datetime | None:
        """When the oldest of the connection's due rows became due; None where none is."""
        served = (TABLE.c.connection == connection, connections.active(TABLE.c.connection, writing=True))
        found: list[datetime] = []
        with self._database.read() as reader:
            for state, since in _DUE:
                query = sa.select(since).where(TABLE.c.state == state, since <= now, *served).order_by(since).limit(1)
                found += reader.execute(query).scalars()
        return min(found, default=None)
