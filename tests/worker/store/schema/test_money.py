"""Sums are counted one a key, and a batch is in a known state."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema

DAY = {"day": date(2026, 11, 2), "connection": "crm", "model": "m", "stage": "primary", "strong": ""}


def test_one_row_a_day_connection_model_and_stage(opened: Any, store_url: str) -> None:
    database = engine.Database(store_url)
    insert = sa.insert(schema.model_spend)
    database.write(lambda connection: connection.execute(insert.values(DAY)))
    database.write(lambda connection: connection.execute(insert.values({**DAY, "strong": "other"})))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(insert.values(DAY)))
    database.close()


def test_a_batch_is_in_a_known_state(opened: Any, store_url: str) -> None:
    database = engine.Database(store_url)
    now = datetime(2026, 11, 2, tzinfo=UTC)
    row = {"reference": "b", "connection": "crm", "model": "m", "keys": [], "created_at": now, "updated_at": now}
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(schema.model_batch).values(**row, state="odd")))
    database.close()
