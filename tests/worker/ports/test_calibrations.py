from __future__ import annotations

from datetime import UTC, datetime

from tierwise import ports


def test_none_in_force_is_a_row_too() -> None:
    row = ports.InForce(1, None, "ann", "back to raw", datetime(2026, 11, 2, tzinfo=UTC))
    assert row._asdict()["digest"] is None
