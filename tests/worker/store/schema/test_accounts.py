"""A row of an account has its connection."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_a_row_belongs_to_a_connection_that_exists(opened: Any, store_url: str) -> None:
    database = engine.Database(store_url)
    row = {"connection": "nobody", "sequence": 0, "head": schema.GENESIS}
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(schema.chain).values(row)))
    database.close()


def test_a_pass_is_of_a_known_kind(desk: Any, store_url: str) -> None:
    desk.decide(desk.arrival("1"))
    database = engine.Database(store_url)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.update(schema.cursor).values(kind="sideways")))
    database.close()
