"""Many rows with one statement. On SQLite the driver gets them without SQLAlchemy, which does more with each row than
SQLite itself. PostgreSQL gets them as ever: there a round trip is what costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.store import columns, engine

Build = Callable[[engine.Database], engine.Insert]


class _Compiled(NamedTuple):
    text: str
    names: tuple[str, ...]
    """Of the values that it takes, in its order."""
    processors: Mapping[str, Callable[[Any], Any]]
    constants: Mapping[str, Any]
    """Values that are the same for every row, as the driver takes them."""


def put(database: engine.Database, connection: sa.Connection, build: Build, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute the INSERT that `build` makes, once for each row; nothing comes back. Rows hold columns and what else the
    statement asks for, the same names in each."""
    if not rows:
        return
    if not database.is_sqlite:
        # RETURNING is what makes SQLAlchemy send many rows at once.
        statement = database.prepared(build)
        connection.execute(statement.returning(*statement.table.primary_key), rows)
        return
    text, names, processors, constants = _compiled(database, build, rows[0])
    values = [
        _column([row[name] for row in rows], processors.get(name)) if name in rows[0] else [constants[name]] * len(rows)
        for name in names
    ]
    connection.exec_driver_sql(text, list(zip(*values, strict=True)))


def put_new(
    database: engine.Database,
    connection: sa.Connection,
    build: Build,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: sa.Column[str],
) -> set[str]:
    """`put` where ON CONFLICT leaves what is there: the keys of the rows that were not. No key comes twice."""
    if not database.is_sqlite:
        return set(connection.execute(database.prepared(build).returning(key), rows).scalars())
    # Nobody else writes meanwhile: asked before, it costs less than being told of each row.
    among = key.in_(sa.bindparam("keys", expanding=True))
    asked = database.prepared(lambda _: sa.select(key).where(among), key=("there", str(key)))
    there: set[str] = set()
    for some in columns.chunks(row[key.name] for row in rows):
        there.update(connection.execute(asked, {"keys": some}).scalars())
    new = [row for row in rows if row[key.name] not in there]
    put(database, connection, build, new)
    return {row[key.name] for row in new}


def _compiled(database: engine.Database, build: Build, row: Mapping[str, Any]) -> _Compiled:
    def compiled(_: engine.Database) -> _Compiled:
        dialect = database.engine.dialect
        statement = database.prepared(build)
        made = statement.compile(dialect=dialect, column_keys=[name for name in row if name in statement.table.c])
        names = tuple(made.positiontup or ())
        found = {name: made.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
        processors = {name: process for name, process in found.items() if process is not None}
        constants = {
            name: processors[name](value) if name in processors else value
            for name, value in made.params.items()
            if name not in row
        }
        return _Compiled(str(made), names, processors, constants)

    return database.prepared(compiled, key=(build, *row))


def _column(values: list[Any], process: Callable[[Any], Any] | None) -> list[Any]:
    if process is None:
        return values
    first = values[0]
    if all(value is first for value in values):
        # Most times are those of the whole batch.
        return [process(first)] * len(values)
    return [process(value) for value in values]
