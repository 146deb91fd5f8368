"""Calibrations, immutable by digest, and the append-only list of which one applied from when."""

from __future__ import annotations

import builtins
import hashlib
import json
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import chain
from tierwise.domain.calibration import Calibration
from tierwise.domain.lead import canonical_json
from tierwise.ports.calibrations import Fitted, InForce, Told
from tierwise.store import engine, schema

TABLE = schema.calibration
ACTIVATION = schema.calibration_activation
_SHORTEST = 6  # characters of a digest's beginning


class Calibrations:
    """ports.Calibrations over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def keep(self, calibration: Calibration, *, by: str, note: str, now: datetime) -> str:
        """Digest; keeping the same twice changes nothing."""
        row = {
            "digest": calibration.digest(),
            "rubric": calibration.rubric,
            "models": json.dumps(calibration.models),
            "labels": calibration.labels,
            "method": calibration.curve.method,
            "data": calibration.data,
            "body": canonical_json(calibration.model_dump(mode="json")),
            "by": by,
            "note": note,
            "at": now,
        }
        statement = self._database.insert(TABLE).values(row).on_conflict_do_nothing()
        self._database.write(lambda connection: connection.execute(statement))
        return calibration.digest()

    def get(self, digest: str) -> Fitted | None:
        """By digest, or by a beginning of it that is unique. Misconfigured where what is stored was changed."""
        if len(digest) < _SHORTEST or not digest.isalnum():
            return None
        query = sa.select(TABLE).where(TABLE.c.digest.startswith(digest, autoescape=True)).limit(2)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return _fitted(rows[0]) if len(rows) == 1 else None

    def list(self, *, limit: int = 50) -> builtins.list[Fitted]:
        """The newest first."""
        query = sa.select(TABLE).order_by(TABLE.c.at.desc(), TABLE.c.digest).limit(limit)
        with self._database.read() as connection:
            return [_fitted(row) for row in connection.execute(query)]

    def activate(self, digest: str | None, *, by: str, note: str, now: datetime) -> InForce:
        """From now on it applies, or none does. RejectRecord where there is no such calibration."""

        def work(connection: sa.Connection) -> InForce:
            known = sa.select(sa.literal(1)).where(TABLE.c.digest == digest)
            if digest is not None and connection.execute(known).first() is None:
                raise errors.RejectRecord(
                    "no such calibration", place=digest[:12], remedy="tierwise calibrate list shows those there are"
                )
            row = {"digest": digest, "by": by, "note": note, "at": now}
            inserted = connection.execute(sa.insert(ACTIVATION).values(row).returning(ACTIVATION.c.id))
            return InForce(inserted.scalar_one(), digest, by, note, now)

        return self._database.write(work)

    def active(self) -> InForce | None:
        """The newest row of the list."""
        return next(iter(self.history(limit=1)), None)

    def history(self, *, limit: int = 50) -> builtins.list[InForce]:
        """The newest first."""
        query = sa.select(*(ACTIVATION.c[name] for name in InForce._fields)).order_by(ACTIVATION.c.id.desc())
        with self._database.read() as connection:
            return [InForce._make(row) for row in connection.execute(query.limit(limit))]

    def told(self, *, limit: int = 5000) -> builtins.list[Told]:
        """Decisions that were said to be right or wrong, the newest word on each decision."""
        label, decision = schema.label, schema.decision
        query = (
            sa.select(label.c.decision_id, label.c.source, label.c.value, label.c.won, label.c.sampling,
                      decision.c.body, decision.c.personal)
            .join(decision, decision.c.id == label.c.decision_id)
            .order_by(label.c.id.desc())
            .limit(limit)
        )  # fmt: skip
        found: dict[int, Told] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                if row.decision_id in found:
                    continue
                personal = json.loads(row.personal) if row.personal is not None else None
                made = chain.restore(json.loads(row.body), personal)
                found[row.decision_id] = Told(made, row.source, row.value, row.won, row.sampling)
        return builtins.list(found.values())


def _fitted(row: sa.Row[tuple[object, ...]]) -> Fitted:
    if hashlib.sha256(row.body.encode()).hexdigest() != row.digest:
        raise errors.Misconfigured(
            "the stored calibration was changed since it was learnt",
            place=f"calibration {row.digest[:12]}",
            remedy="learn it again: `tierwise calibrate fit`",
        )
    return Fitted(row.digest, Calibration.model_validate_json(row.body), row.by, row.note, row.at)
