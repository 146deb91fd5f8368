"""A person's answer in one transaction: the item closed, its labels, what the CRM is to show; and all of it undone.

Order of locks, as for all who write about a record: lead, work, outbox, review item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.domain.advice import REQUEST, Advice
from tierwise.domain.lead import digest
from tierwise.ports import SaidLabel, Undone
from tierwise.store import columns, desired, drawn, engine, people, schema

TABLE = schema.review_item
LABEL = schema.label
OUTBOX = schema.outbox
SOURCE = "review"
"""Source of the labels that people gave in the review queue."""


class Answer(NamedTuple):
    """What a person said of an item."""

    by: str
    verdict: Mapping[str, Any]
    advice: Advice | None
    """What the CRM is to show from now on; None: as it is."""
    labels: Sequence[SaidLabel]
    about: int | None
    """The decision that they saw."""
    wait: timedelta
    """As long nothing is written, and the answer can be taken back."""


def store(database: engine.Database, connection: sa.Connection, item_id: int, answer: Answer, *, now: datetime) -> bool:
    """False where the item is not open any more, or not for that person.

    What is said of a decision that no longer applies is a label: the CRM shows what was decided since.
    """
    found = _item(connection, item_id)
    if found is None:
        return False
    lead = _lead(connection, found)
    if lead is not None and answer.advice is not None and not _applies(connection, lead, answer.about):
        answer = answer._replace(advice=None)
    before = _outbox(connection, found)
    closed = connection.execute(
        sa.update(TABLE)
        .where(TABLE.c.id == item_id, TABLE.c.state == "open", *free_for(answer.by, now=now))
        .values(
            state="answered", answered_at=now, answered_by=answer.by, answer=dict(answer.verdict), reserved_by=None,
            reserved_until=None, snoozed_until=None,
        )
    )  # fmt: skip
    if closed.rowcount != 1:
        return False
    trail: dict[str, Any] = {"until": (now + answer.wait).isoformat(), "labels": _label(connection, found, answer, now)}
    trail |= _second_person(connection, found, answer, now=now)
    if answer.advice is not None and lead is not None:
        version = overtake(connection, lead)
        own = columns.advice(lead.own)
        shown = desired.Desired(lead.connection, lead.record_id, answer.advice, version, own)
        desired.put(database, connection, [shown], now=now, after=now + answer.wait)
        trail |= {"version": version, "before": _kept(before)}
    if lead is not None and found.kind == "fast_track" and lead.own.get(REQUEST) is True:
        desired.take_back(connection, found.connection, found.record_id, now=now, after=now + answer.wait)
        trail["cleared"] = True
    _forget(connection, before=now - answer.wait)
    if answer.wait:
        connection.execute(sa.update(TABLE).where(TABLE.c.id == item_id).values(undo=trail))
    return True


def undo(database: engine.Database, connection: sa.Connection, item_id: int, *, by: str, now: datetime) -> Undone:
    """Everything as it was before the answer, as long as nothing of it can have reached the CRM."""
    found = _item(connection, item_id)
    if found is None:
        return Undone(False, "there is no such item")
    lead = _lead(connection, found)
    row = _outbox(connection, found)
    found = connection.execute(sa.select(TABLE).where(TABLE.c.id == item_id).with_for_update()).one()
    trail = found.undo
    if found.state != "answered" or trail is None:
        return Undone(False, "it has no answer that could be taken back")
    if found.answered_by != by:
        return Undone(False, f"{found.answered_by} answered it")
    if now >= datetime.fromisoformat(trail["until"]):
        return Undone(False, "the time for that is over: the answer is on its way to the CRM")
    mine = row is not None and row.version == trail.get("version")
    if mine and row is not None and not _unwritten(row, trail["before"], now=now):
        return Undone(False, "the answer is on its way to the CRM")
    connection.execute(sa.delete(LABEL).where(LABEL.c.id.in_(trail["labels"])))
    connection.execute(_open(trail["opened"]).values(state="superseded"))
    connection.execute(_open(trail["barred"]).values(not_for=None))
    connection.execute(
        sa.update(TABLE).where(TABLE.c.id.in_(trail["closed"]), TABLE.c.state == "superseded").values(state="open")
    )
    # A newer decision came in between: it closed what was open on the earlier one, and a request goes on with it.
    # What was drawn is asked about whatever came since.
    drawn_too = _is_drawn(connection, found.decision_id)
    stays = mine or found.kind == "fast_track" or "version" not in trail
    state = "open" if stays or drawn_too else "superseded"
    if drawn_too and not stays:
        drawn.turn(connection, [item_id])
    values = {"state": state, "answered_at": None, "answered_by": None, "answer": None, "undo": None}
    connection.execute(sa.update(TABLE).where(TABLE.c.id == item_id).values(values))
    if trail.get("cleared") and row is not None:
        known = {**row.known, REQUEST: True}
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == row.id).values(clear=False, known=known))
    if mine and lead is not None and row is not None:
        if trail["before"] is None:
            connection.execute(sa.delete(OUTBOX).where(OUTBOX.c.id == row.id))
        else:
            advice = columns.advice(trail["before"]["desired"])
            version = overtake(connection, lead)
            shown = desired.Desired(lead.connection, lead.record_id, advice, version, columns.advice(lead.own))
            desired.put(database, connection, [shown], now=now)
    return Undone(True)


def free_for(by: str, *, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Nobody else holds it, and it is not a second opinion on what they said themselves."""
    return (
        sa.or_(TABLE.c.reserved_by.is_(None), TABLE.c.reserved_by == by, TABLE.c.reserved_until <= now),
        sa.or_(TABLE.c.not_for.is_(None), TABLE.c.not_for != by),
    )


def overtake(connection: sa.Connection, lead: sa.Row[Any]) -> int:
    """A version above all that is shown, but below a decision on newer input that is still to come."""
    version = int(lead.revision) + 1
    work = schema.work
    coming = connection.execute(
        sa.update(work)
        .where(
            work.c.lead_id == lead.id,
            work.c.fingerprint == lead.fingerprint,
            work.c.state.in_(("ready", "leased")),
        )
        .values(revision=version + 1)
    )
    last = version + 1 if coming.rowcount else version
    connection.execute(sa.update(schema.lead).where(schema.lead.c.id == lead.id).values(revision=last))
    return version


def _item(connection: sa.Connection, item_id: int) -> sa.Row[Any] | None:
    return connection.execute(sa.select(TABLE).where(TABLE.c.id == item_id)).one_or_none()


def _lead(connection: sa.Connection, item: sa.Row[Any]) -> sa.Row[Any] | None:
    """The lead's row is locked first by everybody, so that nobody waits in a circle."""
    lead = schema.lead
    query = sa.select(lead).where(lead.c.connection == item.connection, lead.c.record_id == item.record_id)
    return connection.execute(query.with_for_update()).one_or_none()


def _outbox(connection: sa.Connection, item: sa.Row[Any]) -> sa.Row[Any] | None:
    query = sa.select(OUTBOX).where(OUTBOX.c.connection == item.connection, OUTBOX.c.record_id == item.record_id)
    return connection.execute(query.with_for_update()).one_or_none()


def _kept(row: sa.Row[Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    sent = row.sent_at.isoformat() if row.sent_at is not None else None
    return {"desired": row.desired, "token": row.token if row.state == "leased" else None, "sent": sent}


def _unwritten(row: sa.Row[Any], before: Mapping[str, Any] | None, *, now: datetime) -> bool:
    """Nobody has claimed the row since the answer: whoever held it then works on what was desired before."""
    if row.state == "leased":
        return before is not None and before["token"] == row.token
    if row.state == "ready":
        return bool(row.run_after > now)
    sent = row.sent_at.isoformat() if row.sent_at is not None else None
    return before is not None and before["sent"] == sent


def _label(connection: sa.Connection, item: sa.Row[Any], answer: Answer, now: datetime) -> list[int]:
    """Ids of the labels. Their sampling is the probability with which that decision came to be labelled."""
    if not answer.labels:
        return []
    sampling = _sampling(connection, answer.about)
    rows = [
        {
            "connection": item.connection, "record_id": item.record_id, "source": SOURCE, "subject": said.subject,
            "value": said.value, "sampling": sampling, "decision_id": answer.about, "by": answer.by, "said_at": now,
            "seen_at": now, "key": digest([item.record_id, SOURCE, said.subject, item.id]),
        }
        for said in answer.labels
    ]  # fmt: skip
    return [row.id for row in connection.execute(sa.insert(LABEL).returning(LABEL.c.id), rows)]


def _sampling(connection: sa.Connection, decision_id: int | None) -> float | None:
    """1 where the decision itself asked for a person, drawn or not; else its draw's rate; None: somebody picked it."""
    decision, draw = schema.decision, schema.audit_draw
    query = sa.select(decision.c.status, draw.c.rate).outerjoin(draw, draw.c.decision_id == decision.c.id)
    row = connection.execute(query.where(decision.c.id == decision_id)).one_or_none()
    if row is None:
        return None
    return 1.0 if row.status == "in_review" else row.rate


def _second_person(
    connection: sa.Connection, item: sa.Row[Any], answer: Answer, *, now: datetime
) -> dict[str, list[int]]:
    """See to it that a drawn decision gets as many people's tiers as it was drawn for, and no more."""
    did: dict[str, list[int]] = {"opened": [], "closed": [], "barred": []}
    draw = schema.audit_draw
    twice = connection.execute(sa.select(draw.c.twice).where(draw.c.decision_id == answer.about)).scalar_one_or_none()
    if twice is None:
        return did
    said = (LABEL.c.decision_id == answer.about, LABEL.c.source == SOURCE, LABEL.c.subject == "tier")
    people = connection.execute(sa.select(sa.func.count(LABEL.c.by.distinct())).where(*said)).scalar_one()
    waiting = sa.select(TABLE.c.id).where(
        TABLE.c.decision_id == answer.about, TABLE.c.kind == "audit_sample", TABLE.c.state == columns.literal("open")
    )
    others = list(connection.execute(waiting.order_by(TABLE.c.id)).scalars())
    if people >= (2 if twice else 1):
        connection.execute(_open(others).values(state="superseded"))
        return did | {"closed": others}
    told = any(said.subject == "tier" for said in answer.labels)
    if others:
        if told:
            connection.execute(_open(others).values(not_for=answer.by))
        return did | {"barred": others if told else []}
    # Who said only what is to become of the lead has not said what it is: the audit goes on asking.
    row = {
        "connection": item.connection, "record_id": item.record_id, "kind": drawn.KIND, "state": "open",
        "priority": 0, "reason": SECOND if people else drawn.REASON, "decision_id": answer.about, "created_at": now,
        "not_for": answer.by if told else item.not_for,
    }  # fmt: skip
    return did | {"opened": [connection.execute(sa.insert(TABLE).returning(TABLE.c.id), row).scalar_one()]}


def _is_drawn(connection: sa.Connection, decision_id: int | None) -> bool:
    draw = schema.audit_draw
    found = sa.select(draw.c.decision_id).where(draw.c.decision_id == decision_id)
    return decision_id is not None and connection.execute(found).first() is not None


def _applies(connection: sa.Connection, lead: sa.Row[Any], about: int | None) -> bool:
    """Whether that decision is the one that the CRM shows: the newest on the lead as it is, or the newest of all."""
    decision = schema.decision
    current = sa.case((decision.c.fingerprint == lead.fingerprint, 0), else_=1)
    newest = (
        sa.select(decision.c.id)
        .where(decision.c.connection == lead.connection, decision.c.record_id.in_([lead.record_id, *lead.former_ids]))
        .order_by(current, decision.c.id.desc())
        .limit(1)
    )
    return about is None or connection.execute(newest).scalar_one_or_none() in (None, about)


def refusal(connection: sa.Connection, item_id: int, *, by: str) -> str | None:
    """Why `by` may not answer it: nobody of this installation, or has asked to see what we think of it."""
    why = people.why_not(connection, by, people.ROLES)
    if why is not None:
        return why
    found = _item(connection, item_id)
    if found is None or found.state != "open" or not _is_drawn(connection, found.decision_id):
        return None
    event, decision = schema.admin_event, schema.decision
    decided = sa.select(decision.c.record_id).where(decision.c.id == found.decision_id)
    # Who looked at it under another id that it has had has seen it, too.
    later = drawn.line(connection, found.connection, connection.execute(decided).scalar_one())
    names = drawn.forebears(connection, found.connection, {found.record_id, *later})
    looked = sa.select(event.c.id).where(
        event.c.action == review.UNBLIND, event.c.actor == by,
        event.c.subject.in_([review.unblinded(found.connection, name) for name in sorted(names)]),
    )  # fmt: skip
    if connection.execute(looked.limit(1)).first() is None:
        return None
    return f"{by} has asked to see what was decided on this lead, and the audit asks those who have not"


SECOND = "Drawn for a second opinion"


def _open(ids: Sequence[int]) -> sa.Update:
    return sa.update(TABLE).where(TABLE.c.id.in_(ids), TABLE.c.state == columns.literal("open"))


def _forget(connection: sa.Connection, *, before: datetime) -> None:
    """What an answer changed is of no use once it cannot be taken back, and holds what was shown of a lead."""
    stale = (TABLE.c.undo.is_not(None), TABLE.c.answered_at < before)
    connection.execute(sa.update(TABLE).where(*stale).values(undo=None))
