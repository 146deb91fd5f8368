"""The cache of paid answers: the same question about the same signals is never paid twice."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import pydantic
import sqlalchemy as sa

from tierwise.domain.rubric import Assessment
from tierwise.store import bulk, columns, engine, schema

TABLE = schema.assessment
_READ = sa.select(TABLE.c.content_hash, TABLE.c.body).where(
    TABLE.c.content_hash.in_(sa.bindparam("hashes", expanding=True))
)


class Assessments:
    """ports.Assessments over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def get(self, hashes: Collection[str]) -> dict[str, Assessment]:
        """By content hash; those that were never answered are left out."""
        with self._database.read() as connection:
            return read(connection, hashes)

    def keep(self, assessments: Sequence[Assessment], *, now: datetime) -> None:
        """Answers that were paid for though no decision stands on them yet."""
        if assessments:
            self._database.write(lambda connection: keep(self._database, connection, assessments, now=now))


def read(connection: sa.Connection, hashes: Collection[str]) -> dict[str, Assessment]:
    """By content hash, on a connection that is open."""
    found: dict[str, Assessment] = {}
    for some in columns.chunks(sorted(set(hashes))):
        for row in connection.execute(_READ, {"hashes": some}):
            # What another version stored in another shape is asked again.
            with contextlib.suppress(pydantic.ValidationError):
                found[row.content_hash] = Assessment.model_validate(row.body)
    return found


def keep(
    database: engine.Database, connection: sa.Connection, assessments: Iterable[Assessment], *, now: datetime
) -> set[str]:
    """Store answers that were paid for just now; the first answer to a question stays. The hashes that were new.

    One that cannot be read any more is no answer: the new one takes its place.
    """
    paid = {item.content_hash: item for item in assessments if not item.cached and not item.kept}
    rows = [
        {"content_hash": key, "model": paid[key].model, "body": paid[key].model_dump(mode="json"), "created_at": now}
        for key in sorted(paid)
    ]
    if not rows:
        return set()
    new = bulk.put_new(database, connection, _first, rows, key=TABLE.c.content_hash)
    known = paid.keys() - new
    unreadable = known - read(connection, known).keys()
    for row in rows:
        if row["content_hash"] in unreadable:
            connection.execute(sa.update(TABLE).where(TABLE.c.content_hash == row["content_hash"]).values(row))
    return new | unreadable


def _first(database: engine.Database) -> engine.Insert:
    return database.insert(TABLE).on_conflict_do_nothing()
