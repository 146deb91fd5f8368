"""Published bundles, what was approved and tried of them, and the append-only list of which one ran from when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import changes
from tierwise.domain.lead import canonical_json
from tierwise.domain.policy import Policy
from tierwise.ports import Activation, Approval, Published, Trial
from tierwise.store import activation, admin_events, engine, people, schema

VERSION = schema.policy_version
ACTIVATION = schema.policy_activation
APPROVAL = schema.policy_approval
TRIAL = schema.policy_trial
EDITORS = ("ops", "revops", "admin")
APPROVERS = ("sales", "revops")
LEAST = 6
"""Characters of a digest that name it."""


class Policies:
    """ports.Policies over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def publish(
        self, policy: Policy, *, by: str, note: str, now: datetime, origin: Mapping[str, Any] | None = None
    ) -> str:
        """Digest; publishing the same bundle twice changes nothing, but an origin that is new is kept, and its author
        wrote the bundle, too. `origin`: source, commit and author."""
        digest = policy.digest()
        body = canonical_json(policy.plain())

        def work(connection: sa.Connection) -> str | None:
            people.lock(self._database, connection)
            if _version(connection, digest) is not None:
                return self._came_from(connection, digest, origin, by=by, note=note, now=now)
            running = activation.running(connection, "production")
            first = running is None and by == people.SYSTEM
            why = None if first else people.why_not(connection, by, EDITORS)
            before = _stored(connection, running.digest) if running is not None else None
            change = changes.change_class(before, policy)
            row = {
                "digest": digest,
                "name": policy.name,
                "version": policy.version,
                "body": body,
                "by": by,
                "note": note,
                "at": now,
                "base": running.digest if running is not None else None,
                "change": change,
            }
            told = {"version": policy.version, "change": change, "origin": dict(origin) if origin else None}
            admin_events.note(
                connection, by, "policy.publish", subject=f"policy {digest}", reason=note, now=now, refused=why,
                after=told,
            )  # fmt: skip
            if why is None:
                connection.execute(sa.insert(VERSION).values(row))
            return why

        why = self._database.write(work)
        people.refuse(why, place=f"policy {digest[:12]}", remedy="ask somebody with the role ops")
        return digest

    def _came_from(
        self, connection: sa.Connection, digest: str, origin: Mapping[str, Any] | None, *, by: str, note: str,
        now: datetime,
    ) -> str | None:  # fmt: skip
        """Keep where a bundle that was published before comes from, too. Why not, else None."""
        if origin is None or dict(origin) in _origins(connection, digest):
            return None
        why = people.why_not(connection, by, EDITORS)
        admin_events.note(
            connection, by, "policy.origin", subject=f"policy {digest}", reason=note, now=now, refused=why,
            after={"origin": dict(origin)},
        )  # fmt: skip
        return why

    def get(self, digest: str) -> Policy | None:
        """The bundle of that digest. Misconfigured where what is stored is not what was published."""
        with self._database.read() as connection:
            return _stored(connection, digest)

    def published(self, digest: str) -> Published | None:
        """Who published it, when, and how much it changed."""
        with self._database.read() as connection:
            row = _version(connection, digest)
        return _published(row) if row is not None else None

    def origin(self, digest: str) -> Mapping[str, Any] | None:
        """Where its files came from, as it was told first: the first that names an author, where one does."""
        with self._database.read() as connection:
            found = _origins(connection, digest)
        return next((item for item in found if item.get("author")), found[0] if found else None)

    def versions(self, *, limit: int = 50) -> list[Published]:
        """The newest first."""
        query = sa.select(*_PUBLISHED).order_by(VERSION.c.at.desc(), VERSION.c.digest).limit(limit)
        with self._database.read() as connection:
            return [_published(row) for row in connection.execute(query)]

    def find(self, name: str) -> str:
        """The digest that begins so, or the newest of that version. Misconfigured where none or several are meant."""
        begins = VERSION.c.digest.startswith(name, autoescape=True) if len(name) >= LEAST else sa.false()
        query = sa.select(VERSION.c.digest, VERSION.c.version).where(begins | (VERSION.c.version == name))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(VERSION.c.at.desc())).all()
        digests = [row.digest for row in rows if row.digest.startswith(name)] or [row.digest for row in rows[:1]]
        if len(digests) != 1:
            raise errors.Misconfigured(
                "several policies begin so" if digests else "no such policy was published",
                place=f"policy {name}",
                remedy="`tierwise policy history` lists them; `tierwise policy publish DIR` stores one",
            )
        return str(digests[0])

    def activate(
        self, digest: str, *, by: str, note: str, now: datetime, environment: str = "production"
    ) -> Activation:
        """From now on this one runs. What runs already stays as it is. Raises Refused; Misconfigured where it was
        never published, or is not any more what was."""

        def work(connection: sa.Connection) -> Activation | activation.Refusal:
            people.lock(self._database, connection)
            policy = _stored(connection, digest)
            if policy is None:
                raise errors.Misconfigured(
                    "no such policy was published",
                    place=f"policy {digest[:12]}",
                    remedy="publish it first: `tierwise policy publish`",
                )
            asked = activation.Asked(digest, environment, by, note, now)
            return activation.activate(
                connection, asked, policy=policy, stored=lambda other: _stored(connection, other)
            )

        return _done(self._database.write(work))

    def rollback(
        self, *, by: str, note: str, now: datetime, to: str | None = None, environment: str = "production"
    ) -> Activation:
        """What ran before runs again, without approval; `to` is any digest that ran once."""

        def work(connection: sa.Connection) -> Activation | activation.Refusal:
            people.lock(self._database, connection)
            target = to or activation.previous(connection, environment)
            if target is None:
                raise errors.Misconfigured("nothing ran before", place="policy", remedy="tierwise policy history")
            # It ran once, so it was sound; that it still is what it was is checked again.
            if _stored(connection, target) is None:
                raise errors.Misconfigured("no such policy was published", place=f"policy {target[:12]}")
            return activation.rollback(connection, activation.Asked(target, environment, by, note, now))

        return _done(self._database.write(work))

    def active(self, environment: str = "production") -> Activation | None:
        """What runs: one indexed row."""
        return next(iter(self.history(limit=1, environment=environment)), None)

    def history(self, *, limit: int = 50, environment: str = "production") -> list[Activation]:
        """Activations, the newest first."""
        query = activation.rows(environment).order_by(ACTIVATION.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [Activation(*row) for row in connection.execute(query)]

    def approve(self, digest: str, *, by: str, reason: str, now: datetime) -> Approval:
        """Leave for the step from what runs now to this one. Raises Refused."""

        def work(connection: sa.Connection) -> Approval | str:
            people.lock(self._database, connection)
            version = _version(connection, digest)
            if version is None:
                raise errors.Misconfigured("no such policy was published", place=f"policy {digest[:12]}")
            running = activation.running(connection, "production")
            base = running.digest if running is not None else None
            why = people.why_not(connection, by, APPROVERS)
            if not people.listed(connection):
                why = "approvals count by person, and there is none yet: `tierwise users add` adds them"
            elif why is None and _wrote(connection, version, by):
                why = f"{by} wrote it: approvals come from others"
            elif why is None and not reason.strip():
                why = "an approval needs a reason"
            admin_events.note(
                connection, by, "policy.approve", subject=f"policy {digest}", reason=reason, now=now, refused=why,
                before={"active": base},
            )  # fmt: skip
            if why is not None:
                return why
            row: dict[str, Any] = {"digest": digest, "base": base, "by": by, "reason": reason, "at": now}
            inserted = connection.execute(sa.insert(APPROVAL).values(row).returning(APPROVAL.c.id))
            return Approval(id=inserted.scalar_one(), **row)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place=f"policy {digest[:12]}", remedy="somebody with the role sales or revops")
        return made

    def approvals(self, digest: str) -> list[Approval]:
        """In the order they were given."""
        query = sa.select(APPROVAL).where(APPROVAL.c.digest == digest).order_by(APPROVAL.c.id)
        with self._database.read() as connection:
            return [Approval(**row._mapping) for row in connection.execute(query)]

    def note_trial(
        self,
        digest: str,
        *,
        kind: str,
        passed: bool,
        beyond: Sequence[str],
        report: Mapping[str, Any],
        by: str,
        now: datetime,
    ) -> Trial:
        """Keep what a staging run or a backtest came to, against what runs now. Raises Refused."""

        def work(connection: sa.Connection) -> Trial | str:
            people.lock(self._database, connection)
            running = activation.running(connection, "production")
            why = people.why_not(connection, by, EDITORS)
            admin_events.note(
                connection, by, f"policy.{kind}", subject=f"policy {digest}", reason="", now=now, refused=why,
                after={"passed": passed, "beyond": list(beyond)},
            )  # fmt: skip
            if why is not None:
                return why
            row: dict[str, Any] = {
                "digest": digest, "base": running.digest if running is not None else None, "kind": kind,
                "passed": passed, "beyond": list(beyond), "report": dict(report), "by": by, "at": now,
            }  # fmt: skip
            inserted = connection.execute(sa.insert(TRIAL).values(row).returning(TRIAL.c.id))
            return Trial(id=inserted.scalar_one(), **{**row, "beyond": tuple(beyond)})

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place=f"policy {digest[:12]}", remedy="somebody with the role ops")
        return made

    def trials(self, digest: str) -> list[Trial]:
        """The newest first."""
        query = sa.select(TRIAL).where(TRIAL.c.digest == digest).order_by(TRIAL.c.id.desc())
        with self._database.read() as connection:
            return [Trial(**{**row._mapping, "beyond": tuple(row.beyond)}) for row in connection.execute(query)]


def _done(made: Activation | activation.Refusal) -> Activation:
    if isinstance(made, activation.Refusal):
        raise errors.Refused(made.why, place=made.place, remedy=made.remedy)
    return made


_PUBLISHED = tuple(VERSION.c[name] for name in Published._fields)


def _published(row: sa.Row[Any]) -> Published:
    return Published(**row._mapping)


def _origins(connection: sa.Connection, digest: str) -> list[dict[str, Any]]:
    """All that was told of where it comes from, the oldest first."""
    event = schema.admin_event.c
    query = sa.select(event.after).where(
        event.subject == f"policy {digest}", event.action.in_(("policy.publish", "policy.origin"))
    )
    told = connection.execute(query.where(event.refused.is_(None)).order_by(event.id)).scalars()
    return [dict(item["origin"]) for item in told if item and item.get("origin")]


def _wrote(connection: sa.Connection, version: sa.Row[Any], name: str) -> bool:
    """Who published it, and who wrote the files that were published: of one who is called like a person here."""
    authors = {str(item.get("author") or "").casefold() for item in _origins(connection, version.digest)}
    return version.by == name or name.casefold() in authors


def _version(connection: sa.Connection, digest: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(*_PUBLISHED).where(VERSION.c.digest == digest)).one_or_none()


def _stored(connection: sa.Connection, digest: str) -> Policy | None:
    body = connection.execute(sa.select(VERSION.c.body).where(VERSION.c.digest == digest)).scalar_one_or_none()
    if body is None:
        return None
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise errors.Misconfigured(
            "the stored policy was changed since it was published",
            place=f"policy {digest[:12]}",
            remedy="publish it again from its files under a new version",
        )
    try:
        return Policy.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise errors.Misconfigured(
            f"the stored policy is of another version of Tierwise ({error.error_count()} parts are not known)",
            place=f"policy {digest[:12]}",
            remedy="publish its files again",
        ) from error
