"""The console over a real database, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tierwise import store
from tierwise.console import health, levels, page
from tierwise.domain import review
from tierwise.store import schema

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def real(migrated_url: str) -> Iterator[store.SqlStore]:
    opened = store.open_store(migrated_url)
    yield opened
    opened.close()


def _values(real: store.SqlStore) -> dict[tuple[str, ...], float]:
    return {
        (gauge.name, *labels): value for gauge in levels.read(real, now=NOW) for labels, value in gauge.values.items()
    }


def test_an_empty_database_has_all_levels_and_a_page(real: store.SqlStore) -> None:
    found = _values(real)
    assert found["tierwise_database_up",] == 1
    assert [found["tierwise_reviews_open", kind] for kind in review.KINDS] == [0] * len(review.KINDS)
    checks = health.look(real, broker=None, schema=lambda: ("1", "1"), now=NOW)
    assert [check.name for check in checks if not check.ok] == ["worker", "beat"]
    assert "No connection yet" in page.render(real, checks, now=NOW)


def test_levels_are_what_is_stored(real: store.SqlStore) -> None:
    real.connections.ensure("hubspot-emea", "hubspot", now=NOW)
    real.connections.enable("hubspot-emea", watermark=NOW - timedelta(minutes=5), now=NOW)
    real.heartbeats.beat("worker", "a", info={}, now=NOW - timedelta(seconds=90))
    real.heartbeats.beat("worker", "b", info={}, now=NOW - timedelta(seconds=9))
    real.heartbeats.beat("beat", "c", info={}, now=NOW - timedelta(seconds=61))
    found = _values(real)
    assert found["tierwise_connection_enabled", "hubspot-emea"] == 1
    assert found["tierwise_connection_watermark_timestamp_seconds", "hubspot-emea"] == NOW.timestamp() - 300
    assert found["tierwise_leads", "hubspot-emea"] == 0
    assert found["tierwise_work_due",] == 0
    assert found["tierwise_heartbeat_age_seconds", "worker"] == pytest.approx(9)
    assert (found["tierwise_processes", "worker"], found["tierwise_processes", "beat"]) == (1, 0)
    checks = health.look(real, broker=None, schema=None, now=NOW)
    assert [check.name for check in checks if not check.ok] == ["beat"]
    assert "hubspot-emea" in page.render(real, checks, now=NOW)


def test_open_reviews_are_counted_by_kind(real: store.SqlStore, migrated_url: str) -> None:
    real.connections.ensure("c", "hubspot", now=NOW)
    rows = [
        ("schema", "open"),
        ("schema", "open"),
        ("schema", "answered"),
        ("guardrail", "superseded"),
        ("fast_track", "open"),
    ]
    engine = sa.create_engine(migrated_url)
    with engine.begin() as connection:
        for number, (kind, state) in enumerate(rows):
            connection.execute(
                sa.insert(schema.review_item).values(
                    id=number + 1, connection="c", record_id=str(number), kind=kind, state=state,
                    priority=1, reason="x", created_at=NOW,
                )
            )  # fmt: skip
    engine.dispose()
    assert real.reviews.counts() == {"schema": 2, "fast_track": 1}
    assert _values(real)["tierwise_reviews_open", "schema"] == 2
    assert _values(real)["tierwise_reviews_open", "guardrail"] == 0


def test_a_database_that_went_away_is_said_so(real: store.SqlStore, migrated_url: str) -> None:
    engine = sa.create_engine(migrated_url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE heartbeat RENAME TO gone"))
    engine.dispose()
    assert {key[0] for key in _values(real)} == {"tierwise_build_info", "tierwise_database_up"}
    (database, *_) = health.look(real, broker=None, schema=None, now=NOW)
    assert (database.name, database.ok) == ("database", False)
    assert "tierwise db upgrade" in database.remedy
