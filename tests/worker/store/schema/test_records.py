"""What the database itself refuses of a record's path, whatever the code does."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (schema.work, {"state": "asleep"}),
        (schema.outbox, {"state": "lost"}),
        (schema.write_attempt, {"outcome": "maybe"}),
    ],
)
def test_a_state_is_one_of_those_declared(desk: Any, store_url: str, table: sa.Table, values: dict[str, Any]) -> None:
    desk.decide(desk.arrival("1"), desk.misfit("2"))
    desk.send()
    database = engine.Database(store_url)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.update(table).values(values)))
    database.close()


@pytest.mark.parametrize("table", [schema.lead, schema.work, schema.decision, schema.outbox], ids=lambda t: t.name)
def test_there_is_no_second_row_of_the_same(desk: Any, store_url: str, table: sa.Table) -> None:
    """The unique keys stand in the database, not only in the statements."""
    desk.decide(desk.arrival("1"))
    database = engine.Database(store_url)
    with database.read() as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one())
    del row["id"]
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(table).values(row)))
    database.close()
