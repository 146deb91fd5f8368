"""A review item is of a known kind and state."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (schema.review_item, {"state": "forgotten"}),
        (schema.review_item, {"kind": "whatever"}),
    ],
)
def test_a_state_is_one_of_those_declared(desk: Any, store_url: str, table: sa.Table, values: dict[str, Any]) -> None:
    desk.decide(desk.arrival("1"), desk.misfit("2"))
    desk.send()
    database = engine.Database(store_url)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.update(table).values(values)))
    database.close()
