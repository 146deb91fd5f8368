"""Many rows with one statement. On SQLite the driver gets them without SQLAlchemy, which does more with each row than
SQLite itself. PostgreSQL gets them as ever: there a round trip is what costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.store import engine

Build = Callable[[engine.Database], engine.Insert]


class _Compiled(NamedTuple):
    text: str
    names: tuple[str, ...]
    """Of the values that it takes, in its order."""
    processors: Mapping[str, Callable[[Any], Any]]
    constants: Mapping[str, Any]
    """Values that are the same for every row, as the driver takes them."""


def put(database: engine.Database, connection: sa.Connection, build: Build, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute the INSERT that `build` makes, once for each row. All rows have the same columns; nothing comes back."""
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


def _compiled(database: engine.Database, build: Build, row: Mapping[str, Any]) -> _Compiled:
    def compiled(_: engine.Database) -> _Compiled:
        dialect = database.engine.dialect
        made = database.prepared(build).compile(dialect=dialect, column_keys=list(row))
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
