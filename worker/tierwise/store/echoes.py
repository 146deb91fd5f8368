"""What a poll shows of our own fields, held against what we want there: delivered, to be repaired, or a person's.

This is how a value that got lost, or was overtaken by a writer that died late, comes right again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.domain import echo
from tierwise.domain.advice import REQUEST, Advice
from tierwise.store import columns, schema

TABLE = schema.outbox
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(days=1)


class Shown(NamedTuple):
    """Our fields on one record, as a page of the poll had them."""

    record_id: str
    modified_at: datetime
    own: Advice


class Heard(NamedTuple):
    """What the echoes of one page did."""

    delivered: int = 0
    repaired: int = 0
    kept: int = 0
    delivered_ids: frozenset[str] = frozenset()
    clearing: frozenset[str] = frozenset()
    """Records whose request for a review was answered and still stands in the CRM."""


def hear(connection: sa.Connection, name: str, page: Collection[Shown], *, now: datetime) -> Heard:
    """Compare a page with the outbox of connection `name`."""
    by_record = {shown.record_id: shown for shown in page}
    delivered, clearing, repaired, kept, changes = set(), set(), 0, 0, []
    for some in columns.chunks(sorted(by_record)):
        rows = connection.execute(
            sa.select(TABLE)
            .where(TABLE.c.connection == name, TABLE.c.record_id.in_(some))
            .order_by(TABLE.c.id)
            .with_for_update()
        ).all()
        for row in rows:
            change = answer(row._asdict(), by_record[row.record_id], now=now)
            if change.get("clear", row.clear):
                clearing.add(row.record_id)
            if not change:
                continue
            changes.append({"key": row.id, **{column: row._mapping[column] for column in _COLUMNS}, **change})
            if change.get("delivered_at") and not row.delivered_at:
                delivered.add(row.record_id)
            repaired += change.get("repairs", 0) > row.repairs
            kept += bool(set(change.get("kept", ())) - set(row.kept))
    if changes:
        connection.execute(sa.update(TABLE).where(TABLE.c.id == sa.bindparam("key")), changes)
    return Heard(len(delivered), repaired, kept, frozenset(delivered), frozenset(clearing))


_COLUMNS = (
    "known", "kept", "foreign", "clear", "state", "generation", "attempt", "repairs", "run_after", "delivered_at",
    "updated_at",
)  # fmt: skip


def answer(row: Mapping[str, Any], shown: Shown, *, now: datetime) -> dict[str, Any]:
    """The columns of an outbox row that an echo changes; empty where it says nothing new."""
    # What is plainly equal needs no comparing: most of most pages.
    wanted = {k: v for k, v in columns.advice(row["desired"]).items() if shown.own.get(k) != v}
    heard = echo.compare(desired=wanted, seen=shown.own, written=row["written"])
    # A page may have been read before our write reached the CRM: what it lacks then is no evidence.
    begun = row["begun_at"]
    if begun is not None and not shown.modified_at.microsecond:
        begun = begun.replace(
            microsecond=0
        )  # of a CRM that stamps whole seconds, our own write seems to come before it
    stale = begun is not None and shown.modified_at < begun
    if stale and not heard.delivered:
        return {}
    taken_back = row["clear"] and not stale and _taken_back(row, shown)
    change: dict[str, Any] = {
        "known": columns.plain(shown.own),
        "kept": list(heard.kept),
        "foreign": foreign(row["foreign"], heard.kept, shown.own, now=now),
        "clear": row["clear"] and not taken_back,
    }
    if row["state"] == "leased":
        # Its writer went by what the CRM showed before: it sees by the generation that it must look again.
        unsure = {name: value for name, value in row["known"].items() if value == columns.UNSURE}
        change |= {"known": {**change["known"], **unsure}}
        told = heard.delivered and not taken_back and change["kept"] == row["kept"]
        if told or all(row[column] == value for column, value in change.items()):
            return {}
        change["generation"] = row["generation"] + 1
    elif row["state"] == "sent":
        if heard.delivered:
            change |= {"delivered_at": row["delivered_at"] or now, "repairs": 0}
        elif heard.repair:
            change |= {
                "state": "ready",
                "generation": row["generation"] + 1,
                "attempt": 0,
                "repairs": row["repairs"] + 1,
                "run_after": now + pause(row["repairs"]),
                "delivered_at": None,
            }
    same = all(row[column] == value for column, value in change.items())
    return {} if same else {**change, "updated_at": now}


def _taken_back(row: Mapping[str, Any], shown: Shown) -> bool:
    """The answered request is gone from the CRM; or it was, and the tick that stands there is a new one."""
    if shown.own.get(REQUEST) is not True:
        return True
    return row["state"] == "sent" and row["known"].get(REQUEST) is False


def foreign(
    earlier: Mapping[str, Any], kept: Collection[str], own: Advice, *, now: datetime
) -> dict[str, dict[str, str]]:
    """A person's values by field: their digest, and since when we know of them."""
    found = {}
    for name in kept:
        mark = echo.mark(own.get(name))
        held = earlier.get(name)
        since = held["since"] if held is not None and held["mark"] == mark else now.isoformat()
        found[name] = {"mark": mark, "since": since}
    return found


def pause(repairs: int) -> timedelta:
    """How long to wait before putting a value back: not at all at first, then longer each time something undoes it."""
    doubled = int(2 ** min(repairs, 20)) - 1
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
