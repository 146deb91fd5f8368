"""What Prometheus reads of the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tierwise import errors, ports
from tierwise.console import levels
from tierwise.domain import review


def _values(store: ports.Store, now: datetime) -> dict[tuple[str, ...], float]:
    return {
        (gauge.name, *labels): value for gauge in levels.read(store, now=now) for labels, value in gauge.values.items()
    }


def test_levels_are_those_of_the_database(busy: Any, store: ports.Store, now: datetime) -> None:
    found = _values(store, now)
    assert found["tierwise_database_up",] == 1
    assert found["tierwise_leads", "hubspot-emea"] == 1200
    assert found["tierwise_leads_undecided", "hubspot-emea"] == 30
    assert found["tierwise_leads_undelivered", "hubspot-emea"] == 12
    assert found["tierwise_leads_rejected", "hubspot-apac"] == 0
    assert found["tierwise_work", "leased"] == 5
    assert found["tierwise_work_due",] == 25
    assert found["tierwise_outbox_due", "hubspot-emea"] == 12
    assert found["tierwise_heartbeat_age_seconds", "worker"] == 4, "the youngest of a role"
    assert found["tierwise_processes", "worker"] == 2
    assert found["tierwise_policy_info", "ab" * 32, "2026-11 <first>"] == 1
    assert found["tierwise_policy_activated_timestamp_seconds",] == now.timestamp() - 2 * 86_400
    assert found["tierwise_connection_polled_timestamp_seconds", "hubspot-emea"] == now.timestamp() - 180


def test_a_paused_connection_is_not_enabled(busy: Any, store: ports.Store, now: datetime) -> None:
    found = _values(store, now)
    assert (
        found["tierwise_connection_enabled", "hubspot-emea"],
        found["tierwise_connection_paused", "hubspot-emea"],
    ) == (1, 0)
    assert (
        found["tierwise_connection_enabled", "hubspot-apac"],
        found["tierwise_connection_paused", "hubspot-apac"],
    ) == (0, 1)


def test_what_is_none_is_shown_as_zero(busy: Any, store: ports.Store, now: datetime) -> None:
    """An alert on a series that is not there never fires."""
    found = _values(store, now)
    assert {kind: found["tierwise_reviews_open", kind] for kind in review.KINDS} == {
        **dict.fromkeys(review.KINDS, 0),
        "low_confidence": 7,
        "schema": 1,
    }
    busy.beats.clear()
    assert _values(store, now)["tierwise_processes", "worker"] == 0


def test_an_empty_installation_has_levels_too(store: ports.Store, now: datetime) -> None:
    found = _values(store, now)
    assert found["tierwise_work_due",] == 0
    assert not [key for key in found if key[0] == "tierwise_policy_info"]


def test_without_the_database_only_that_is_said(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.down = errors.Unreachable("gone")
    assert {key[0] for key in _values(store, now)} == {"tierwise_build_info", "tierwise_database_up"}
    assert _values(store, now)["tierwise_database_up",] == 0


def test_money_is_among_the_levels(fake: Any, store: ports.Store, now: datetime) -> None:
    resumes = now + timedelta(hours=12)
    fake.money_levels = [ports.Level(ports.ALL, "day", 5 * ports.NANO, 4 * ports.NANO, ports.NANO // 2, resumes)]
    fake.spent = [ports.Entry("crm", "m", stage, nano_usd=ports.NANO) for stage in ("primary", "sample")]
    fake.waiting, fake.batched = {"crm": 3}, {"crm": 40}
    budgets = ports.Budgets(total=ports.Budget(day=5 * ports.NANO))
    found = {gauge.name: gauge.values for gauge in levels.read(store, now=now, budgets=budgets)}
    assert found["tierwise_leads_held"] == {("crm",): 3}
    assert found["tierwise_leads_batched"] == {("crm",): 40}
    assert found["tierwise_budget_usd"] == {("*", "day"): 5}
    assert found["tierwise_budget_spent_usd"] == {("*", "day"): 4.5}
    assert found["tierwise_model_spend_usd"] == {("crm", "m"): 2}


def test_writes_of_the_organisations_field_by_how_they_ended(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.automated = {("emea", "written"): 7, ("emea", "unsure"): 1}
    found = _values(store, now)
    assert found["tierwise_automations", "emea", "written"] == 7
    assert found["tierwise_automations", "emea", "unsure"] == 1
