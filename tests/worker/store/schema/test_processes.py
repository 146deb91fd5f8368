"""A slot belongs to one process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_a_slot_is_claimed_once(opened: Any, store_url: str) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    row = {"kind": "tick", "scope": "", "slot": at, "by": "a", "at": at}
    database = engine.Database(store_url)
    database.write(lambda connection: connection.execute(sa.insert(schema.schedule_slot).values(row)))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(
            lambda connection: connection.execute(sa.insert(schema.schedule_slot).values({**row, "by": "b"}))
        )
    database.close()
