"""Only what was published can run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_an_activation_is_of_a_published_bundle(opened: Any, store_url: str) -> None:
    row = {"digest": "0" * 64, "by": "ada", "note": "", "at": datetime(2026, 11, 2, tzinfo=UTC)}
    database = engine.Database(store_url)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(schema.policy_activation).values(row)))
    database.close()
