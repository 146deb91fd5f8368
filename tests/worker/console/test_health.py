"""Ready means: database, tables and broker answer, and a worker and a beat live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tierwise import errors, ports
from tierwise.console import health

LATE = health.FRESH.total_seconds() + 1


def _bad(found: list[health.Finding]) -> dict[str, str]:
    return {finding.name: finding.detail for finding in found if not finding.ok}


def test_all_is_well(busy: Any, store: ports.Store, now: datetime) -> None:
    found = health.look(store, broker=lambda: True, schema=lambda: ("7", "7"), now=now)
    assert [finding.name for finding in found] == ["database", "schema", "broker", "worker", "beat"]
    assert _bad(found) == {}
    assert health.as_json(found)["ready"] is True
    assert "2 processes, last sign of life 4 s ago" in [finding.detail for finding in found]


@pytest.mark.parametrize("role", health.ROLES)
def test_a_role_that_fell_silent_is_named(busy: Any, store: ports.Store, now: datetime, role: str) -> None:
    busy.beats = [beat._replace(at=now - timedelta(seconds=LATE)) if beat.role == role else beat for beat in busy.beats]
    found = health.look(store, broker=None, schema=None, now=now)
    assert _bad(found) == {role: "last sign of life 61 s ago"}
    assert health.as_json(found)["missing"] == [role]


def test_a_role_that_never_lived_is_named(store: ports.Store, now: datetime) -> None:
    found = health.look(store, broker=None, schema=None, now=now)
    assert _bad(found) == {"worker": "no sign of life yet", "beat": "no sign of life yet"}
    assert all(finding.remedy for finding in found if not finding.ok)


def test_one_living_process_of_a_role_is_enough(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.beat("worker", ago=10_000, instance="dead")
    assert _bad(health.look(store, broker=None, schema=None, now=now)) == {}


def test_a_kind_of_work_that_no_living_worker_does_is_named(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.beats = [beat for beat in busy.beats if beat.role == "beat"]
    busy.beat("worker", ago=3, queues=("poll", "maint"))
    busy.beat("worker", ago=5, instance="b", queues=("score",))
    busy.beat("worker", ago=500, instance="dead", queues=("writeback",))
    found = health.look(store, broker=None, schema=None, now=now)
    assert _bad(found) == {"worker": "2 processes, last sign of life 3 s ago, but none serves writeback"}
    assert any("--queues writeback" in finding.remedy for finding in found)
    busy.beat("worker", ago=1, instance="c", queues=("writeback",))
    assert _bad(health.look(store, broker=None, schema=None, now=now)) == {}


def test_a_clock_ahead_of_ours_is_no_fault(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.beats = [beat._replace(at=now + timedelta(seconds=5)) for beat in busy.beats]
    found = health.look(store, broker=None, schema=None, now=now)
    assert _bad(found) == {}
    assert "last sign of life 0 s ago" in [finding.detail for finding in found]


def test_old_tables_are_named_with_the_remedy(busy: Any, store: ports.Store, now: datetime) -> None:
    for revision, detail in (("6", "at 6, this version needs 7"), (None, "at nothing, this version needs 7")):
        found = health.look(store, broker=None, schema=lambda revision=revision: (revision, "7"), now=now)
        assert _bad(found) == {"schema": detail}
        assert "tierwise db upgrade" in [finding.remedy for finding in found]


def test_a_silent_broker_is_named(busy: Any, store: ports.Store, now: datetime) -> None:
    assert _bad(health.look(store, broker=lambda: False, schema=None, now=now)) == {"broker": "does not answer"}


def test_without_the_database_the_rest_is_still_looked_at(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.down = errors.Unreachable("the database does not answer", remedy="start it")
    found = health.look(store, broker=lambda: True, schema=lambda: ("7", "7"), now=now)
    bad = _bad(found)
    assert bad["database"] == "the database does not answer"
    assert {"worker", "beat"} <= set(bad)
    assert next(finding for finding in found if finding.name == "broker").ok


def test_the_database_may_fail_between_two_questions(busy: Any, store: ports.Store, now: datetime) -> None:
    def schema() -> tuple[str | None, str]:
        raise errors.Unreachable("gone")

    assert _bad(health.look(store, broker=None, schema=schema, now=now))["database"] == "gone"


def test_accounts_stand_beside_readiness_with_fault_and_remedy(
    busy: Any, store: ports.Store, client: Any, now: datetime
) -> None:
    busy.fail("hubspot-emea", "write_back", times=3, fault="timeout", error="no answer", resting=20)
    found = {one.name: one for one in health.accounts(store)}
    assert found["hubspot-emea"] == health.Finding(
        "hubspot-emea", False, "write back failed 3 times in a row (timeout): no answer", "look <there>"
    )
    assert (found["hubspot-apac"].ok, found["hubspot-apac"].detail) == (False, "paused: scope <x>")
    assert "tierwise connections enable hubspot-apac" in found["hubspot-apac"].remedy
    answer = client.get("/readyz").json()
    assert [one["name"] for one in answer["connections"] if not one["ok"]] == ["hubspot-emea", "hubspot-apac"]
    assert "hubspot-emea" not in answer["missing"]
    page = client.get("/").text
    assert "write back failed 3 times in a row (timeout): no answer" in page
    assert "look &lt;there&gt;" in page
    metrics = client.get("/metrics").text
    assert 'tierwise_connection_failures{connection="hubspot-emea",step="write_back"} 3.0' in metrics
    assert 'tierwise_connection_breaker_open{connection="hubspot-emea"} 1.0' in metrics
    assert "tierwise_connection_failing_since_timestamp_seconds{" in metrics
    busy.down = errors.Unreachable("gone")
    assert health.accounts(store) == []
