"""Only what is kept can apply."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_what_applies_is_there_or_none(opened: Any, store_url: str) -> None:
    database = engine.Database(store_url)
    row = {"digest": "0" * 64, "by": "ann", "note": "", "at": datetime(2026, 11, 2, tzinfo=UTC)}
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda link: link.execute(sa.insert(schema.calibration_activation).values(row)))
    database.write(lambda link: link.execute(sa.insert(schema.calibration_activation).values({**row, "digest": None})))
    database.close()
