"""Writes of the organisation's own tier field: begun in the transaction that checks whether they may be."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from tierwise.domain import retreat, review
from tierwise.domain.lead import Lead
from tierwise.ports.automation import Automated, AutomationState, Candidate, Intended, Running, Standing, Unsettled
from tierwise.store import columns, connections, decisions, engine, flags, reviews, schema, telling

TABLE = schema.automation
DECISION = schema.decision
REVIEW, REP = "review", "rep_feedback"
LEAD = schema.lead
OUTBOX = schema.outbox
REFUSED = "The CRM refused our tier in the organisation's own field."


class Automations:
    """ports.automation.Automations over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def candidates(
        self, connection: str, *, policy: str, chain: str, tiers: Sequence[str], above: float, after: int, limit: int
    ) -> builtins.list[Candidate]:
        """Newest decisions on leads of that connection that no write was begun for, or whose write was lost, and whose
        advice was sent; those with ids above `after`, in their order."""
        made = DECISION.alias("made")
        newest = (
            sa.select(sa.func.max(made.c.id))
            .where(made.c.connection == LEAD.c.connection, made.c.record_id == LEAD.c.record_id)
            .where(made.c.fingerprint == LEAD.c.fingerprint)
            .correlate(LEAD)
            .scalar_subquery()
        )
        said = schema.label
        overruled = (
            sa.select(said.c.id)
            .where(said.c.decision_id == DECISION.c.id)
            .where(
                sa.or_(
                    sa.and_(said.c.source == "review", said.c.subject == "tier", said.c.value != DECISION.c.tier),
                    sa.and_(said.c.source == "rep_feedback", said.c.value != "right"),
                )
            )
            .correlate(DECISION)
        )
        begun = sa.select(TABLE.c.id).where(TABLE.c.decision_id == DECISION.c.id, TABLE.c.state != "lost")
        begun = begun.correlate(DECISION)
        query = (
            sa.select(DECISION, LEAD.c.canonical.label("canonical_lead"))
            .select_from(
                LEAD.join(DECISION, DECISION.c.id == newest).join(
                    OUTBOX,
                    sa.and_(OUTBOX.c.connection == LEAD.c.connection, OUTBOX.c.record_id == LEAD.c.record_id),
                )
            )
            .where(
                LEAD.c.connection == connection,
                connections.active(LEAD.c.connection, writing=True),
                LEAD.c.canonical.is_not(None),  # nobody is left of an erased lead
                DECISION.c.policy == policy,
                DECISION.c.chain == chain,
                DECISION.c.status == "scored",
                DECISION.c.tier.in_(tiers),
                DECISION.c.confidence >= above,
                OUTBOX.c.state == "sent",
                DECISION.c.id > after,
                ~begun.exists(),
                ~overruled.exists(),
            )
            .order_by(DECISION.c.id)
            .limit(limit)
        )
        with self._database.read() as reader:
            return [
                Candidate(
                    decision_id=row.id,
                    connection=row.connection,
                    record_id=row.record_id,
                    company=_company(row.canonical_lead, row.record_id),
                    decision=decisions.restored(row),
                )
                for row in reader.execute(query)
            ]

    def begin(
        self,
        wanted: Sequence[tuple[Candidate, str, str | None, str]],
        *,
        running: Running,
        permitted: Callable[[Standing, Candidate], bool],
        now: datetime,
    ) -> builtins.list[Intended]:
        """Commit intents of those that are permitted by what stands in the same transaction."""

        def work(connection: sa.Connection) -> builtins.list[Intended]:
            stands = flags.standing(self._database, connection, running, now=now)
            table = schema.connection
            serving = sa.select(table.c.name).where(connections.active(table.c.name, writing=True))
            served = set(connection.execute(serving).scalars())
            intended = []
            for candidate, field, before, after in wanted:
                if candidate.connection not in served or not permitted(stands, candidate):
                    continue
                one = Intended(
                    0, candidate.connection, candidate.record_id, candidate.decision_id, field, before, after
                )
                row = {name: value for name, value in one._asdict().items() if name != "id"}
                more = {"state": "begun", "report": stands.gate.report, "flag_version": stands.version, "at": now}
                again = {**row, **more, "error": "", "finished_at": None, "attempt": TABLE.c.attempt + 1}
                insert = self._database.insert(TABLE).values({**row, **more})
                insert = insert.on_conflict_do_update(
                    index_elements=[TABLE.c.decision_id], set_=again, where=TABLE.c.state == "lost"
                )
                new = connection.execute(insert.returning(TABLE.c.id)).scalar_one_or_none()
                if new is not None:
                    intended.append(one._replace(id=new))
            return intended

        return self._database.write(work) if wanted else []

    def earlier(self, connection: str, record_ids: Sequence[str], *, field: str) -> dict[str, str | None]:
        """What stands in that field of each of these records where we wrote and nobody else did since: our last value,
        or the one that we put back."""
        found: dict[str, str | None] = {}
        undone: set[str] = set()
        with self._database.read() as reader:
            for some in columns.chunks(record_ids):
                query = sa.select(TABLE.c.record_id, TABLE.c.before, TABLE.c.after, TABLE.c.state)
                query = query.where(
                    TABLE.c.connection == connection, TABLE.c.record_id.in_(some), TABLE.c.field == field
                )
                ours = TABLE.c.state.not_in(("refused", "lost"))
                for row in reader.execute(query.where(ours).order_by(TABLE.c.id)):
                    if row.state != "reverted":
                        found[row.record_id] = row.after
                        undone.discard(row.record_id)
                    elif row.record_id not in undone:
                        # What stood before the first of those that were taken back.
                        found[row.record_id] = row.before
                        undone.add(row.record_id)
        return found

    def finish(
        self, row: int, state: AutomationState, *, error: str, was: tuple[AutomationState, ...], now: datetime
    ) -> bool:
        """How it ended; False where it is none of `was` any more. What ends refused is an item for a person."""
        statement = sa.update(TABLE).where(TABLE.c.id == row, TABLE.c.state.in_(was))
        statement = statement.values(state=state, error=error, finished_at=now)

        def work(connection: sa.Connection) -> bool:
            changed = connection.execute(statement.returning(TABLE.c.connection, TABLE.c.record_id)).one_or_none()
            if changed is not None and state == "refused":
                item = {
                    "connection": changed.connection, "record_id": changed.record_id, "kind": "write_failed",
                    "priority": review.priority("write_failed", score=None, confidence=None),
                    "reason": f"{REFUSED} {error}".strip(), "decision_id": None,
                }  # fmt: skip
                reviews.open_items(connection, [item], now=now)
                telling.write_refused(self._database, connection, changed.connection, now=now)
            return changed is not None

        return self._database.write(work)

    def unsettled(self, connection: str, *, before: datetime, limit: int) -> builtins.list[Unsettled]:
        """Writes that were begun before that moment and whose end is unknown, the oldest first."""
        later = TABLE.alias("later")
        follows = (
            sa.select(sa.func.min(later.c.id))
            .where(later.c.connection == TABLE.c.connection, later.c.record_id == TABLE.c.record_id)
            .where(later.c.field == TABLE.c.field, later.c.id > TABLE.c.id)
            .scalar_subquery()
        )
        after = TABLE.alias("after")
        query = (
            sa.select(TABLE, after.c.id.label("next"), after.c.before.label("stood"))
            .select_from(TABLE.outerjoin(after, after.c.id == follows))
            .where(TABLE.c.connection == connection, TABLE.c.at < before)
            .where(sa.or_(TABLE.c.state == columns.literal("begun"), TABLE.c.state == columns.literal("unsure")))
            .order_by(TABLE.c.id)
            .limit(limit)
        )
        with self._database.read() as reader:
            return [
                Unsettled(
                    Automated(*(row._mapping[TABLE.c[name]] for name in Automated._fields)),
                    row.attempt, row.next is not None, row.stood,
                )
                for row in reader.execute(query)
            ]  # fmt: skip

    def counts(self) -> dict[tuple[str, AutomationState], int]:
        """Writes by connection and state."""
        query = sa.select(TABLE.c.connection, TABLE.c.state, sa.func.count()).group_by(
            TABLE.c.connection, TABLE.c.state
        )
        with self._database.read() as reader:
            return {(row[0], row[1]): int(row[2]) for row in reader.execute(query)}

    def list(
        self,
        *,
        connection: str | None = None,
        since: datetime | None = None,
        states: Collection[AutomationState] | None = None,
        limit: int | None = 1000,
    ) -> builtins.list[Automated]:
        """The newest first."""
        query = sa.select(*(TABLE.c[name] for name in Automated._fields)).order_by(TABLE.c.id.desc()).limit(limit)
        if connection is not None:
            query = query.where(TABLE.c.connection == connection)
        if since is not None:
            query = query.where(TABLE.c.at >= since)
        if states is not None:
            query = query.where(TABLE.c.state.in_(states))
        with self._database.read() as reader:
            return [Automated._make(row) for row in reader.execute(query)]

    def count(self, *, since: datetime | None) -> int:
        """Leads whose field was written since then."""
        query = sa.select(sa.func.count()).where(TABLE.c.state == columns.literal("written"))
        if since is not None:
            query = query.where(TABLE.c.at >= since)
        with self._database.read() as reader:
            return int(reader.execute(query).scalar_one())

    def window(self, *, since: datetime, newest: int, positive_tiers: Sequence[str]) -> retreat.Window:
        """What people said and did of the newest automated leads since then."""
        label, draw = schema.label, schema.audit_draw
        query = (
            sa.select(TABLE.c.decision_id, TABLE.c.state, draw.c.rate)
            .outerjoin(draw, draw.c.decision_id == TABLE.c.decision_id)
            .where(TABLE.c.at >= since, TABLE.c.state.in_(("written", "kept")))
            .order_by(TABLE.c.id.desc())
            .limit(newest)
        )
        said: dict[tuple[int, str], str] = {}
        with self._database.read() as reader:
            rows = reader.execute(query).all()
            for some in columns.chunks([row.decision_id for row in rows]):
                found = sa.select(label.c.decision_id, label.c.source, label.c.value).order_by(label.c.id)
                found = found.where(label.c.decision_id.in_(some), label.c.subject == "tier")
                # Of several answers, or one that was changed, the last counts.
                said.update({(row.decision_id, row.source): row.value for row in reader.execute(found)})
        # Only what was drawn: a lead that somebody picked was picked for being odd.
        audited = [said[row.decision_id, REVIEW] for row in rows
                   if row.rate is not None and (row.decision_id, REVIEW) in said]  # fmt: skip
        wrong = [row for row in rows
                 if row.state == "kept" or said.get((row.decision_id, REP)) in ("too_high", "too_low")]  # fmt: skip
        right = sum(value in positive_tiers for value in audited)
        return retreat.Window(len(audited), right, len(rows), len(wrong))


def _company(lead: object, record_id: str) -> str:
    known = Lead.model_validate(lead)
    return known.company_domain or known.company or record_id
