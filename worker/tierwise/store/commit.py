"""A batch of finished leads into the database: everything that a decision brings with it, or nothing of it.

Order of locks, for all who write about a record: lead, work, chain, outbox, review item.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.domain import chain
from tierwise.domain.advice import Advice
from tierwise.domain.decision import Decision
from tierwise.ports import Committed, DecisionKey, Finished
from tierwise.store import assessments, bulk, columns, desired, drawn, engine, requests, reviews, schema, works

WORK = schema.work
LEAD = schema.lead
CHAIN = schema.chain
DECISION = schema.decision

MIRRORED = (
    "connection",
    "record_id",
    "fingerprint",
    "policy",
    "status",
    "outcome",
    "score",
    "tier",
    "confidence",
    "chain",
)
"""Columns of a link that repeat what its body says, so that SQL can ask for them."""
STAYS_OPEN = ("fast_track",)
"""A rep asked for it by hand: a newer decision is no answer to that. What is on drawn decisions stays, too: `drawn`."""


# Made once: to make a statement costs as much as to execute it.
_OURS: sa.BindParameter[Any] = sa.bindparam("ours", expanding=True)
_LOCKED = (
    sa.select(LEAD.c.id, LEAD.c.own)
    .where(LEAD.c.id.in_(sa.select(WORK.c.lead_id).where(WORK.c.id.in_(_OURS))))
    .order_by(LEAD.c.id)
    .with_for_update()
)
_FINISH = (
    sa.update(WORK)
    .where(WORK.c.id.in_(_OURS), WORK.c.token == sa.bindparam("drawn"), WORK.c.state == "leased")
    .values(state="done", lease_until=None, owner="", error="", updated_at=sa.bindparam("now"))
    .returning(WORK.c.id, WORK.c.lead_id, WORK.c.connection, WORK.c.record_id, WORK.c.revision)
)
_DECIDED = sa.update(LEAD).where(LEAD.c.id.in_(_OURS)).values(decided_at=sa.bindparam("now"))
_END = sa.select(CHAIN.c.sequence, CHAIN.c.head).where(CHAIN.c.connection == sa.bindparam("name")).with_for_update()
_MOVE = (
    sa.update(CHAIN)
    .where(CHAIN.c.connection == sa.bindparam("name"))
    .values(sequence=sa.bindparam("last"), head=sa.bindparam("hash"))
)
_KEYED = sa.select(DECISION.c.id, DECISION.c.record_id, DECISION.c.fingerprint, DECISION.c.policy).where(
    DECISION.c.connection == sa.bindparam("name")
)
_EXISTING = _KEYED.where(DECISION.c.record_id.in_(_OURS))
_APPENDED = _KEYED.where(DECISION.c.sequence > sa.bindparam("after"))


class Batch:
    """Some finished leads on their way in."""

    def __init__(self, database: engine.Database, finished: Sequence[Finished], *, now: datetime) -> None:
        self._database = database
        # Who lost a lease and got the row again may come with both answers: the later claim counts.
        self._finished = {item.claim.work_id: item for item in sorted(finished, key=lambda item: item.claim.token)}
        self._now = now

    def store(self, connection: sa.Connection) -> Committed:
        """Only what is still ours is stored."""
        leads = self._lock_leads(connection)
        done = self._finish_work(connection)
        if done:
            mine = {work_id: self._finished[work_id] for work_id in sorted(done)}
            ids = self._append(connection, mine)
            paid = [answer for item in mine.values() for answer in item.decision.assessments]
            assessments.keep(self._database, connection, paid, now=self._now)
            self._desire(connection, mine, done, leads)
            self._review(connection, mine, done, ids)
            self._audit(connection, mine, ids)
            connection.execute(_DECIDED, {"ours": sorted({row.lead_id for row in done.values()}), "now": self._now})
        return Committed(done=frozenset(done), lost=frozenset(self._finished) - frozenset(done))

    def _lock_leads(self, connection: sa.Connection) -> dict[int, Advice]:
        """Our fields as the CRM last showed them, by lead."""
        rows = connection.execute(_LOCKED, {"ours": sorted(self._finished)})
        return {lead_id: columns.advice(own) for lead_id, own in rows}

    def _finish_work(self, connection: sa.Connection) -> dict[int, sa.Row[Any]]:
        """The rows that were still leased under our token; a zombie's are not among them."""
        done: dict[int, sa.Row[Any]] = {}
        for token, ids in works.by_token([item.claim for item in self._finished.values()]).items():
            for row in connection.execute(_FINISH, {"ours": ids, "drawn": token, "now": self._now}):
                done[row.id] = row
        return done

    def _append(self, connection: sa.Connection, mine: Mapping[int, Finished]) -> dict[DecisionKey, int]:
        """Decision ids by key: new links, or what was decided on the same before."""
        fresh: dict[DecisionKey, Decision] = {key_of(item.decision): item.decision for item in mine.values()}
        ids: dict[DecisionKey, int] = {}
        for name in sorted({key[0] for key in fresh}):
            end = connection.execute(_END, {"name": name}).one()
            # Asked under the lock, so that nobody can append the same in between.
            ids.update(self._existing(connection, name, fresh))
            links, sequence, head = [], int(end.sequence), str(end.head)
            for key, decision in fresh.items():
                if key[0] == name and key not in ids:
                    link = chain.link(decision, previous=head, salt=secrets.token_hex(16))
                    sequence += 1
                    links.append(_columns(decision, link, sequence=sequence, previous=head))
                    head = link.hash
            if links:
                bulk.put(self._database, connection, _links, links)
                for row in connection.execute(_APPENDED, {"name": name, "after": end.sequence}):
                    ids[name, row.record_id, row.fingerprint, row.policy] = row.id
                connection.execute(_MOVE, {"name": name, "last": sequence, "hash": head})
        return ids

    def _existing(
        self, connection: sa.Connection, name: str, fresh: Mapping[DecisionKey, Decision]
    ) -> dict[DecisionKey, int]:
        found: dict[DecisionKey, int] = {}
        for some in columns.chunks(sorted({key[1] for key in fresh if key[0] == name})):
            for row in connection.execute(_EXISTING, {"name": name, "ours": some}):
                key = (name, row.record_id, row.fingerprint, row.policy)
                if key in fresh:
                    found[key] = row.id
        return found

    def _desire(
        self,
        connection: sa.Connection,
        mine: Mapping[int, Finished],
        done: Mapping[int, sa.Row[Any]],
        leads: Mapping[int, Advice],
    ) -> None:
        # The row's revision, not the claim's: a lead that changed and changed back meanwhile is at a newer one.
        newest: dict[tuple[str, str], desired.Desired] = {}
        for work_id, item in mine.items():
            row = done[work_id]
            wanted = desired.Desired(row.connection, row.record_id, item.advice, row.revision, leads[row.lead_id])
            held = newest.get((row.connection, row.record_id))
            if held is None or held.version < wanted.version:
                newest[row.connection, row.record_id] = wanted
        desired.put(self._database, connection, list(newest.values()), now=self._now)

    def _review(
        self,
        connection: sa.Connection,
        mine: Mapping[int, Finished],
        done: Mapping[int, sa.Row[Any]],
        ids: Mapping[DecisionKey, int],
    ) -> None:
        asked: set[tuple[str, str]] = set()
        for name in sorted({row.connection for row in done.values()}):
            records = {row.record_id for row in done.values() if row.connection == name}
            newest = {
                row.record_id: drawn.Newest(
                    ids[key_of(mine[key].decision)], mine[key].decision.fingerprint, mine[key].audit is not None,
                    review.kind if (review := mine[key].review) is not None else None,
                )
                for key, row in done.items()
                if row.connection == name
            }  # fmt: skip
            # Most records have no open item. One that is opened after this look comes after this decision.
            waiting = reviews.waiting(connection, name, records)
            kept = drawn.keep(connection, name, newest, waiting=waiting)
            asked |= {(name, record) for record in kept.asked}
            reviews.supersede(connection, name, waiting, but=STAYS_OPEN, but_items=kept.items)
            requests.renew(connection, name, {key: newest[key].decision_id for key in waiting})
        items = [
            {
                "connection": done[work_id].connection,
                "record_id": done[work_id].record_id,
                "kind": item.review.kind,
                "priority": item.review.priority,
                "reason": item.review.reason,
                "decision_id": ids[key_of(item.decision)],
            }
            for work_id, item in mine.items()
            if item.review is not None
            and (item.review.kind != drawn.KIND or (done[work_id].connection, done[work_id].record_id) not in asked)
        ]
        reviews.open_items(connection, items, now=self._now)

    def _audit(self, connection: sa.Connection, mine: Mapping[int, Finished], ids: Mapping[DecisionKey, int]) -> None:
        rows = {
            ids[key_of(item.decision)]: {**item.audit._asdict(), "at": self._now}
            for item in mine.values()
            if item.audit is not None
        }
        if rows:
            draws = [{"decision_id": key, **row} for key, row in sorted(rows.items())]
            connection.execute(self._database.insert(schema.audit_draw).on_conflict_do_nothing(), draws)


def key_of(decision: Decision) -> DecisionKey:
    """What makes a second decision the same one."""
    return decision.connection, decision.record_id, decision.fingerprint, decision.policy


def _links(database: engine.Database) -> engine.Insert:
    return database.insert(DECISION)


def _columns(decision: Decision, link: chain.Link, *, sequence: int, previous: str) -> dict[str, Any]:
    return {
        **{name: getattr(decision, name) for name in MIRRORED},
        "decided_at": decision.decided_at,
        "sequence": sequence,
        "previous": previous,
        "hash": link.hash,
        "body": link.body,
        "personal": link.personal,
        "salt": link.salt,
    }
