"""Published bundles, and the append-only list of which one ran from when."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.lead import canonical_json
from tierwise.domain.policy import Policy
from tierwise.ports import Activation
from tierwise.store import engine, schema

VERSION = schema.policy_version
ACTIVATION = schema.policy_activation


class Policies:
    """ports.Policies over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def publish(self, policy: Policy, *, by: str, note: str, now: datetime) -> str:
        """Digest; publishing the same bundle twice changes nothing."""
        digest = policy.digest()
        row = {
            "digest": digest,
            "name": policy.name,
            "version": policy.version,
            "body": canonical_json(policy.model_dump(mode="json")),
            "by": by,
            "note": note,
            "at": now,
        }
        statement = self._database.insert(VERSION).values(row).on_conflict_do_nothing()
        self._database.write(lambda connection: connection.execute(statement))
        return digest

    def get(self, digest: str) -> Policy | None:
        """The bundle of that digest. Misconfigured where what is stored is not what was published."""
        with self._database.read() as connection:
            query = sa.select(VERSION.c.body).where(VERSION.c.digest == digest)
            body = connection.execute(query).scalar_one_or_none()
        if body is None:
            return None
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            raise errors.Misconfigured(
                "the stored policy was changed since it was published",
                place=f"policy {digest[:12]}",
                remedy="publish it again from its files under a new version",
            )
        return Policy.model_validate_json(body)

    def activate(self, digest: str, *, by: str, note: str, now: datetime) -> Activation:
        """From now on this one runs. Misconfigured where it was never published."""

        def work(connection: sa.Connection) -> Activation:
            query = sa.select(VERSION.c.version).where(VERSION.c.digest == digest)
            version = connection.execute(query).scalar_one_or_none()
            if version is None:
                raise errors.Misconfigured(
                    "no such policy was published",
                    place=f"policy {digest[:12]}",
                    remedy="publish it first: `tierwise policy publish`",
                )
            row = {"digest": digest, "by": by, "note": note, "at": now}
            inserted = connection.execute(sa.insert(ACTIVATION).values(row).returning(ACTIVATION.c.id))
            return Activation(inserted.scalar_one(), digest, version, by, note, now)

        return self._database.write(work)

    def active(self) -> Activation | None:
        """What runs: one indexed row."""
        return next(iter(self.history(limit=1)), None)

    def history(self, *, limit: int = 50) -> list[Activation]:
        """Activations, the newest first."""
        query = (
            sa.select(
                ACTIVATION.c.id,
                ACTIVATION.c.digest,
                VERSION.c.version,
                ACTIVATION.c.by,
                ACTIVATION.c.note,
                ACTIVATION.c.at,
            )
            .join(VERSION, VERSION.c.digest == ACTIVATION.c.digest)
            .order_by(ACTIVATION.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Activation(*row) for row in connection.execute(query)]
