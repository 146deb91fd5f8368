"""Notices on their way to people: one row for each notifier, kept until it was delivered or given up."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from tierwise.domain.lead import digest
from tierwise.ports import Dispatch
from tierwise.sdk import Notice
from tierwise.store import columns, engine, fence, schema

TABLE = schema.notification
_DUE = ((columns.literal("ready"), TABLE.c.run_after), (columns.literal("leased"), TABLE.c.lease_until))
KEPT = timedelta(days=30)
"""Notices that were sent are forgotten after this."""


class Notifications:
    """ports.Notifications over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def put(self, notifiers: Collection[str], notice: Notice, *, quiet: timedelta, now: datetime) -> int:
        """For each notifier, unless the same matter was told as severely within `quiet`; how many will tell it."""
        return self._database.write(lambda transaction: put(transaction, notifiers, notice, quiet=quiet, now=now))

    def listen(self, notifiers: Mapping[str, Collection[str]]) -> None:
        """From now on what happens is told to these, each about the events it names, or all where it names none."""
        self._database.notifiers = dict(notifiers)

    def claim(self, *, limit: int, lease: float, now: datetime) -> builtins.list[Dispatch]:
        """The oldest due ones; the attempt is counted here."""

        def work(transaction: sa.Connection) -> builtins.list[Dispatch]:
            ids: builtins.list[int] = []
            for state, since in _DUE:
                query = sa.select(TABLE.c.id).where(TABLE.c.state == state, since <= now).order_by(since, TABLE.c.id)
                query = query.limit(limit - len(ids)).with_for_update(skip_locked=True)
                ids += transaction.execute(query).scalars()
            if not ids:
                return []
            statement = (
                sa.update(TABLE)
                .where(TABLE.c.id.in_(ids))
                .values(
                    state="leased",
                    attempt=TABLE.c.attempt + 1,
                    token=fence.draw(transaction),
                    lease_until=now + timedelta(seconds=lease),
                )
                .returning(*TABLE.c)
            )
            return sorted((_dispatch(row) for row in transaction.execute(statement)), key=lambda one: one.id)

        return self._database.write(work)

    def sent(self, dispatch: Dispatch, *, now: datetime) -> bool:
        """Delivered; False where another one has it by now."""
        return self._settle(dispatch, state="sent", sent_at=now, error="")

    def retry(self, dispatch: Dispatch, *, error: str, run_after: datetime) -> bool:
        """Not delivered; again then."""
        return self._settle(dispatch, state="ready", run_after=run_after, error=error)

    def give_up(self, dispatch: Dispatch, *, error: str) -> bool:
        """Not delivered, and not tried again until a person says so."""
        return self._settle(dispatch, state="dead", error=error)

    def revive(self, notifier: str, *, now: datetime) -> int:
        """What was given up goes out again with all its tries; how many."""
        fresh = {"state": "ready", "attempt": 0, "run_after": now, "error": ""}
        statement = sa.update(TABLE).where(TABLE.c.notifier == notifier, TABLE.c.state == "dead").values(fresh)
        return self._database.write(lambda transaction: transaction.execute(statement).rowcount)

    def due(self, *, now: datetime) -> int:
        """Rows that a claim would find."""
        with self._database.read() as reader:
            counts = [
                reader.execute(sa.select(sa.func.count()).where(TABLE.c.state == state, since <= now)).scalar_one()
                for state, since in _DUE
            ]
        return sum(counts)

    def list(self, *, notifier: str | None = None, limit: int = 100) -> builtins.list[Dispatch]:
        """The newest first."""
        query = sa.select(*TABLE.c).order_by(TABLE.c.id.desc()).limit(limit)
        query = query if notifier is None else query.where(TABLE.c.notifier == notifier)
        with self._database.read() as reader:
            return [_dispatch(row) for row in reader.execute(query)]

    def _settle(self, dispatch: Dispatch, **values: object) -> bool:
        ours = (TABLE.c.id == dispatch.id, TABLE.c.state == "leased", TABLE.c.token == dispatch.token)
        statement = sa.update(TABLE).where(*ours).values(lease_until=None, **values)
        return self._database.write(lambda transaction: transaction.execute(statement).rowcount) > 0


def put(
    transaction: sa.Connection, notifiers: Collection[str], notice: Notice, *, quiet: timedelta, now: datetime
) -> int:
    """For each notifier, unless the same matter was told as severely within `quiet`; how many will tell it."""
    key = digest(notice.key)
    words = {"event": notice.event, "severity": notice.severity, "title": notice.title, "text": notice.text}
    told = {**words, "link": notice.link, "matter": notice.key, "at": notice.at}
    transaction.execute(sa.delete(TABLE).where(TABLE.c.state == "sent", TABLE.c.at < now - KEPT))
    number = 0
    for notifier in sorted(notifiers):
        mine = (TABLE.c.notifier == notifier, TABLE.c.key == key)
        last = sa.select(*TABLE.c).where(*mine).order_by(TABLE.c.id.desc()).limit(1).with_for_update()
        before = transaction.execute(last).first()
        if before is not None and before.state == "ready":
            # Not told yet: only the newest is worth telling.
            transaction.execute(sa.update(TABLE).where(TABLE.c.id == before.id).values(told))
        elif before is None or before.severity != notice.severity or now - before.at >= quiet:
            row = {**told, "notifier": notifier, "key": key, "state": "ready", "attempt": 0, "run_after": now}
            transaction.execute(sa.insert(TABLE).values(row))
        else:
            continue
        number += 1
    return number


def _dispatch(row: sa.Row[tuple[object, ...]]) -> Dispatch:
    held = row._mapping
    notice = Notice(
        held["matter"], held["severity"], held["title"], held["text"], held["at"], held["link"], held["event"]
    )
    return Dispatch(held["id"], held["notifier"], notice, held["state"], held["attempt"], held["token"], held["error"])
