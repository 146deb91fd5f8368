"""Registrations and validation reports, and the sample that a report is made of."""

from __future__ import annotations

import builtins
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import review, weighted
from tierwise.domain.lead import canonical_json, digest
from tierwise.domain.policy import Policy
from tierwise.domain.validation import Counted, Drawn, Registration
from tierwise.ports.automation import Labelled, Sampled, StoredReport
from tierwise.store import answers, decisions, drawn, engine, policies, schema

REGISTERED = schema.registration
REPORT = schema.validation_report
DECISION = schema.decision
DRAW = schema.audit_draw
LABEL = schema.label
REVIEW = answers.SOURCE


class Gates:
    """ports.automation.Gates over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def register(self, registration: Registration) -> str:
        """Digest. Only decisions that are stored later count for it. Misconfigured where a look was taken already."""
        body = canonical_json(registration.model_dump(mode="json"))
        key = digest(registration.model_dump(mode="json"))

        def work(connection: sa.Connection) -> str:
            if not self._database.is_sqlite:
                # No look is taken while it is asked whether one was.
                connection.exec_driver_sql(f"LOCK TABLE {REPORT.name} IN SHARE MODE")
            _refuse_second(connection, registration)
            last = connection.execute(sa.select(sa.func.max(DECISION.c.id))).scalar_one() or 0
            row = {
                "digest": key, "policy": registration.policy, "chain": registration.chain, "body": body,
                "after": last, "by": registration.by, "at": registration.registered_at,
            }  # fmt: skip
            connection.execute(self._database.insert(REGISTERED).values(row).on_conflict_do_nothing())
            return key

        return self._database.write(work)

    def registration(self, policy: str, chain: str) -> tuple[str, Registration] | None:
        """The newest one for what runs, with its digest."""
        query = sa.select(REGISTERED.c.digest, REGISTERED.c.body).order_by(REGISTERED.c.id.desc()).limit(1)
        with self._database.read() as reader:
            where = (REGISTERED.c.policy == policy, REGISTERED.c.chain == chain)
            row = reader.execute(query.where(*where)).one_or_none()
        return (row.digest, Registration.model_validate_json(row.body)) if row is not None else None

    def counted(self, digest: str) -> int:
        """Audit items in positive tiers that were drawn since that registration."""
        with self._database.read() as reader:
            registered, after = _registered(reader, digest)
            query = sa.select(sa.func.count()).select_from(DRAW.join(DECISION)).where(*_mine(registered, after))
            return int(reader.execute(query.where(DECISION.c.tier.in_(registered.positive_tiers))).scalar_one())

    def sample(self, digest: str, *, look: int) -> tuple[builtins.list[Sampled], builtins.list[Counted]]:
        """The audit sample up to the `look`-th item in a positive tier, and the population it was drawn from."""
        with self._database.read() as reader:
            registered, after = _registered(reader, digest)
            mine = _mine(registered, after)
            last = reader.execute(
                sa.select(DECISION.c.id)
                .select_from(DRAW.join(DECISION))
                .where(*mine, DECISION.c.tier.in_(registered.positive_tiers))
                .order_by(DECISION.c.id)
                .offset(look - 1)
                .limit(1)
            ).scalar_one_or_none()
            if last is None:
                return [], []
            mine = (*mine, DECISION.c.id <= last)
            return _sample(reader, registered, mine), _population(reader, registered, mine)

    def ask_again(self, digest: str, *, now: datetime) -> int:
        """Open an item for each drawn decision of a registration that nobody answered and nobody is asked about."""

        def work(connection: sa.Connection) -> int:
            # Two at once would both find nobody asked, and ask twice.
            connection.execute(sa.select(REGISTERED.c.digest).where(REGISTERED.c.digest == digest).with_for_update())
            registered, after = _registered(connection, digest)
            mine = _mine(registered, after)
            answered = {row.id for row in connection.execute(_said(mine))}
            return drawn.ask_again(connection, mine, answered=answered, now=now)

        return self._database.write(work)

    def labelled(self, policy: str | None = None, chain: str | None = None) -> builtins.list[Labelled]:
        """Decisions of that policy and chain (none: of any) with a label of known probability: reviewed ones, and the
        audit sample."""
        with self._database.read() as reader:
            return _labelled(reader, policy, chain)

    def keep(self, report: StoredReport) -> bool:
        """Store it; False where that look was taken already."""
        insert = self._database.insert(REPORT).values(report._asdict()).on_conflict_do_nothing()
        statement = insert.returning(REPORT.c.id)
        return self._database.write(lambda connection: connection.execute(statement).first() is not None)

    def reports(self, *, registration: str | None = None, limit: int | None = 20) -> builtins.list[StoredReport]:
        """The newest first; only those of one registration where it is given."""
        query = sa.select(*(REPORT.c[name] for name in StoredReport._fields)).order_by(REPORT.c.id.desc()).limit(limit)
        if registration is not None:
            query = query.where(REPORT.c.registration == registration)
        with self._database.read() as reader:
            return [StoredReport._make(row) for row in reader.execute(query)]


def _refuse_second(connection: sa.Connection, registration: Registration) -> None:
    query = (
        sa.select(REPORT.c.registration)
        .join(REGISTERED, REGISTERED.c.digest == REPORT.c.registration)
        .where(REGISTERED.c.policy == registration.policy, REGISTERED.c.chain == registration.chain)
    )
    looked = connection.execute(query.limit(1)).scalar_one_or_none()
    if looked is not None:
        raise errors.Misconfigured(
            "a look was taken under a registration of this policy and these models, so another one would look again",
            place=looked[:12],
            remedy="go on with the one that stands, or change the policy: then a new one has its own error to spend",
        )


def _registered(reader: sa.Connection, digest: str) -> tuple[Registration, int]:
    query = sa.select(REGISTERED.c.body, REGISTERED.c.after).where(REGISTERED.c.digest == digest)
    row = reader.execute(query).one_or_none()
    if row is None:
        raise errors.Misconfigured("there is no such registration", place=digest[:12])
    return Registration.model_validate_json(row.body), int(row.after)


def _mine(registered: Registration, after: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Decisions that count for it: of that policy and chain, stored after it was registered."""
    return (
        DECISION.c.id > after,
        DECISION.c.policy == registered.policy,
        # Where a gate rule decided, no model was asked: such leads are part of what recall is over.
        sa.or_(DECISION.c.chain == registered.chain, DECISION.c.tier.is_(None)),
    )


def _sample(
    reader: sa.Connection, registered: Registration, mine: tuple[sa.ColumnElement[bool], ...]
) -> builtins.list[Sampled]:
    newest = review.counting((row.id, row) for row in reader.execute(_said(mine)))
    query = (
        sa.select(
            DECISION.c.id,
            DECISION.c.tier,
            DECISION.c.confidence,
            DECISION.c.status,
            DRAW.c.rate,
            DRAW.c.draw,
            DECISION.c.personal.is_(None).label("gone"),
        )
        .select_from(DRAW.join(DECISION))
        .where(*mine)
        .order_by(DECISION.c.id)
    )
    found = []
    for row in reader.execute(query):
        label = newest.get(row.id)
        item = Drawn(
            tier=row.tier,
            confidence=row.confidence,
            alone=row.status == "scored",
            truth=label.value in registered.positive_tiers if label is not None else None,
            rate=row.rate,
            draw=row.draw,
            said_at=label.said_at if label is not None else None,
            gone=bool(row.gone),
        )
        found.append(Sampled(row.id, item, label.said_at if label is not None else None))
    return found


def _said(mine: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[tuple[int, str, datetime]]:
    """What people said of these drawn decisions, in that order: also as decisions of another policy on the very same
    input, drawn and blind as well, where they said so after this one was stored, so that it cannot have known."""
    other, draw = DECISION.alias("other"), DRAW.alias("other_draw")
    same = sa.and_(
        other.c.connection == DECISION.c.connection,
        other.c.record_id == DECISION.c.record_id,
        other.c.fingerprint == DECISION.c.fingerprint,
    )
    return (
        sa.select(DECISION.c.id, LABEL.c.value, LABEL.c.said_at)
        .select_from(
            DRAW.join(DECISION, DECISION.c.id == DRAW.c.decision_id)
            .join(other, same)
            .join(draw, draw.c.decision_id == other.c.id)
            .join(LABEL, LABEL.c.decision_id == other.c.id)
        )
        .where(*mine, LABEL.c.source == REVIEW, LABEL.c.subject == "tier")
        .where(sa.or_(other.c.id == DECISION.c.id, LABEL.c.said_at >= DECISION.c.decided_at))
        .order_by(LABEL.c.id)
    )


def _labelled(reader: sa.Connection, policy: str | None, chain: str | None) -> builtins.list[Labelled]:
    mine = [LABEL.c.source == REVIEW, LABEL.c.subject == "tier"]
    if policy is not None:
        mine.append(DECISION.c.policy == policy)
    if chain is not None:
        mine.append(sa.or_(DECISION.c.chain == chain, DECISION.c.tier.is_(None)))
    query = (
        sa.select(DECISION, DRAW.c.rate, LABEL.c.value, policies.VERSION.c.body.label("bundle"))
        .select_from(
            LABEL.join(DECISION, DECISION.c.id == LABEL.c.decision_id)
            .outerjoin(DRAW, DRAW.c.decision_id == DECISION.c.id)
            .join(policies.VERSION, policies.VERSION.c.digest == DECISION.c.policy)
        )
        .where(*mine)
        .order_by(LABEL.c.id)
    )
    found: dict[int, Labelled] = {}
    bundles: dict[str, Policy] = {}
    for row in reader.execute(query):
        if row.policy not in bundles:
            bundles[row.policy] = Policy.model_validate_json(row.bundle)
        bundle = bundles[row.policy]
        positive = bundle.rubric.targets.positive_tiers
        # Every doubtful lead goes to a person; of the others, those that were drawn. The rest was picked by somebody.
        probability = 1.0 if row.status == "in_review" else row.rate
        if probability is None:
            continue
        decision = decisions.restored(row)
        seen = weighted.Seen(row.status == "scored" and row.tier in positive, row.value in positive, probability)
        region = decision.fields.get("region")
        groups = {
            "tier": row.tier, "connection": row.connection, "model": decision.used, "region": region,
            "pod": decision.route, "policy": f"{bundle.version} ({row.policy[:12]})",
        }  # fmt: skip
        found[row.id] = Labelled(row.id, seen, groups)
    return list(found.values())


def _population(
    reader: sa.Connection, registered: Registration, mine: tuple[sa.ColumnElement[bool], ...]
) -> builtins.list[Counted]:
    reached: sa.ColumnElement[int] = sa.literal(0)
    for cut_off in registered.cut_offs:
        reached = reached + sa.case((DECISION.c.confidence >= cut_off, 1), else_=0)
    alone = sa.case((DECISION.c.status == "scored", 1), else_=0)
    inner = sa.select(DECISION.c.tier, alone.label("alone"), reached.label("reach")).where(*mine).subquery()
    query = sa.select(inner.c.tier, inner.c.alone, inner.c.reach, sa.func.count()).group_by(
        inner.c.tier, inner.c.alone, inner.c.reach
    )
    return [Counted(row[0], bool(row[1]), int(row[2]), int(row[3])) for row in reader.execute(query)]
