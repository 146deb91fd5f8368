"""Decisions that a backtest tries again and that models are still to be asked about, in batches or live.

A row goes when nothing is left to ask. What was answered is noted beside the decision, which does not stand on it, so
that an erasure finds it.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise.domain import chain
from tierwise.domain.lead import Lead
from tierwise.ports.backtests import Asking, Untried
from tierwise.ports.batches import Batch
from tierwise.store import columns, engine, fence, schema

WAIT = schema.backtest_wait
ANSWER = schema.trial_answer
DECISION = schema.decision
LONGEST = 2000
"""Characters of an error that are kept."""


class Backtests:
    """ports.Backtests over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def ask(self, policy: str, decision_ids: Collection[int], *, live: bool, now: datetime) -> None:
        """Models are to be asked about these under the policy; `live`: at once, also what waits for no batch yet."""

        def work(transaction: sa.Connection) -> None:
            insert = self._database.insert(WAIT)
            fresh = {"live": insert.excluded.live, "due": insert.excluded.due, "tries": 0, "error": ""}
            # One that is in a batch stays there, and one that somebody looks at is his: it is asked about already.
            free = sa.and_(WAIT.c.batch_id.is_(None), sa.or_(WAIT.c.token == 0, WAIT.c.due <= now))
            statement = insert.on_conflict_do_update(
                index_elements=[WAIT.c.policy, WAIT.c.decision_id], set_=fresh, where=free
            )
            for some in columns.chunks(sorted(set(decision_ids))):
                mine = (WAIT.c.policy == policy, WAIT.c.decision_id.in_(some), WAIT.c.cancelled.is_(True))
                transaction.execute(sa.update(WAIT).where(*mine).values(cancelled=False))
                rows = [{"policy": policy, "decision_id": key, "live": live, "due": now, "since": now} for key in some]
                transaction.execute(statement, rows)

        self._database.write(work)

    def due(self, *, now: datetime) -> bool:
        """Whether somebody is to look at some."""
        query = sa.select(WAIT.c.id).where(WAIT.c.batch_id.is_(None), WAIT.c.due <= now).limit(1)
        with self._database.read() as reader:
            return reader.execute(query).first() is not None

    def take(self, *, limit: int, lease: float, now: datetime, policy: str | None = None) -> builtins.list[Untried]:
        """The longest waiting of one policy; nobody else takes them for `lease` seconds."""
        free = [WAIT.c.batch_id.is_(None), WAIT.c.due <= now]

        def work(transaction: sa.Connection) -> builtins.list[int]:
            first = sa.select(WAIT.c.policy).where(*free).order_by(WAIT.c.since, WAIT.c.id).limit(1)
            wanted = policy or transaction.execute(first).scalar_one_or_none()
            query = sa.select(WAIT.c.id).where(*free, WAIT.c.policy == wanted).order_by(WAIT.c.since, WAIT.c.id)
            ids = transaction.execute(query.limit(limit)).scalars().all()
            token = fence.draw(transaction)
            mine: builtins.list[int] = []
            for some in columns.chunks(ids):
                taken = sa.update(WAIT).where(WAIT.c.id.in_(some), *free)
                values = {"due": now + timedelta(seconds=lease), "token": token}
                mine += transaction.execute(taken.values(values).returning(WAIT.c.id)).scalars()
            return mine

        return self._read(self._database.write(work))

    def begin(self, items: Collection[Untried], *, lease: float, now: datetime) -> set[int]:
        """Models are asked about these now: a try counts. The ids of those that are still ours, and wanted."""

        def work(transaction: sa.Connection) -> set[int]:
            found: set[int] = set()
            for token in {item.token for item in items}:
                for some in columns.chunks(sorted(item.id for item in items if item.token == token)):
                    mine = sa.update(WAIT).where(WAIT.c.id.in_(some), WAIT.c.token == token, WAIT.c.batch_id.is_(None))
                    values = {"due": now + timedelta(seconds=lease), "tries": WAIT.c.tries + 1}
                    found |= set(transaction.execute(mine.values(values).returning(WAIT.c.id)).scalars())
            return found

        return self._database.write(work) if items else set()

    def done(self, ids: Collection[int]) -> None:
        """Nothing is left to ask about these rows."""

        def work(transaction: sa.Connection) -> None:
            for some in columns.chunks(sorted(ids)):
                transaction.execute(sa.delete(WAIT).where(WAIT.c.id.in_(some), WAIT.c.batch_id.is_(None)))

        if ids:
            self._database.write(work)

    def again(self, ids: Collection[int], *, due: datetime, error: str = "", tried: bool = True) -> None:
        """Look at these rows then; `tried` is False where the try that was begun was none."""
        values: dict[str, Any] = {"due": due, "error": error[:LONGEST], "token": 0}
        if not tried:
            values["tries"] = WAIT.c.tries - 1

        def work(transaction: sa.Connection) -> None:
            for some in columns.chunks(sorted(ids)):
                mine = sa.update(WAIT).where(WAIT.c.id.in_(some), WAIT.c.batch_id.is_(None))
                transaction.execute(mine.values(values))

        if ids:
            self._database.write(work)

    def cancel(self, policy: str) -> int:
        """Ask no more under the policy; how many decisions. What a batch has under way is paid, and kept."""

        def work(transaction: sa.Connection) -> int:
            mine = WAIT.c.policy == policy
            gone = transaction.execute(sa.delete(WAIT).where(mine, WAIT.c.batch_id.is_(None))).rowcount
            last = sa.update(WAIT).where(mine, WAIT.c.cancelled.is_(False)).values(cancelled=True)
            return gone + transaction.execute(last).rowcount

        return self._database.write(work)

    def list(self) -> builtins.list[Asking]:
        """By policy, the longest waiting first."""
        query = (
            sa.select(
                WAIT.c.policy,
                sa.func.count().label("decisions"),
                sa.func.count(WAIT.c.batch_id).label("batched"),
                sa.func.min(WAIT.c.since).label("since"),
                sa.func.max(WAIT.c.error).label("error"),
            )
            .group_by(WAIT.c.policy)
            .order_by(sa.func.min(WAIT.c.since))
        )
        with self._database.read() as reader:
            return [Asking(**row._mapping) for row in reader.execute(query)]

    def leads(self, decision_ids: Collection[int]) -> Iterator[tuple[str, Lead]]:
        """Connection and lead of these decisions, as they were; those that cannot be read any more are left out."""
        wanted = (DECISION.c.connection, DECISION.c.personal)
        with self._database.read() as reader:
            for some in columns.chunks(sorted(set(decision_ids))):
                for row in reader.execute(sa.select(*wanted).where(DECISION.c.id.in_(some)).order_by(DECISION.c.id)):
                    lead = _lead(row.personal)
                    if lead is not None:
                        yield row.connection, lead

    def note(self, answers: Mapping[int, Collection[str]]) -> None:
        """Answers about these decisions, by decision, on which no decision stands."""
        pairs = [(decision, key) for decision, keys in answers.items() for key in keys]
        if pairs:
            self._database.write(lambda transaction: note(self._database, transaction, pairs))

    def _read(self, ids: Collection[int]) -> builtins.list[Untried]:
        columns_ = (
            WAIT.c.id, WAIT.c.policy, WAIT.c.live, WAIT.c.tries, WAIT.c.token, WAIT.c.decision_id,
            DECISION.c.connection, DECISION.c.record_id, DECISION.c.personal,
        )  # fmt: skip
        query = sa.select(*columns_).join(DECISION, DECISION.c.id == WAIT.c.decision_id)
        found = []
        with self._database.read() as reader:
            for some in columns.chunks(sorted(ids)):
                for row in reader.execute(query.where(WAIT.c.id.in_(some))):
                    given = {name: row._mapping[name] for name in Untried._fields if name != "lead"}
                    found.append(Untried(**given, lead=_lead(row.personal)))
        return sorted(found, key=lambda item: item.id)


# -- in the transactions of `batches`, by the ids of our rows -----------------------------------------------------


def lock(transaction: sa.Connection, ids: Collection[int], *, now: datetime) -> set[int]:
    """Those that wait still and are in no batch."""
    del now
    found: set[int] = set()
    for some in columns.chunks(sorted(ids)):
        mine = sa.update(WAIT).where(WAIT.c.id.in_(some), WAIT.c.batch_id.is_(None))
        found |= set(transaction.execute(mine.values(error="").returning(WAIT.c.id)).scalars())
    return found


def place(transaction: sa.Connection, keys: Mapping[int, str], batches: Mapping[str, int]) -> None:
    """They wait for the batches of their keys."""
    rows = [{"key": number, "hash": key, "batch": batches[key]} for number, key in sorted(keys.items())]
    if rows:
        statement = sa.update(WAIT).where(WAIT.c.id == sa.bindparam("key"))
        values: dict[str, Any] = {"batch_id": sa.bindparam("batch"), "content_hash": sa.bindparam("hash")}
        values |= {"tries": 0, "token": 0}
        transaction.execute(statement.values(values), rows)


def postpone(transaction: sa.Connection, batch_id: int, *, until: datetime, now: datetime) -> None:
    """Nobody looks at what is in a batch before that has ended."""


def hold(transaction: sa.Connection, ids: Collection[int], *, until: datetime, why: str, now: datetime) -> None:
    """They wait for money."""
    del now
    for some in columns.chunks(sorted(ids)):
        mine = sa.update(WAIT).where(WAIT.c.id.in_(some))
        transaction.execute(mine.values(due=until, error=why[:LONGEST], token=0))


def drop(transaction: sa.Connection, batch_id: int, keys: Sequence[str], *, now: datetime) -> None:
    """The batch does not ask these any more: they are asked live, if they can be."""
    mine = (WAIT.c.batch_id == batch_id, WAIT.c.content_hash.in_(keys))
    transaction.execute(sa.delete(WAIT).where(*mine, WAIT.c.cancelled.is_(True)))
    transaction.execute(sa.update(WAIT).where(*mine).values(batch_id=None, content_hash=None, live=True, due=now))


def let_go(
    database: engine.Database, transaction: sa.Connection, batch: Batch, answered: set[str], *, now: datetime
) -> None:
    """The batch ended: what it answered may need the second model, the rest is asked live."""
    query = sa.select(WAIT.c.id, WAIT.c.decision_id, WAIT.c.content_hash).where(WAIT.c.batch_id == batch.id)
    rows = transaction.execute(query).all()
    note(database, transaction, [(row.decision_id, row.content_hash) for row in rows if row.content_hash in answered])
    transaction.execute(sa.delete(WAIT).where(WAIT.c.batch_id == batch.id, WAIT.c.cancelled.is_(True)))
    for live in (False, True):
        ids = [row.id for row in rows if (row.content_hash not in answered) is live]
        for some in columns.chunks(sorted(ids)):
            mine = sa.update(WAIT).where(WAIT.c.id.in_(some))
            transaction.execute(mine.values(batch_id=None, content_hash=None, live=live, due=now))


def leads(reader: sa.Connection, batch_id: int, keys: Collection[str], *, wanted: bool) -> Iterator[tuple[str, Lead]]:
    """For each key that decisions wait for in the batch the lead of one of them; none where all were erased.

    `wanted`: of those that are not cancelled.
    """
    query = sa.select(WAIT.c.content_hash, DECISION.c.personal).join(DECISION, DECISION.c.id == WAIT.c.decision_id)
    if wanted:
        query = query.where(WAIT.c.cancelled.is_(False))
    for some in columns.chunks(sorted(keys)):
        mine = query.where(WAIT.c.batch_id == batch_id, WAIT.c.content_hash.in_(some))
        left = set(some)
        for row in reader.execute(mine.order_by(WAIT.c.id)).all():
            lead = _lead(row.personal) if row.content_hash in left else None
            if lead is not None:
                left.remove(row.content_hash)
                yield row.content_hash, lead


def note(database: engine.Database, transaction: sa.Connection, pairs: Collection[tuple[int, str]]) -> None:
    """Answers about decisions that do not stand on them: (decision, hash)."""
    rows = [{"decision_id": decision, "content_hash": key} for decision, key in sorted(set(pairs))]
    if rows:
        transaction.execute(database.insert(ANSWER).on_conflict_do_nothing(), rows)


def _lead(personal: str | None) -> Lead | None:
    try:
        return Lead.model_validate(json.loads(personal)[chain.FIELDS]) if personal is not None else None
    except pydantic.ValidationError:
        return None
