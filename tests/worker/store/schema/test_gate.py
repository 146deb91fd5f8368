"""What the database itself refuses about automation."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_a_decision_is_automated_once(desk: Any, store_url: str) -> None:
    desk.decide(desk.arrival("1"))
    database = engine.Database(store_url)
    with database.read() as connection:
        decision = connection.execute(sa.select(schema.decision.c.id)).scalar_one()
    row = {
        "connection": "crm", "record_id": "1", "decision_id": decision, "field": "x", "after": "gold",
        "state": "begun", "report": "r" * 64, "flag_version": 1, "at": desk.now,
    }  # fmt: skip
    database.write(lambda connection: connection.execute(sa.insert(schema.automation).values(row)))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(schema.automation).values(row)))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.update(schema.automation).values(state="maybe")))
    database.close()
