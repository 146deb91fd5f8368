"""Many rows by one statement: the same is stored as by SQLAlchemy, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.store import bulk, engine, schema

TABLE = schema.assessment
START = schema.policy_shadow


@pytest.fixture
def database(store_url: str) -> Iterator[engine.Database]:
    """An empty one on each engine."""
    made = engine.Database(store_url)
    yield made
    made.close()


def _insert(database: engine.Database) -> engine.Insert:
    insert = database.insert(TABLE)
    # A constant of the statement beside the values of the rows.
    again = {"model": sa.literal("again: ") + insert.excluded.model}
    return insert.on_conflict_do_update(index_elements=[TABLE.c.content_hash], set_=again)


def _stored(database: engine.Database) -> list[Any]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.content_hash))]


def test_every_type_is_stored_as_it_was_given(desk: Any, database: engine.Database) -> None:
    rows = [
        {"content_hash": f"h{number}", "model": "m", "body": {"n": number, "text": "naïve \x00"}, "created_at": at}
        for number, at in enumerate([desk.now, desk.now + timedelta(microseconds=1), desk.now])
    ]
    database.write(lambda connection: bulk.put(database, connection, _insert, rows))
    assert _stored(database) == [
        (row["content_hash"], "m", {"n": number, "text": "naïve \ufffd"}, row["created_at"])
        for number, row in enumerate(rows)
    ]
    database.write(lambda connection: bulk.put(database, connection, _insert, rows[1:]))
    assert [row[1] for row in _stored(database)] == ["m", "again: m", "again: m"]


def test_what_was_new_is_told(desk: Any, database: engine.Database) -> None:
    def first(_: engine.Database) -> engine.Insert:
        return database.insert(TABLE).on_conflict_do_nothing()

    def put(*keys: str) -> set[str]:
        rows = [{"content_hash": key, "model": f"by {keys}", "body": {}, "created_at": desk.now} for key in keys]
        return database.write(
            lambda connection: bulk.put_new(database, connection, first, rows, key=TABLE.c.content_hash)
        )

    assert put("a", "b") == {"a", "b"}
    assert put("b", "c") == {"c"}
    assert put("c") == set()
    assert [(row[0], row[1]) for row in _stored(database)] == [
        ("a", "by ('a', 'b')"), ("b", "by ('a', 'b')"), ("c", "by ('b', 'c')"),
    ]  # fmt: skip


def test_of_no_rows_nothing_is_asked(database: engine.Database) -> None:
    database.write(lambda connection: bulk.put(database, connection, _insert, []))
    assert _stored(database) == []


def test_rows_with_other_columns_get_a_statement_of_their_own(desk: Any, database: engine.Database) -> None:
    def waits(_: engine.Database) -> engine.Insert:
        return database.insert(START)

    first = {"digest": "a" * 64, "by": "ada", "after": 1, "started_at": desk.now}
    database.write(lambda connection: connection.execute(sa.insert(schema.policy_version), _version(desk)))
    database.write(lambda connection: bulk.put(database, connection, waits, [first]))
    database.write(lambda connection: bulk.put(database, connection, waits, [{**first, "stopped_at": desk.now}]))
    with database.read() as connection:
        ended = connection.execute(sa.select(START.c.stopped_at).order_by(START.c.id)).scalars().all()
    assert ended == [None, desk.now]


def test_one_row_that_does_not_fit_stores_none(desk: Any, database: engine.Database) -> None:
    row = {"content_hash": "h", "model": "m", "body": {}, "created_at": desk.now}
    with pytest.raises(sa.exc.IntegrityError):
        database.write(
            lambda connection: bulk.put(
                database, connection, _insert, [row, {**row, "content_hash": "i", "model": None}]
            )
        )
    assert _stored(database) == []


def test_a_database_without_the_table_is_told_in_our_words(tmp_path: Any, desk: Any) -> None:
    empty = engine.Database(f"sqlite:///{tmp_path / 'empty.db'}")
    row = {"content_hash": "h", "model": "m", "body": {}, "created_at": desk.now}
    with pytest.raises(errors.Misconfigured, match="schema"):
        empty.write(lambda connection: bulk.put(empty, connection, _insert, [row]))
    empty.close()


def _version(desk: Any) -> dict[str, Any]:
    return {"digest": "a" * 64, "name": "p", "version": "1", "body": "", "by": "ada", "note": "", "at": desk.now}
