"""Sums are counted one a key."""

from __future__ import annotations

from datetime import date
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
