"""A step of an account has one row; a notice is in one of its states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema

AT = datetime(2026, 11, 2, tzinfo=UTC)


def test_a_step_of_an_account_has_one_row(desk: Any, store_url: str) -> None:
    row = {"connection": "crm", "step": "poll", "failures": 0, "fault": "", "error": "", "remedy": ""}
    database = engine.Database(store_url)
    database.write(lambda connection: connection.execute(sa.insert(schema.account_health).values(row)))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(sa.insert(schema.account_health).values(row)))
    database.close()


def test_a_notice_is_in_one_of_its_states(opened: Any, store_url: str) -> None:
    words = dict.fromkeys(("notifier", "event", "key", "severity", "title", "text", "link", "matter"), "x")
    row = {**words, "at": AT, "attempt": 0, "run_after": AT}
    database = engine.Database(store_url)
    for state in schema.NOTIFICATION_STATES:
        database.write(lambda c, s=state: c.execute(sa.insert(schema.notification).values(**row, state=s)))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda c: c.execute(sa.insert(schema.notification).values(**row, state="lost")))
    database.close()
