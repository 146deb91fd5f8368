"""The append-only record: batches of finished leads go in, one hash chain per connection comes out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.domain import chain
from tierwise.domain.decision import Decision
from tierwise.ports import ChainReport, Committed, DecisionKey, Finished, Fired, PastDecision, StoredDecision
from tierwise.store import columns, commit, engine, schema

TABLE = schema.decision
CHAIN = schema.chain
PAGE = 500
_MADE: sa.Select[Any] = (
    sa.select(TABLE.c.record_id, TABLE.c.fingerprint, TABLE.c.policy, TABLE.c.body, TABLE.c.personal)
    .where(TABLE.c.connection == sa.bindparam("name"), TABLE.c.record_id.in_(sa.bindparam("records", expanding=True)))
    .order_by(TABLE.c.id)
)


class Decisions:
    """ports.Decisions over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def find(self, keys: Collection[DecisionKey]) -> dict[DecisionKey, Decision]:
        """Decisions that were made already; a key without one is left out."""
        wanted = set(keys)
        found: dict[DecisionKey, Decision] = {}
        with self._database.read() as connection:
            for name, some in _by_connection(wanted):
                for row in connection.execute(_MADE, {"name": name, "records": some}):
                    key = (name, row.record_id, row.fingerprint, row.policy)
                    if key in wanted:
                        found[key] = restored(row)
        return found

    def get(self, decision_id: int) -> Decision | None:
        """The decision of that id."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(TABLE).where(TABLE.c.id == decision_id)).one_or_none()
        return restored(row) if row is not None else None

    def newest(self, inputs: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], Decision]:
        """The newest decision on each input (connection, record id, fingerprint), under whatever policy."""
        found: dict[tuple[str, str, str], sa.Row[Any]] = {}
        with self._database.read() as connection:
            for name, some in _by_connection(inputs):
                for row in connection.execute(_MADE, {"name": name, "records": some}):
                    key = (name, row.record_id, row.fingerprint)
                    if key in inputs:
                        found[key] = row
        return {key: restored(row) for key, row in found.items()}

    def count(self, *, limit: int) -> int:
        """How many there are, `limit` at most."""
        some = sa.select(TABLE.c.id).limit(limit).subquery()
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())

    def latest(self) -> datetime | None:
        """When the newest was made; None where there is none."""
        with self._database.read() as connection:
            found: datetime | None = connection.execute(sa.select(sa.func.max(TABLE.c.decided_at))).scalar_one()
            return found

    def recent(
        self, *, limit: int, part: int = 0, parts: int = 1, page: int = 500, brief: bool = False
    ) -> Iterator[PastDecision]:
        """Of the last `limit` decisions the newest of each lead, in `parts` shares for as many processes; `brief`
        leaves out what the rules said, which is most of the text."""
        with self._database.read() as connection:
            nth = sa.select(TABLE.c.id).order_by(TABLE.c.id.desc()).offset(limit - 1).limit(1)
            oldest = connection.execute(nth).scalar_one_or_none() or 0
            newest = sa.select(sa.func.max(TABLE.c.id).label("id")).where(TABLE.c.id >= oldest)
            newest = newest.group_by(TABLE.c.connection, TABLE.c.record_id)
            ids = [number for number in connection.execute(newest).scalars() if number % parts == part]
            wanted = [TABLE.c[name] for name in ("id", "connection", "record_id", "policy", "body", "personal")]
            for some in columns.chunks(sorted(ids), page):
                for row in connection.execute(sa.select(*wanted).where(TABLE.c.id.in_(some)).order_by(TABLE.c.id)):
                    yield past(row, brief=brief)

    def fired(self, *, since: datetime, limit: int) -> Fired:
        """How often rules matched and reasons were given in decisions since then, the newest `limit` of them."""
        rules: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        seen = 0
        with self._database.read() as connection:
            query = sa.select(TABLE.c.id).where(TABLE.c.decided_at >= since)
            ids = connection.execute(query.order_by(TABLE.c.decided_at.desc()).limit(limit)).scalars().all()
            for some in columns.chunks(sorted(ids), PAGE):
                for body in connection.execute(sa.select(TABLE.c.body).where(TABLE.c.id.in_(some))).scalars():
                    told = json.loads(body)
                    rules.update({hit["rule"] for hit in told["hits"] if hit["truth"] == "match"})
                    reasons.update({given["code"] for given in told["reasons"]})
                    seen += 1
        return Fired(seen, dict(rules), dict(reasons))

    def commit(self, finished: Sequence[Finished], *, now: datetime) -> Committed:
        """Fenced work rows done, decisions chained, assessments cached, outbox and reviews: one transaction."""
        if not finished:
            return Committed(frozenset(), frozenset())
        batch = commit.Batch(self._database, finished, now=now)
        return self._database.write(batch.store)

    def verify(self, connection: str) -> ChainReport:
        """Walk the chain in pages; nothing is locked, links that come meanwhile are left for the next walk."""
        with self._database.read() as reader:
            end = reader.execute(sa.select(CHAIN).where(CHAIN.c.connection == connection)).one_or_none()
            last, head = (end.sequence, end.head) if end is not None else (0, schema.GENESIS)
            links, previous = 0, schema.GENESIS
            while links < last:
                query = sa.select(TABLE).where(TABLE.c.connection == connection, TABLE.c.sequence > links)
                page = reader.execute(
                    query.where(TABLE.c.sequence <= last).order_by(TABLE.c.sequence).limit(PAGE)
                ).all()
                for row in page:
                    if row.sequence != links + 1 or not fits(row._asdict(), previous=previous):
                        return ChainReport(connection, links, previous, links + 1)
                    links, previous = row.sequence, row.hash
                if not page:
                    return ChainReport(connection, links, previous, links + 1)
        return ChainReport(connection, links, previous, None if previous == head else links)


def fits(row: Mapping[str, Any], *, previous: str) -> bool:
    """The stored link follows `previous`, and neither body, personal part nor columns were changed."""
    if row["previous"] != previous or row["hash"] != chain.hashed(previous, row["body"]):
        return False
    body = json.loads(row["body"])
    if row["personal"] is not None and chain.sealed(row["personal"], row["salt"] or "") != body[chain.DIGEST]:
        return False
    decided_at = datetime.fromisoformat(body["decided_at"])
    return row["decided_at"] == decided_at and all(row[name] == body.get(name) for name in commit.MIRRORED)


def of(connection: sa.Connection, name: str, record_ids: Sequence[str]) -> list[StoredDecision]:
    """The decisions on a record, under whatever ids it had, the oldest first."""
    query = (
        sa.select(TABLE).where(TABLE.c.connection == name, TABLE.c.record_id.in_(record_ids)).order_by(TABLE.c.sequence)
    )
    return [
        StoredDecision(row.id, row.sequence, row.previous, row.hash, restored(row)) for row in connection.execute(query)
    ]


def _by_connection(keys: Collection[tuple[str, ...]]) -> Iterator[tuple[str, list[str]]]:
    """Connection and record ids of keys that begin with these, in chunks."""
    for name in sorted({key[0] for key in keys}):
        for some in columns.chunks(sorted({key[1] for key in keys if key[0] == name})):
            yield name, some


def past(row: sa.Row[Any], *, brief: bool = False) -> PastDecision:
    """A decision to be replayed: as it is stored, with what it was made on. `brief`: without its hits."""
    personal = json.loads(row.personal) if row.personal is not None else None
    body = chain.brief(row.body) if brief else json.loads(row.body)
    fields = None
    if personal is not None:
        fields = personal[chain.FIELDS]
        chain.requote(body, personal)
    return PastDecision(row.id, row.connection, row.record_id, row.policy, body, fields)


def restored(row: sa.Row[Any]) -> Decision:
    personal = json.loads(row.personal) if row.personal is not None else None
    return chain.restore(json.loads(row.body), personal)
