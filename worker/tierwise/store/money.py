"""Budgets, who pays for which answer, and what was spent. One lock on PostgreSQL, as SQLite has by itself.

What a process that died had promised to spend counts as spent: the provider saw its calls, we did not see its bills.
"""

from __future__ import annotations

import functools
import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise.domain.rubric import Assessment
from tierwise.ports.money import (
    ALL,
    LOST,
    Ask,
    Bill,
    Budget,
    Budgets,
    Entry,
    Level,
    Period,
    Permit,
    Spent,
)  # fmt: skip
from tierwise.store import assessments, bulk, columns, engine, schema

SPEND = schema.model_spend
RESERVED = schema.model_reservation
CLAIM = schema.answer_claim
DECISION = schema.decision

SOON = timedelta(seconds=30)
_LOCK = sa.text("SELECT pg_advisory_xact_lock(7461736501)")
_KEYS = ("connection", "model", "stage", "strong")
_SUMS = (
    "questions", "calls", "tokens_in", "tokens_out", "tokens_cached", "characters", "repeated", "nano_usd", "unpriced",
    "batched", "nano_saved",
)  # fmt: skip
_KEY_OF, _SUMS_OF = operator.attrgetter(*_KEYS), operator.attrgetter(*_SUMS)
_NOTHING = (0,) * len(_SUMS)


class Money:
    """ports.Money over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def open(self, asks: Sequence[Ask], *, owner: str, lease: float, budgets: Budgets, now: datetime) -> list[Permit]:
        """One permit an ask, in order. Of two asks with one key in the same call only the first may pay."""

        def work(transaction: sa.Connection) -> list[Permit]:
            until = now + timedelta(seconds=lease)
            wanted = sorted({ask.key for ask in asks if ask.key})
            answers = assessments.read(transaction, wanted)
            left = [key for key in wanted if key not in answers]
            mine = self._claimed(transaction, left, owner=owner, until=until, now=now)
            if mine and not self._database.is_sqlite:
                # Asked again after the claim: whoever paid stored the answer before the claim went, which may have
                # been just now. SQLite has no other writer meanwhile.
                answers.update(assessments.read(transaction, mine))
            permits = _permits(asks, mine=mine, answers=answers)
            refused = self.reserve(transaction, asks, permits, owner=owner, until=until, budgets=budgets, now=now)
            _free(transaction, {*(mine & answers.keys()), *refused}, owner=owner)
            return permits

        return self._database.write(work)

    def settle(self, bills: Sequence[Bill], *, owner: str, now: datetime) -> Mapping[str, Assessment]:
        """Keep the answers, free the claims, give back what was reserved, count what was spent: one transaction.

        Answers that others had stored before, by key: they stand, and ours are to be dropped.
        """

        def work(transaction: sa.Connection) -> dict[str, Assessment]:
            answers = {bill.key: bill.answer for bill in bills if bill.answer is not None}
            new = assessments.keep(self._database, transaction, answers.values(), now=now)
            _free(transaction, {bill.key for bill in bills if bill.key}, owner=owner)
            back: dict[str, int] = defaultdict(int)
            for bill in bills:
                back[bill.connection] += bill.reserved
            for connection, nano in sorted(back.items()):
                if nano:
                    self._give_back(transaction, owner, connection, nano)
            self.count(transaction, [entry for bill in bills for entry in bill.entries], now=now)
            return assessments.read(transaction, answers.keys() - new)

        return self._database.write(work) if bills else {}

    def renew(self, owner: str, *, lease: float, now: datetime) -> None:
        """The process lives: what it claimed and reserved stays its own."""

        def work(transaction: sa.Connection) -> None:
            for table in (CLAIM, RESERVED):
                statement = sa.update(table).where(table.c.owner == owner)
                transaction.execute(statement.values(lease_until=now + timedelta(seconds=lease)))

        self._database.write(work)

    def levels(self, budgets: Budgets, *, now: datetime) -> list[Level]:
        """Every limit that is set, and how it stands; a dead process's promises count as reserved until it is seen."""
        scopes = [(name, found) for name, found in sorted(budgets.connections.items())]
        with self._database.read() as connection:
            totals = _Totals(connection, now=now)
        return [
            Level(
                scope,
                period,
                limit,
                spent=totals.spent(scope, period),
                reserved=totals.reserved(scope),
                resumes_at=next_start(period, now),
            )
            for scope, budget in (*scopes, (ALL, budgets.total))
            for period, limit in _limits(budget)
        ]

    def entries(self, *, since: date, until: date | None = None) -> list[Entry]:
        """Sums over the days, `until` included."""
        keys = [SPEND.c[name] for name in _KEYS]
        query = sa.select(*keys, *(sa.func.sum(SPEND.c[name]).label(name) for name in _SUMS))
        query = query.where(SPEND.c.day >= since).group_by(*keys)
        if until is not None:
            query = query.where(SPEND.c.day <= until)
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.order_by(*keys)).mappings()]
        return [_entry(row) for row in rows]

    def scored(self, *, since: date, until: date | None = None) -> dict[str, int]:
        """Leads that got a score, by connection; a lead that was scored twice counts twice."""
        query = sa.select(DECISION.c.connection, sa.func.count()).where(
            DECISION.c.score.is_not(None), DECISION.c.decided_at >= _midnight(since)
        )
        if until is not None:
            query = query.where(DECISION.c.decided_at < _midnight(until + timedelta(days=1)))
        with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query.group_by(DECISION.c.connection))}

    def _claimed(
        self, transaction: sa.Connection, keys: Sequence[str], *, owner: str, until: datetime, now: datetime
    ) -> set[str]:
        """Those that nobody else pays for."""
        if not keys:
            return set()
        rows = [{"content_hash": key, "owner": owner, "lease_until": until, "now": now} for key in keys]
        if not self._database.is_sqlite:
            claimed = self._database.prepared(_claim).returning(CLAIM.c.content_hash)
            return set(transaction.execute(claimed, rows).scalars())
        bulk.put(self._database, transaction, _claim, rows)
        return set(keys) - set(transaction.execute(_TAKEN, {"keys": keys, "owner": owner}).scalars())

    def reserve(
        self,
        transaction: sa.Connection,
        asks: Sequence[Ask],
        permits: list[Permit],
        *,
        owner: str,
        until: datetime,
        budgets: Budgets,
        now: datetime,
    ) -> set[str]:
        """Turn permits to pay into refusals where a budget has no room; the keys of those."""
        bound = [
            place
            for place, (ask, permit) in enumerate(zip(asks, permits, strict=True))
            if permit.state == "pay" and ask.nano and budgets.of(ask.connection)
        ]
        if not bound:
            return set()
        if not self._database.is_sqlite:
            transaction.execute(_LOCK)
        self.bury(transaction, RESERVED.c.lease_until <= now, now=now)
        totals = _Totals(transaction, now=now)
        refused: set[str] = set()
        granted: dict[str, int] = defaultdict(int)
        for place in bound:
            ask = asks[place]
            spent = totals.refuses(ask, budgets)
            if spent is not None:
                permits[place] = Permit("spent", spent=spent)
                refused.add(ask.key)
            else:
                totals.reserve(ask.connection, ask.nano)
                granted[ask.connection] += ask.nano
        rows = [
            {"owner": owner, "connection": connection, "nano_usd": nano, "lease_until": until}
            for connection, nano in sorted(granted.items())
        ]
        bulk.put(self._database, transaction, _promise, rows)
        return refused - {""}

    def bury(self, transaction: sa.Connection, which: sa.ColumnElement[bool], *, now: datetime) -> None:
        """What was promised for calls of which no bill will come counts as spent."""
        dead = sa.delete(RESERVED).where(which)
        for row in transaction.execute(dead.returning(RESERVED.c.connection, RESERVED.c.nano_usd)).all():
            if row.nano_usd > 0:
                lost = Entry(row.connection, "", LOST, questions=0, calls=0, nano_usd=row.nano_usd)
                self.count(transaction, [lost], now=now)

    def _give_back(self, transaction: sa.Connection, owner: str, connection: str, nano: int) -> None:
        mine = {"owner_": owner, "name": connection}
        transaction.execute(_LESS, {**mine, "nano": nano})
        transaction.execute(_NONE, mine)

    def count(self, transaction: sa.Connection, entries: Iterable[Entry], *, now: datetime) -> None:
        """Add to the sums of the day, in a transaction that is open."""
        sums: dict[tuple[str, ...], list[int]] = {}
        for entry in entries:
            key = _KEY_OF(entry)
            sums[key] = list(map(operator.add, sums.get(key, _NOTHING), _SUMS_OF(entry)))
        day = now.astimezone(UTC).date()
        rows = [
            {"day": day, **dict(zip(_KEYS, key, strict=True)), **dict(zip(_SUMS, found, strict=True))}
            for key, found in sorted(sums.items())
        ]
        bulk.put(self._database, transaction, _add, rows)


class _Totals:
    """What is spent and reserved, by connection, as of one moment."""

    def __init__(self, connection: sa.Connection, *, now: datetime) -> None:
        self._now = now
        today = now.astimezone(UTC).date()
        self._spent: dict[Period, dict[str, int]] = {"day": {}, "month": {}}
        self._reserved: dict[str, int] = {}
        for name, day, month, nano in connection.execute(_totals(), {"today": today, "first": today.replace(day=1)}):
            self._spent["day"][name], self._spent["month"][name] = int(day), int(month)
            self._reserved[name] = int(nano)

    def spent(self, scope: str, period: Period) -> int:
        found = self._spent[period]
        return sum(found.values()) if scope == ALL else found.get(scope, 0)

    def reserved(self, scope: str) -> int:
        return sum(self._reserved.values()) if scope == ALL else self._reserved.get(scope, 0)

    def reserve(self, connection: str, nano: int) -> None:
        self._reserved[connection] = self._reserved.get(connection, 0) + nano

    def refuses(self, ask: Ask, budgets: Budgets) -> Spent | None:
        """The budget that has no room for the call, None where all have."""
        for scope, budget in budgets.of(ask.connection):
            for period, limit in _limits(budget):
                spent, reserved = self.spent(scope, period), self.reserved(scope)
                if spent + reserved + ask.nano <= limit:
                    continue
                alone = spent + ask.nano > limit
                resumes = next_start(period, self._now) if alone else self._now + SOON
                return Spent(scope, period, limit, spent, resumes)
        return None


def next_start(period: Period, now: datetime) -> datetime:
    """When the next UTC day or month begins."""
    today = now.astimezone(UTC).date()
    following = today + timedelta(days=1)
    if period == "month":
        following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _midnight(following)


def _entry(row: Mapping[str, Any]) -> Entry:
    words: dict[str, str] = {name: row[name] for name in _KEYS}
    sums: dict[str, int] = {name: int(row[name]) for name in _SUMS}
    return Entry(**words, **sums)  # type: ignore[arg-type]  # by name, of two types


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _limits(budget: Budget) -> list[tuple[Period, int]]:
    found: list[tuple[Period, int | None]] = [("day", budget.day), ("month", budget.month)]
    return [(period, limit) for period, limit in found if limit is not None]


def _permits(asks: Sequence[Ask], *, mine: Collection[str], answers: dict[str, Assessment]) -> list[Permit]:
    permits: list[Permit] = []
    given: set[str] = set()
    for ask in asks:
        if ask.key in answers:
            permits.append(Permit("answered", answer=answers[ask.key]))
        elif ask.key and (ask.key not in mine or ask.key in given):
            permits.append(Permit("taken"))
        else:
            given.add(ask.key)
            permits.append(Permit("pay"))
    return permits


def _claim(database: engine.Database) -> engine.Insert:
    """Claim what nobody else has, at `now`."""
    insert = database.insert(CLAIM)
    mine = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[CLAIM.c.content_hash],
        set_={"owner": mine.owner, "lease_until": mine.lease_until},
        where=sa.or_(CLAIM.c.lease_until <= sa.bindparam("now"), CLAIM.c.owner == mine.owner),
    )


def _promise(database: engine.Database) -> engine.Insert:
    """Add to what a process may still spend."""
    insert = database.insert(RESERVED)
    more = {"nano_usd": RESERVED.c.nano_usd + insert.excluded.nano_usd, "lease_until": insert.excluded.lease_until}
    return insert.on_conflict_do_update(index_elements=[RESERVED.c.owner, RESERVED.c.connection], set_=more)


_MINE = (RESERVED.c.owner == sa.bindparam("owner_"), RESERVED.c.connection == sa.bindparam("name"))
_LEFT = RESERVED.c.nano_usd - sa.bindparam("nano", type_=sa.BigInteger())
_LESS = sa.update(RESERVED).where(*_MINE).values(nano_usd=sa.case((_LEFT > 0, _LEFT), else_=0))
_NONE = sa.delete(RESERVED).where(*_MINE, RESERVED.c.nano_usd == 0)


@functools.cache
def _totals() -> sa.Select[Any]:
    """Spent `today` and since the `first` of its month, and reserved, by connection."""
    today, first = sa.bindparam("today", type_=sa.Date()), sa.bindparam("first", type_=sa.Date())
    of_day = sa.case((SPEND.c.day == today, SPEND.c.nano_usd), else_=0)
    none = sa.literal(0, sa.BigInteger)
    paid = sa.select(SPEND.c.connection, of_day.label("day"), SPEND.c.nano_usd.label("month"), none.label("held"))
    held = sa.select(RESERVED.c.connection, none, none, RESERVED.c.nano_usd)
    # One statement, one snapshot: between two, what is being settled would be in neither.
    rows = sa.union_all(paid.where(SPEND.c.day >= first, SPEND.c.day <= today), held).subquery()
    sums = [sa.func.sum(rows.c[name]) for name in ("day", "month", "held")]
    return sa.select(rows.c.connection, *sums).group_by(rows.c.connection)


def _add(database: engine.Database) -> engine.Insert:
    """Add to the sums of a day."""
    insert = database.insert(SPEND)
    return insert.on_conflict_do_update(
        index_elements=list(SPEND.primary_key.columns),
        set_={name: SPEND.c[name] + insert.excluded[name] for name in _SUMS},
    )


_ASKED = CLAIM.c.content_hash.in_(sa.bindparam("keys", expanding=True))
_TAKEN = sa.select(CLAIM.c.content_hash).where(_ASKED, CLAIM.c.owner != sa.bindparam("owner"))
_FREE = sa.delete(CLAIM).where(_ASKED, CLAIM.c.owner == sa.bindparam("owner"))


def _free(transaction: sa.Connection, keys: Collection[str], *, owner: str) -> None:
    for some in columns.chunks(sorted(keys)):
        transaction.execute(_FREE, {"keys": some, "owner": owner})
