"""A page of records into the database: leads, work, what does not conform, and the moved cursor. All or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from tierwise.domain import advice
from tierwise.ports import Arrival, CursorClaim, Ingested
from tierwise.store import (
    batch_waits,
    columns,
    connections,
    cursors,
    desired,
    echoes,
    engine,
    labels,
    merges,
    requests,
    reviews,
    schema,
)

Kind = Literal["new", "changed", "unchanged", "rejected", "adopted"]

LEAD = schema.lead
WORK = schema.work
FRESH = timedelta(days=1)
RANK_FRESH, RANK_BACKFILL = 50, 90
"""The smaller is decided first: a lead of today before one of last year."""
NOT_CONFORMING = "The record does not hold what a score needs."


def rank(modified_at: datetime, *, now: datetime) -> int:
    """Urgency of a lead's work."""
    return RANK_FRESH if now - modified_at <= FRESH else RANK_BACKFILL


def kind_of(arrival: Arrival, known_fingerprint: str | None) -> Kind:
    """What an arrival is, given what is stored of its record (None: nothing)."""
    if arrival.fingerprint == known_fingerprint:
        return "unchanged"
    if arrival.lead is None:
        return "rejected"
    if known_fingerprint is not None:
        return "changed"
    own = arrival.own
    if own.get("tierwise_fingerprint") == arrival.fingerprint and own.get("tierwise_status"):
        return "adopted"
    return "new"


def once(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Each record once: of several readings the one modified last, of equal ones the later."""
    latest: dict[str, Arrival] = {}
    for arrival in arrivals:
        held = latest.get(arrival.record_id)
        if held is None or arrival.modified_at >= held.modified_at:
            latest[arrival.record_id] = arrival
    return list(latest.values())


class Page:
    """One page on its way in."""

    def __init__(
        self,
        database: engine.Database,
        claim: CursorClaim,
        arrivals: Sequence[Arrival],
        *,
        policy: str,
        now: datetime,
    ) -> None:
        self._database = database
        self._claim = claim
        self._arrivals = once(arrivals)
        self._policy = policy
        self._now = now

    def store(
        self, connection: sa.Connection, *, position: Mapping[str, Any] | None, watermark: datetime | None
    ) -> Ingested:
        """Everything of the page. Raises LeaseLost where the claim does not stand any more: nothing is stored."""
        moved: dict[str, Any] = {"position": position}
        if watermark is not None:
            moved = {"position": None, "window_until": None, "watermark": watermark}
        connections.lock(connection, self._claim.connection)
        cursors.move(connection, self._claim, moved, now=self._now)
        stored = self._stored(connection)
        overtaken = [item for item in self._arrivals if self._overtaken(item, stored)]
        if overtaken:
            self._arrivals = [item for item in self._arrivals if not self._overtaken(item, stored)]
        stored = {item.record_id: stored[item.record_id] for item in self._arrivals if item.record_id in stored}
        kinds = {item.record_id: self._kind(item, stored) for item in self._arrivals}
        heard = echoes.hear(
            connection,
            self._claim.connection,
            # A record whose input changed gets new advice anyway; its echo still tells what a person holds.
            [
                echoes.Shown(item.record_id, item.modified_at, item.own)
                for item in self._arrivals
                if item.record_id in stored
            ],
            now=self._now,
        )
        asked = requests.hear(
            connection,
            self._claim.connection,
            {item.record_id: item.own for item in self._arrivals},
            before=stored,
            clearing=heard.clearing,
            now=self._now,
        )
        said = labels.hear(
            self._database, connection, self._claim.connection, self._arrivals, before=stored, now=self._now
        )
        rows = {
            item.record_id: self._row(item, kinds[item.record_id], stored.get(item.record_id))
            for item in self._arrivals
        }
        for record_id in heard.delivered_ids:
            rows[record_id]["delivered_at"] = rows[record_id]["delivered_at"] or self._now
        ids = self._write_leads(connection, rows, stored)
        self._queue(connection, kinds, rows, ids)
        self._refuse(connection, kinds, rows, stored)
        if watermark is not None and self._claim.kind == "changes":
            batch_waits.passed(connection, self._claim.connection, watermark=watermark)
        count = list(kinds.values()).count
        return Ingested(
            new=count("new"),
            changed=count("changed"),
            unchanged=count("unchanged") + len(overtaken),
            rejected=count("rejected"),
            adopted=count("adopted"),
            delivered=heard.delivered,
            repaired=heard.repaired,
            kept=heard.kept,
            requested=asked,
            labelled=said,
        )

    def _overtaken(self, item: Arrival, stored: Mapping[str, sa.Row[Any]]) -> bool:
        """Another pass stored a newer reading after ours had begun (an older one without that is a change); or the
        record was merged, and lives on under another id."""
        row, began = stored.get(item.record_id), self._claim.since
        if row is not None and row.merged_into is not None:
            return True
        return row is not None and began is not None and item.modified_at < row.modified_at and row.seen_at > began

    def _stored(self, connection: sa.Connection) -> dict[str, sa.Row[Any]]:
        """Leads by record id, locked; those that were merged go by their new id."""
        moved = [(old, item.record_id) for item in self._arrivals for old in item.former_ids if old != item.record_id]
        found = self._locked(connection, {item.record_id for item in self._arrivals} | {old for old, _ in moved})
        known = [(old, new) for old, new in moved if old in found and found[old].merged_into is None]
        strange = {old: new for old, new in moved if old not in found}
        for old, new in strange.items():
            merges.bury(connection, self._claim.connection, old, new, now=self._now)
        for old, new in known:
            merges.follow(connection, self._claim.connection, old, new)
        if not known and not strange:
            return found
        # The page may hold one of the old ids too: search shows it for a while yet.
        return self._locked(connection, {item.record_id for item in self._arrivals})

    def _locked(self, connection: sa.Connection, record_ids: set[str]) -> dict[str, sa.Row[Any]]:
        found: dict[str, sa.Row[Any]] = {}
        for some in columns.chunks(sorted(record_ids)):
            query = (
                sa.select(LEAD)
                .where(LEAD.c.connection == self._claim.connection, LEAD.c.record_id.in_(some))
                .order_by(LEAD.c.id)
                .with_for_update()
            )
            found.update({row.record_id: row for row in connection.execute(query)})
        return found

    def _kind(self, item: Arrival, stored: Mapping[str, sa.Row[Any]]) -> Kind:
        row = stored.get(item.record_id)
        return kind_of(item, row.fingerprint if row is not None else None)

    def _row(self, item: Arrival, kind: Kind, row: sa.Row[Any] | None) -> dict[str, Any]:
        """The lead's row as it is to be."""
        seen: dict[str, Any] = {
            "own": columns.plain(item.own),
            "modified_at": item.modified_at,
            "seen_at": self._now,
        }
        if row is not None and kind == "unchanged":
            # Provenance may have changed with the map though the lead did not.
            return {**_kept(row), **seen, "provenance": dict(item.provenance), "problems": list(item.problems)}
        lead = item.lead
        content = {
            "fingerprint": item.fingerprint,
            "identity": item.identity,
            "canonical": lead.model_dump(mode="json", exclude_none=True) if lead is not None else None,
            "provenance": dict(item.provenance),
            "problems": list(item.problems),
            "rejected": (item.rejected or NOT_CONFORMING) if lead is None else None,
            "adopted": kind == "adopted",
            "submitted_at": lead.submitted_at if lead is not None else None,
        }
        if row is None:
            return {
                "connection": self._claim.connection,
                "record_id": item.record_id,
                "former_ids": [],
                "revision": 1,
                "first_seen_at": self._now,
                "delivered_at": None,
                **content,
                **seen,
            }
        return {**_kept(row), **content, **seen, "revision": row.revision + 1}

    def _write_leads(
        self, connection: sa.Connection, rows: Mapping[str, dict[str, Any]], stored: Mapping[str, sa.Row[Any]]
    ) -> dict[str, int]:
        """Ids by record id."""
        ids = {record_id: int(row.id) for record_id, row in stored.items()}
        new = [row for record_id, row in rows.items() if record_id not in stored]
        if new:
            inserted = connection.execute(
                sa.insert(LEAD).returning(LEAD.c.record_id, LEAD.c.id, sort_by_parameter_order=True), new
            )
            ids.update({row.record_id: int(row.id) for row in inserted})
            cursors.count(connection, self._claim.connection, len(new))
        old = [
            {"key": ids[record_id], **rows[record_id]}
            for record_id in stored
            if _differs(rows[record_id], stored[record_id])
        ]
        if old:
            connection.execute(sa.update(LEAD).where(LEAD.c.id == sa.bindparam("key")), old)
        return ids

    def _queue(
        self,
        connection: sa.Connection,
        kinds: Mapping[str, Kind],
        rows: Mapping[str, Mapping[str, Any]],
        ids: Mapping[str, int],
    ) -> None:
        """Work for leads that are new or changed; a lead that came back to what it was is decided again (for free)."""
        work = [
            {
                "lead_id": ids[record_id],
                "connection": self._claim.connection,
                "record_id": record_id,
                "fingerprint": rows[record_id]["fingerprint"],
                "policy": self._policy,
                "revision": rows[record_id]["revision"],
                "state": "ready",
                "rank": rank(rows[record_id]["modified_at"], now=self._now),
                "attempt": 0,
                "expiries": 0,
                "run_after": self._now,
                "created_at": self._now,
                "updated_at": self._now,
            }
            for record_id, kind in sorted(kinds.items())
            if kind in ("new", "changed")
        ]
        if not work:
            return
        patient = self._patient(connection, rows)
        for row in work:
            if row["record_id"] in patient:
                row["run_after"] = self._now + batch_waits.HORIZON
        insert = self._database.insert(WORK)
        new = insert.excluded
        leased = WORK.c.state == "leased"
        statement = insert.on_conflict_do_update(
            index_elements=[WORK.c.connection, WORK.c.record_id, WORK.c.fingerprint, WORK.c.policy],
            set_={
                # Whoever is deciding it just now decides the right thing: it only counts for the newer revision.
                "state": sa.case((leased, WORK.c.state), else_=new.state),
                "attempt": sa.case((leased, WORK.c.attempt), else_=0),
                "expiries": sa.case((leased, WORK.c.expiries), else_=0),
                "revision": new.revision,
                "rank": new.rank,
                "run_after": new.run_after,
                "error": "",
                "updated_at": new.updated_at,
            },
        )
        ids_of = {
            row.record_id: row.id for row in connection.execute(statement.returning(WORK.c.id, WORK.c.record_id), work)
        }
        batch_waits.forget(connection, [key for record_id, key in ids_of.items() if record_id not in patient])
        batch_waits.wish(
            self._database, connection, [ids_of[record_id] for record_id in patient & ids_of.keys()], now=self._now
        )

    def _patient(self, connection: sa.Connection, rows: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
        """Records of a backfill, which may wait for a batch; never one that changed since it began, or today."""
        if self._claim.kind != "changes":
            return frozenset()
        until = batch_waits.until(connection, self._claim.connection)
        if until is None:
            return frozenset()
        return frozenset(
            record_id
            for record_id, row in rows.items()
            if row["modified_at"] < until and rank(row["modified_at"], now=self._now) == RANK_BACKFILL
        )

    def _refuse(
        self,
        connection: sa.Connection,
        kinds: Mapping[str, Kind],
        rows: Mapping[str, Mapping[str, Any]],
        stored: Mapping[str, sa.Row[Any]],
    ) -> None:
        """What does not conform becomes visible: an item for a person and a status in the CRM."""
        name = self._claim.connection
        refused = sorted(record_id for record_id, kind in kinds.items() if kind == "rejected")
        overtaken = [record_id for record_id, kind in kinds.items() if record_id in stored and kind != "unchanged"]
        reviews.supersede(connection, name, overtaken, kinds=("schema",))
        desired.put(
            self._database,
            connection,
            [
                desired.Desired(
                    name,
                    record_id,
                    advice.not_scorable(rows[record_id]["fingerprint"], why=rows[record_id]["rejected"]),
                    rows[record_id]["revision"],
                    columns.advice(rows[record_id]["own"]),
                )
                for record_id in refused
            ],
            now=self._now,
        )
        items = [reviews.schema_item(name, record_id, rows[record_id]["rejected"]) for record_id in refused]
        reviews.open_items(connection, items, now=self._now)


_COLUMNS = (
    "fingerprint", "identity", "canonical", "provenance", "problems", "rejected", "adopted", "submitted_at", "revision",
    "delivered_at", "own", "modified_at", "seen_at",
)  # fmt: skip


def _kept(row: sa.Row[Any]) -> dict[str, Any]:
    return {column: row._mapping[column] for column in _COLUMNS}


def _differs(new: Mapping[str, Any], row: sa.Row[Any]) -> bool:
    """Something besides the time of seeing it: an overlap read again costs no write."""
    return any(new[column] != row._mapping[column] for column in _COLUMNS if column != "seen_at")
