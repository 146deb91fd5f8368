"""One person's rows in every table: found, given out, and erased so that the chain of decisions still verifies.

What is personal is not listed: every column of a record's rows is emptied but those known to hold none of it, so that a
table or column that is added later is erased until somebody says that it need not be.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise import errors
from tierwise.ports.persons import Erased
from tierwise.store import admin_events, columns, engine, people, schema

GONE = "[erased]"
RecordKey = tuple[str, str]
LEAD, DECISION, WAIT, WORK = schema.lead, schema.decision, schema.batch_wait, schema.work
TRIAL = schema.trial_answer
PLAIN: Mapping[str, frozenset[str]] = {
    "lead": frozenset({"connection", "record_id", "fingerprint", "former_ids", "merged_into"}),
    "work": frozenset({"connection", "record_id", "fingerprint", "policy", "state", "owner"}),
    # The body holds what is personal as a salted digest only; without the salt nobody can try out guesses.
    "decision": frozenset(
        {"connection", "previous", "hash", "record_id", "fingerprint", "policy", "status", "outcome", "tier", "chain",
         "body"}
    ),
    "outbox": frozenset({"connection", "record_id", "content", "state", "owner"}),
    "write_attempt": frozenset({"connection", "record_id", "batch", "outcome"}),
    "review_item": frozenset({"connection", "record_id", "kind", "state", "answered_by"}),
    "label": frozenset(
        {"connection", "record_id", "source", "subject", "value", "previous", "currency", "by", "key"}
    ),
    "automation": frozenset({"connection", "record_id", "field", "before", "after", "state", "report"}),
    "shadow_decision": frozenset({"connection", "record_id", "policy", "live_policy", "live", "shadow"}),
}  # fmt: skip
"""Columns of texts that stay: names, states and digests of ours."""
WHO = frozenset({"by", "actor", "answered_by", "closed_by", "owner", "name", "connection", "record_id"})
"""Columns that name colleagues, processes and records."""
SEALED = frozenset({"decision", "person", "policy_version", "calibration", "registration", "validation_report"})
"""Tables under a digest, in which nothing is replaced: nothing of a lead gets there but as above."""


class Persons:
    """ports.persons.Persons over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def find(self, *, needles: Collection[str], record: RecordKey | None = None) -> builtins.list[RecordKey]:
        """Records that are or were that person's: by what is stored of them, now and in former decisions."""
        with self._database.read() as reader:
            return _records(reader, needles, record)

    def export(self, records: Collection[RecordKey]) -> dict[str, builtins.list[dict[str, Any]]]:
        """Every row of these records, by table."""
        with self._database.read() as reader:
            return {
                table.name: [dict(row._mapping) for row in reader.execute(sa.select(table).where(where))]
                for table, where in _rows(records)
            }

    def erase(
        self, records: Collection[RecordKey], *, needles: Collection[str], by: str, reason: str, now: datetime
    ) -> Erased:
        """Empty them in one transaction, and replace `needles` wherever else they stand. Refused for who may not."""

        def work(connection: sa.Connection) -> Erased | str:
            why = people.why_not(connection, by, ("admin",))
            found: dict[str, int] = {}
            if why is None:
                found = _erase(connection, records, now=now)
                for name, number in _sweep(connection, needles).items():
                    found[name] = found.get(name, 0) + number
            admin_events.note(
                connection, by, "person.erase", subject="person", reason=_without(reason, needles), now=now,
                refused=why, after={"records": len(records), "tables": found},
            )  # fmt: skip
            return why if why is not None else Erased(len(records), found)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place="erase", remedy="an admin erases")
        return made


def _records(reader: sa.Connection, needles: Collection[str], record: RecordKey | None) -> builtins.list[RecordKey]:
    found: set[RecordKey] = {record} if record is not None else set()
    for needle in needles:
        like = f"%{_escaped(needle)}%"
        for table, held in ((LEAD, LEAD.c.canonical), (LEAD, LEAD.c.provenance), (DECISION, DECISION.c.personal)):
            query = sa.select(table.c.connection, table.c.record_id, held.label("held"))
            for row in reader.execute(query.where(sa.cast(held, sa.Text).ilike(like, escape="\\"))):
                # Whoever only mentions an address is somebody else.
                if _is(row.held, needle):
                    found.add((row.connection, row.record_id))
    # A person is every id that the record had: of merges, too.
    waiting = builtins.list(found)
    while waiting:
        name, key = waiting.pop()
        query = sa.select(LEAD.c.record_id, LEAD.c.former_ids, LEAD.c.merged_into).where(LEAD.c.connection == name)
        same = sa.or_(LEAD.c.record_id == key, LEAD.c.merged_into == key)
        for row in reader.execute(query.where(same)):
            ids = {row.record_id, *row.former_ids, *([row.merged_into] if row.merged_into else [])}
            more = {(name, one) for one in ids} - found
            found |= more
            waiting += more
    return sorted(found)


def _is(held: Any, needle: str) -> bool:
    """Whether a lead, where its values came from, or what a decision was made on has that address or number."""
    value = json.loads(held) if isinstance(held, str) else held
    signals = value.get("fields", value)
    for name in ("email", "phone"):
        stated = signals.get(name)
        stated = stated.get("raw") if isinstance(stated, Mapping) else stated
        if isinstance(stated, str) and stated.strip().lower() == needle.lower():
            return True
    return False


def _rows(records: Collection[RecordKey]) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """Every table's rows of these records: by record, or by a key to a row of one."""
    mine: dict[str, sa.ColumnElement[bool]] = {}
    for table in schema.metadata.sorted_tables:
        where = None
        if {"connection", "record_id"} <= set(table.c.keys()):
            where = sa.or_(
                sa.false(), *(sa.and_(table.c.connection == name, table.c.record_id == key) for name, key in records)
            )
        else:
            parts = [
                key.parent.in_(sa.select(key.column).where(mine[key.column.table.name]))
                for key in table.foreign_keys
                if key.column.table.name in mine
            ]
            where = sa.or_(*parts) if parts else None
        if where is not None:
            mine[table.name] = where
            yield table, where


def _erase(connection: sa.Connection, records: Collection[RecordKey], *, now: datetime) -> dict[str, int]:
    found: dict[str, int] = {}
    hashes = _answers(connection, records)
    for some in columns.chunks(sorted(hashes)):
        gone = connection.execute(sa.delete(schema.assessment).where(schema.assessment.c.content_hash.in_(some)))
        found["assessment"] = found.get("assessment", 0) + gone.rowcount
    # Nothing is decided or written of it any more.
    for table, state, ended in (
        (schema.work, ("ready", "leased"), {"state": "superseded", "updated_at": now}),
        (schema.outbox, ("ready", "leased"), {"state": "sent", "updated_at": now}),
        (schema.review_item, ("open",), {"state": "superseded"}),
    ):
        for name, key in records:
            mine = sa.and_(table.c.connection == name, table.c.record_id == key, table.c.state.in_(state))
            connection.execute(sa.update(table).where(mine).values(**ended))
    for table, where in _rows(records):
        values = {column.name: _empty(column) for column in table.c if _personal(table, column)}
        if values:
            found[table.name] = connection.execute(sa.update(table).where(where).values(values)).rowcount
    return {name: number for name, number in found.items() if number}


def _personal(table: sa.Table, column: sa.Column[Any]) -> bool:
    if column.primary_key or column.foreign_keys or not isinstance(column.type, sa.String | sa.JSON):
        return False
    return column.name not in PLAIN.get(table.name, ())


def _empty(column: sa.Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, sa.JSON):
        return [] if column.name in ("problems", "kept") else {}
    return ""


def _answers(connection: sa.Connection, records: Collection[RecordKey]) -> set[str]:
    """Hashes of the models' answers on them, which hold quotes."""
    found: set[str] = set()
    for name, key in records:
        query = sa.select(DECISION.c.body).where(DECISION.c.connection == name, DECISION.c.record_id == key)
        for body in connection.execute(query).scalars():
            found |= {answer["content_hash"] for answer in json.loads(body).get("assessments", ())}
        # What a batch brought for a lead that waits for the next: no decision stands on it yet.
        waits = sa.select(WAIT.c.content_hash, WAIT.c.answered).join(WORK, WORK.c.id == WAIT.c.work_id)
        for row in connection.execute(waits.where(WORK.c.connection == name, WORK.c.record_id == key)):
            found |= {*(row.answered or ()), *([row.content_hash] if row.content_hash else [])}
        # What a backtest or a shadow asked: no decision stands on that.
        trial = sa.select(TRIAL.c.content_hash).join(DECISION, DECISION.c.id == TRIAL.c.decision_id)
        mine = (DECISION.c.connection == name, DECISION.c.record_id == key)
        found |= set(connection.execute(trial.where(*mine)).scalars())
    return found


def _sweep(connection: sa.Connection, needles: Collection[str]) -> dict[str, int]:
    """Wherever else an address or number stands: in an error's words, in a message to people."""
    found: dict[str, int] = {}
    for needle in needles:
        # Of somebody else's decision nothing can be replaced under its seal, so its personal part goes as a whole.
        holds_it = DECISION.c.personal.ilike(f"%{_escaped(needle)}%", escape="\\")
        gone = connection.execute(sa.update(DECISION).where(holds_it).values(personal=None, salt=None))
        found["decision"] = found.get("decision", 0) + gone.rowcount
    for table in schema.metadata.sorted_tables:
        if table.name in SEALED:
            continue
        keys = builtins.list(table.primary_key.columns)
        texts = [
            column
            for column in table.c
            if isinstance(column.type, sa.String | sa.JSON) and not column.primary_key and column.name not in WHO
        ]
        for needle in needles:
            like = f"%{_escaped(needle)}%"
            holds = [sa.cast(column, sa.Text).ilike(like, escape="\\") for column in texts]
            if not holds:
                continue
            # Locked: what others write meanwhile is replaced as well, and not overwritten with what stood before.
            rows = sa.select(table).where(sa.or_(*holds)).order_by(*keys).with_for_update()
            for row in connection.execute(rows).all():
                held = {column.name: row._mapping[column.name] for column in texts}
                changed = {name: _replaced(value, needle) for name, value in held.items()}
                values = {name: value for name, value in changed.items() if value != held[name]}
                if not values:
                    continue
                mine = sa.and_(*(column == row._mapping[column.name] for column in keys))
                connection.execute(sa.update(table).where(mine).values(values))
                found[table.name] = found.get(table.name, 0) + 1
    return {name: number for name, number in found.items() if number}


def _replaced(value: Any, needle: str) -> Any:
    if isinstance(value, str):
        return _without(value, [needle])
    if isinstance(value, Mapping):
        return {_replaced(key, needle): _replaced(item, needle) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_replaced(item, needle) for item in value]
    return value


def _without(text: str, needles: Collection[str]) -> str:
    for needle in needles:
        at = text.lower().find(needle.lower())
        while at >= 0:
            text = text[:at] + GONE + text[at + len(needle) :]
            at = text.lower().find(needle.lower(), at + len(GONE))
    return text


def _escaped(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
