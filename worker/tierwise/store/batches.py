"""Batches of questions at a provider: what was planned, submitted and brought, under a lease with a fencing token.

The intent is committed before the call, and what a batch brought in one transaction with its end. Money is reserved
under the batch's own tag, since no process lives as long as a batch.
"""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import pydantic
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.lead import Lead
from tierwise.ports.batches import Batch, Ending, Plan, Planned, Put, Wanted, Whose
from tierwise.ports.money import Ask, Budgets, Permit, Spent
from tierwise.store import assessments, backtests, batch_leads, batch_waits, columns, engine, fence, money, schema

BATCH = schema.model_batch
QUESTION = schema.batch_question
WAIT = schema.batch_wait
WORK = schema.work
LEAD = schema.lead
CLAIM = schema.answer_claim
RESERVED = schema.model_reservation

_SIDES: Mapping[Whose, _Side] = {"lead": batch_leads, "backtest": backtests}
SLACK = timedelta(minutes=15)
"""After a batch's deadline its leads still wait so long for what it had answered by then."""
FORGIVEN = timedelta(days=30)
"""After which a file that cannot be deleted is left to its provider's own rules."""
_SAVED = (
    "state", "deadline", "look_at", "input_file", "provider_id", "files", "tries", "sought", "done", "error", "fault",
    "submitted_at",
)  # fmt: skip
_LONGEST = {"error": 2000, "fault": 40}


class _Side(Protocol):
    """Who waits for batches: leads of the queue, or decisions that a backtest tries again; by their rows' ids."""

    def lock(self, transaction: sa.Connection, ids: Collection[int], *, now: datetime) -> set[int]: ...
    def place(self, transaction: sa.Connection, keys: Mapping[int, str], batches: Mapping[str, int]) -> None: ...
    def postpone(self, transaction: sa.Connection, batch_id: int, *, until: datetime, now: datetime) -> None: ...
    def hold(
        self, transaction: sa.Connection, ids: Collection[int], *, until: datetime, why: str, now: datetime
    ) -> None: ...
    def drop(self, transaction: sa.Connection, batch_id: int, keys: Sequence[str], *, now: datetime) -> None: ...
    def let_go(
        self, database: engine.Database, transaction: sa.Connection, batch: Batch, answered: set[str], *, now: datetime
    ) -> None: ...


class Batches(batch_waits.Waits):
    """ports.Batches over the database."""

    def __init__(self, database: engine.Database) -> None:
        super().__init__(database)
        self._money = money.Money(database)

    def plan(self, plan: Plan, *, budgets: Budgets, deadline: datetime, now: datetime) -> Planned:
        """Reserve the money, write the batch down and let its leads wait for it: one transaction."""

        side = _SIDES[plan.whose]

        def work(transaction: sa.Connection) -> Planned:
            wanted = self._still(transaction, plan.wanted, side, now=now)
            joined = self._join(transaction, wanted, side, now=now)
            # Once more: a batch that ended meanwhile asks nothing now, and what it brought is there.
            known = assessments.read(transaction, {item.key for item in wanted} - joined)
            wanted = [item for item in wanted if item.key not in known]
            fresh: dict[str, Wanted] = {}
            for item in wanted:
                if item.key not in joined:
                    fresh.setdefault(item.key, item)
            tag = secrets.token_hex(16)
            spent = self._reserve(transaction, fresh, tag=tag, budgets=budgets, deadline=deadline, now=now)
            for key in spent:
                del fresh[key]
            refused = [item for item in wanted if item.key in spent]
            if refused:
                held = next(iter(spent.values()))
                told = f"the budget of {held.scope} for a {held.period} has no room for a batch"
                ids = [item.waiter for item in refused]
                side.hold(transaction, ids, until=held.resumes_at, why=told, now=now)
            leads = [item for item in wanted if item.key in fresh]
            waiting = sum(item.key in joined for item in wanted)
            first = next(iter(spent.values()), None)
            if not fresh:
                return Planned(None, leads=waiting, spent=first)
            made = transaction.execute(
                sa.insert(BATCH)
                .values(
                    tag=tag, model=plan.model, stage=plan.stage, strong=plan.strong, policy=plan.policy,
                    state="planned", questions=len(fresh), files=[], created_at=now, deadline=deadline, look_at=now,
                    nano_estimate=sum(item.nano for item in fresh.values()),
                )
                .returning(BATCH.c.id)
            ).scalar_one()  # fmt: skip
            rows = [
                {"content_hash": key, "batch_id": made, "connection": item.connection}
                for key, item in sorted(fresh.items())
            ]
            transaction.execute(sa.insert(QUESTION), rows)
            side.place(transaction, {item.waiter: item.key for item in leads}, dict.fromkeys(fresh, made))
            side.postpone(transaction, made, until=deadline + SLACK, now=now)
            return Planned(made, len(fresh), waiting + len(leads), first)

        return self._database.write(work)

    def due(self, *, now: datetime) -> builtins.list[int]:
        """Batches that somebody has to look at."""
        free = sa.or_(BATCH.c.lease_until.is_(None), BATCH.c.lease_until <= now)
        unended = sa.select(BATCH.c.id).where(BATCH.c.state != columns.literal("ended"), BATCH.c.look_at <= now, free)
        with self._database.read() as reader:
            return builtins.list(reader.execute(unended.order_by(BATCH.c.look_at)).scalars())

    def claim(self, batch_id: int, *, lease: float, now: datetime) -> Batch | None:
        """None while somebody else is at it, and once it ended."""

        def work(transaction: sa.Connection) -> Batch | None:
            free = sa.or_(BATCH.c.lease_until.is_(None), BATCH.c.lease_until <= now)
            until = now + timedelta(seconds=lease)
            # Looked at again no sooner, unless its owner says so: a step that breaks off is not repeated at once.
            values = {"token": fence.draw(transaction), "lease_until": until, "look_at": until}
            statement = sa.update(BATCH).where(BATCH.c.id == batch_id, BATCH.c.state != "ended", free)
            row = transaction.execute(statement.values(values).returning(*BATCH.c)).one_or_none()
            return _batch(row) if row is not None else None

        return self._database.write(work)

    def save(self, batch: Batch, *, now: datetime, wait: bool = False) -> None:
        """Keep what its owner changed; `wait`: its leads wait until its deadline. Raises LeaseLost."""

        def work(transaction: sa.Connection) -> None:
            values = {name: getattr(batch, name) for name in _SAVED}
            values["files"] = builtins.list(batch.files)
            values |= {name: values[name][:length] for name, length in _LONGEST.items()}
            _owned(transaction, batch, **values)
            if wait:
                batch_leads.postpone(transaction, batch.id, until=batch.deadline + SLACK, now=now)
                mine = sa.update(RESERVED).where(RESERVED.c.owner == _owner(batch.tag))
                transaction.execute(mine.values(lease_until=batch.deadline + 2 * SLACK))

        self._database.write(work)

    def free(self, batch: Batch) -> None:
        """Let go of the claim, if it is still ours."""
        statement = sa.update(BATCH).where(BATCH.c.id == batch.id, BATCH.c.token == batch.token)
        self._database.write(lambda transaction: transaction.execute(statement.values(lease_until=None)))

    def asked(self, batch: Batch, *, ready: bool = False) -> builtins.list[Put]:
        """All its questions, each with one of the leads that wait for it; None where none does any more.

        `ready`: leads that are decided, or just being decided, wait no more. A backtest's lead is as it was when the
        decision that is tried again was made.
        """
        waits = sa.and_(WORK.c.id == WAIT.c.work_id, *((WORK.c.state == "ready",) if ready else ()))
        query = (
            sa.select(QUESTION.c.content_hash, QUESTION.c.connection, LEAD.c.canonical)
            .select_from(QUESTION)
            .outerjoin(WAIT, WAIT.c.content_hash == QUESTION.c.content_hash)
            .outerjoin(WORK, waits)
            .outerjoin(LEAD, sa.and_(LEAD.c.id == WORK.c.lead_id, LEAD.c.revision == WORK.c.revision))
            .where(QUESTION.c.batch_id == batch.id)
            .order_by(QUESTION.c.content_hash, WAIT.c.work_id)
        )
        found: dict[str, Put] = {}
        with self._database.read() as reader:
            for row in reader.execute(query):
                held = found.get(row.content_hash)
                if held is None or held.lead is None:
                    found[row.content_hash] = Put(row.content_hash, row.connection, _lead(row.canonical))
            missing = [key for key, put in found.items() if put.lead is None]
            for key, lead in backtests.leads(reader, batch.id, missing, wanted=ready):
                found[key] = found[key]._replace(lead=lead)
        return builtins.list(found.values())

    def drop(self, batch: Batch, keys: Collection[str], *, now: datetime) -> None:
        """Questions that are not to be asked any more; their leads are decided live. Raises LeaseLost."""

        def work(transaction: sa.Connection) -> None:
            _owned(transaction, batch, questions=batch.questions - len(set(keys)))
            for some in columns.chunks(sorted(set(keys))):
                for side in _SIDES.values():
                    side.drop(transaction, batch.id, some, now=now)
                gone = (QUESTION.c.batch_id == batch.id, QUESTION.c.content_hash.in_(some))
                transaction.execute(sa.delete(QUESTION).where(*gone))

        if keys:
            self._database.write(work)

    def end(self, batch: Batch, ending: Ending, *, now: datetime) -> None:
        """Answers, bills, reservations and the leads that waited: one transaction, once. Raises LeaseLost.

        Leads whose question was answered are looked at again by whoever gathers; the others are decided live.
        """

        def work(transaction: sa.Connection) -> None:
            entries = ending.entries
            _owned(
                transaction, batch, state="ended", outcome=ending.outcome, answered=len(ending.answers),
                unusable=ending.unusable, fault=ending.fault[:40], error=ending.error[:2000], ended_at=now,
                lease_until=None, look_at=now, files=builtins.list(batch.files),
                nano_usd=sum(entry.nano_usd for entry in entries),
                nano_saved=sum(entry.nano_saved for entry in entries),
                unpriced=sum(entry.unpriced for entry in entries),
            )  # fmt: skip
            assessments.keep(self._database, transaction, ending.answers, now=now)
            self._money.count(transaction, entries, now=now)
            mine = sa.delete(RESERVED).where(RESERVED.c.owner == _owner(batch.tag))
            if ending.billed:
                transaction.execute(mine)
            else:
                self._money.bury(transaction, RESERVED.c.owner == _owner(batch.tag), now=now)
            # Only what can be read again: whoever waited for anything else would be asked about without end.
            answered = set(assessments.read(transaction, {answer.content_hash for answer in ending.answers}))
            for side in _SIDES.values():
                side.let_go(self._database, transaction, batch, answered, now=now)
            transaction.execute(sa.delete(QUESTION).where(QUESTION.c.batch_id == batch.id))

        self._database.write(work)

    def untidy(self, *, now: datetime) -> builtins.list[Batch]:
        """Those that ended and left files at their provider."""
        left = sa.cast(BATCH.c.files, sa.Text) != "[]"
        wanted = (BATCH.c.state == "ended", BATCH.c.look_at <= now, BATCH.c.ended_at >= now - FORGIVEN, left)
        with self._database.read() as reader:
            return [_batch(row) for row in reader.execute(sa.select(BATCH).where(*wanted).limit(20))]

    def tidied(self, batch_id: int, *, files: Sequence[str], look_at: datetime) -> None:
        """What is left of them, and when to try again."""
        values = {"files": builtins.list(files), "look_at": look_at}
        statement = sa.update(BATCH).where(BATCH.c.id == batch_id, BATCH.c.state == "ended").values(values)
        self._database.write(lambda transaction: transaction.execute(statement))

    def cancel(self, batch_id: int, *, now: datetime) -> bool:
        """Its leads are decided live, now; what it still answers is kept. False where it ended already."""

        def work(transaction: sa.Connection) -> bool:
            statement = sa.update(BATCH).where(BATCH.c.id == batch_id, BATCH.c.state != "ended")
            if transaction.execute(statement.values(cancelled=True, look_at=now)).rowcount != 1:
                return False
            batch_leads.due(transaction, batch_id, now=now)
            return True

        return self._database.write(work)

    def list(self, *, ended_since: datetime, limit: int = 100) -> builtins.list[Batch]:
        """Those that work and those that ended since then, the newest first."""
        wanted = sa.or_(BATCH.c.state != "ended", BATCH.c.ended_at >= ended_since)
        with self._database.read() as reader:
            rows = reader.execute(sa.select(BATCH).where(wanted).order_by(BATCH.c.id.desc()).limit(limit)).all()
        return [_batch(row) for row in rows]

    def _still(
        self, transaction: sa.Connection, wanted: Sequence[Wanted], side: _Side, *, now: datetime
    ) -> builtins.list[Wanted]:
        """Those that wait still, locked; what is answered or being paid for live just now is left for the next look."""
        keys = sorted({item.key for item in wanted})
        taken = set(assessments.read(transaction, keys))
        for some in columns.chunks(keys):
            paid = sa.select(CLAIM.c.content_hash).where(CLAIM.c.content_hash.in_(some), CLAIM.c.lease_until > now)
            taken |= set(transaction.execute(paid).scalars())
        ids = side.lock(transaction, [item.waiter for item in wanted if item.key not in taken], now=now)
        return [item for item in wanted if item.waiter in ids]

    def _join(self, transaction: sa.Connection, wanted: Sequence[Wanted], side: _Side, *, now: datetime) -> set[str]:
        """Keys that a batch asks already; their leads wait for that."""
        keys = {item.key for item in wanted}
        open_ = sa.select(BATCH.c.id, BATCH.c.deadline).where(
            BATCH.c.id.in_(sorted(set(_asking(transaction, keys).values()))), BATCH.c.state != columns.literal("ended")
        )
        # Locked: it cannot end without the leads that join it here, and what ended before is seen below.
        locked = transaction.execute(open_.order_by(BATCH.c.id).with_for_update(read=True)).all()
        deadlines = {row.id: row.deadline for row in locked}
        asked = {key: made for key, made in _asking(transaction, keys).items() if made in deadlines}
        side.place(transaction, {item.waiter: item.key for item in wanted if item.key in asked}, asked)
        for batch_id in sorted(set(asked.values())):
            side.postpone(transaction, batch_id, until=deadlines[batch_id] + SLACK, now=now)
        return set(asked)

    def _reserve(
        self, transaction: sa.Connection, fresh: dict[str, Wanted], *, tag: str, budgets: Budgets, deadline: datetime,
        now: datetime,
    ) -> dict[str, Spent]:  # fmt: skip
        """Keys for which no budget has room."""
        asks = [Ask(key, item.connection, item.nano) for key, item in fresh.items()]
        permits = [Permit("pay") for _ in asks]
        lease = deadline + 2 * SLACK
        self._money.reserve(transaction, asks, permits, owner=_owner(tag), until=lease, budgets=budgets, now=now)
        return {ask.key: permit.spent for ask, permit in zip(asks, permits, strict=True) if permit.spent is not None}


def _owner(tag: str) -> str:
    return f"batch:{tag}"


def _owned(transaction: sa.Connection, batch: Batch, **values: Any) -> None:
    mine = sa.update(BATCH).where(BATCH.c.id == batch.id, BATCH.c.token == batch.token, BATCH.c.state != "ended")
    if transaction.execute(mine.values(**values)).rowcount != 1:
        raise errors.LeaseLost("somebody else looks after it now", place=f"batch {batch.id}")


def _asking(transaction: sa.Connection, keys: Collection[str]) -> dict[str, int]:
    """The batches that ask these, by key."""
    asked: dict[str, int] = {}
    for some in columns.chunks(sorted(keys)):
        query = sa.select(QUESTION.c.content_hash, QUESTION.c.batch_id).where(QUESTION.c.content_hash.in_(some))
        asked.update({row.content_hash: row.batch_id for row in transaction.execute(query)})
    return asked


def _lead(canonical: Any) -> Lead | None:
    try:
        return Lead.model_validate(canonical) if canonical is not None else None
    except pydantic.ValidationError:
        return None


def _batch(row: sa.Row[Any]) -> Batch:
    values = {name: row._mapping[name] for name in Batch._fields}
    return Batch(**{**values, "files": tuple(row.files)})
