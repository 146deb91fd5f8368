"""Leads of a period with everything that happened to them since, a slice at a time. Only reads."""

from __future__ import annotations

import builtins
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.ports.pilot import PilotDecision, PilotItem, PilotLabel, PilotLead, Watched
from tierwise.store import columns, engine, schema

LEAD, DECISION, LABEL, OUTBOX = schema.lead, schema.decision, schema.label, schema.outbox
ITEM, DRAW, CURSOR, CONNECTION = schema.review_item, schema.audit_draw, schema.cursor, schema.connection
ATTEMPT = schema.write_attempt
SLICE = 500
TIER = "tierwise_tier"
_BEGAN = sa.func.coalesce(LEAD.c.submitted_at, LEAD.c.first_seen_at)


class Pilots:
    """ports.pilot.Pilots over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def leads(self, *, since: datetime, until: datetime, connection: str | None = None) -> Iterator[PilotLead]:
        """Leads submitted in [since, until), or first seen then where the CRM tells no submission; by connection."""
        moment = LEAD.c.submitted_at.type
        mine = [
            sa.literal(since, moment) <= _BEGAN, sa.literal(until, moment) > _BEGAN, LEAD.c.merged_into.is_(None),
            *([LEAD.c.connection == connection] if connection is not None else []),
        ]  # fmt: skip
        with self._database.read() as reader:
            ids = list(
                reader.execute(sa.select(LEAD.c.id).where(*mine).order_by(LEAD.c.connection, LEAD.c.id)).scalars()
            )
            for some in columns.chunks(ids, SLICE):
                rows = reader.execute(sa.select(LEAD).where(LEAD.c.id.in_(some)).order_by(LEAD.c.connection, LEAD.c.id))
                by_connection: dict[str, list[sa.Row[Any]]] = defaultdict(list)
                for row in rows:
                    by_connection[row.connection].append(row)
                for name, found in by_connection.items():
                    yield from _told(reader, name, found)

    def items(self, *, since: datetime, until: datetime, connection: str | None = None) -> builtins.list[PilotItem]:
        """Review items that opened in [since, until)."""
        query = (
            sa.select(
                ITEM.c.connection, ITEM.c.kind, ITEM.c.state, ITEM.c.created_at, ITEM.c.answered_at, DECISION.c.body
            )
            .outerjoin(DECISION, DECISION.c.id == ITEM.c.decision_id)
            .where(ITEM.c.created_at >= since, ITEM.c.created_at < until)
            .order_by(ITEM.c.id)
        )
        if connection is not None:
            query = query.where(ITEM.c.connection == connection)
        with self._database.read() as reader:
            return [
                PilotItem(*row[:5], route=json.loads(row.body)["route"] if row.body else None, decided=bool(row.body))
                for row in reader.execute(query)
            ]

    def watched(self, connection: str | None = None) -> builtins.list[Watched]:
        """By name of the connection."""
        query = (
            sa.select(CONNECTION.c.name, CONNECTION.c.created_at, CURSOR.c.began_at, CURSOR.c.watermark)
            .outerjoin(CURSOR, sa.and_(CURSOR.c.connection == CONNECTION.c.name, CURSOR.c.kind == "outcomes"))
            .order_by(CONNECTION.c.name)
        )
        told = sa.select(LABEL.c.connection, LABEL.c.subject).where(LABEL.c.source == "crm_outcome").distinct()
        if connection is not None:
            query, told = query.where(CONNECTION.c.name == connection), told.where(LABEL.c.connection == connection)
        subjects: dict[str, set[str]] = defaultdict(set)
        with self._database.read() as reader:
            for name, subject in reader.execute(told):
                subjects[name].add(subject.partition(":")[0])
            return [
                Watched(row.name, row.created_at, row.began_at, row.watermark, frozenset(subjects[row.name]))
                for row in reader.execute(query)
            ]


def _told(reader: sa.Connection, name: str, rows: Sequence[sa.Row[Any]]) -> Iterator[PilotLead]:
    """Leads of one connection with decisions, labels and writes, each asked for once."""
    owner = {old: row.record_id for row in rows for old in (row.record_id, *row.former_ids)}
    decisions = _decisions(reader, name, owner)
    labels: dict[str, list[PilotLabel]] = defaultdict(list)
    query = sa.select(LABEL.c.record_id, *(LABEL.c[field] for field in PilotLabel._fields[:-1]), LABEL.c.said_at)
    mine = (LABEL.c.connection == name, LABEL.c.record_id.in_(list(owner)))
    for said in reader.execute(query.where(*mine).order_by(LABEL.c.id)):
        labels[owner[said.record_id]].append(PilotLabel._make(said[1:]))
    shown: dict[str, datetime] = {}
    sent = sa.select(ATTEMPT.c.record_id, sa.func.min(ATTEMPT.c.finished_at)).where(
        ATTEMPT.c.connection == name, ATTEMPT.c.record_id.in_(list(owner)), ATTEMPT.c.outcome == "sent"
    )
    for key, at in reader.execute(sent.group_by(ATTEMPT.c.record_id)):
        shown[owner[key]] = min(at, shown.get(owner[key], at))
    kept = sa.select(OUTBOX.c.record_id, OUTBOX.c.kept).where(
        OUTBOX.c.connection == name, OUTBOX.c.record_id.in_([row.record_id for row in rows])
    )
    persons = {key for key, fields in reader.execute(kept) if TIER in fields}
    for row in rows:
        key = row.record_id
        yield PilotLead(
            name, key, row.submitted_at, row.first_seen_at, shown.get(key) or row.delivered_at, row.adopted,
            key in persons, tuple(decisions[key]), tuple(labels[key]),
        )  # fmt: skip


def _decisions(reader: sa.Connection, name: str, owner: Mapping[str, str]) -> dict[str, list[PilotDecision]]:
    query = (
        sa.select(
            DECISION.c.id, DECISION.c.record_id, DECISION.c.decided_at, DECISION.c.tier, DECISION.c.status,
            DECISION.c.outcome, DECISION.c.body, DRAW.c.decision_id.is_not(None).label("drawn"),
        )
        .outerjoin(DRAW, DRAW.c.decision_id == DECISION.c.id)
        .where(DECISION.c.connection == name, DECISION.c.record_id.in_(list(owner)))
        .order_by(DECISION.c.sequence)
    )  # fmt: skip
    found: dict[str, list[PilotDecision]] = defaultdict(list)
    for row in reader.execute(query):
        body = json.loads(row.body)
        codes = tuple(dict.fromkeys(reason["code"] for reason in body["reasons"]))
        found[owner[row.record_id]].append(
            PilotDecision(
                row.id, row.decided_at, row.tier, row.status, row.outcome, body["route"], codes, body["cost_usd"],
                bool(row.drawn),
            )
        )  # fmt: skip
    return found
