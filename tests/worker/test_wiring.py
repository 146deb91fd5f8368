"""Parts of one process, opened when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierwise import limits, policies, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.errors import Misconfigured


@pytest.fixture
def parts(home: Path) -> Iterator[wiring.Wiring]:
    settings = configuration.Settings(home=home, connections={"emea": {"type": "hubspot"}, "odd": {"type": "other"}})
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    yield made
    made.close()


def test_an_empty_database_gets_the_configured_policy_once(parts: wiring.Wiring) -> None:
    first = parts.ensure_policy()
    assert parts.ensure_policy() == first
    assert parts.runnable().digest == first.digest
    assert len(parts.store.policies.history()) == 1


def test_an_activation_is_seen_when_the_memory_of_the_last_one_ends(
    parts: wiring.Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = parts.runnable()
    changed = before.policy.model_copy(update={"version": "2.0"})
    digest = parts.store.policies.publish(changed, by="me", note="", now=wiring.clock())
    parts.store.policies.activate(digest, by="me", note="", now=wiring.clock())
    assert wiring.ACTIVE_FOR <= 5
    parts._active = (parts._active[0] - wiring.ACTIVE_FOR - 1, parts._active[1]) if parts._active else None
    assert parts.runnable().policy.version == "2.0"
    assert parts.runnable(before.digest) is before


def test_a_policy_that_nobody_published(parts: wiring.Wiring) -> None:
    with pytest.raises(Misconfigured, match="not in the database"):
        parts.runnable("0" * 64)


def test_a_connection_without_a_map_is_told(parts: wiring.Wiring) -> None:
    policy = policies.read(parts.policy_directory())
    assert parts.field_map("emea", policy).connector == "hubspot"
    with pytest.raises(Misconfigured, match="no field map") as caught:
        parts.field_map("odd", policy)
    assert caught.value.place == "rules/maps/other.yaml"
    with pytest.raises(Misconfigured, match="nobody"):
        parts.connection("nobody")


def test_budgets_are_local_where_there_is_no_broker(parts: wiring.Wiring, valkey_url: str) -> None:
    assert isinstance(parts.limiter, limits.LocalLimiter)
    shared = wiring.Wiring(parts.settings, broker_url=valkey_url)
    assert isinstance(shared.limiter, limits.RedisLimiter)
    shared.close()


def test_every_process_has_a_name_of_its_own(parts: wiring.Wiring) -> None:
    assert wiring.Wiring(parts.settings).owner != parts.owner


def test_a_closed_wiring_opens_again(parts: wiring.Wiring) -> None:
    assert parts.store.connections.list() == []
    parts.close()
    assert parts.store.connections.list() == []


def test_enrichers_are_opened_once_and_only_where_the_settings_name_one(home: Path) -> None:
    assert wiring.Wiring(configuration.Settings(home=home)).enrichment is None
    named = {"country": {"type": "phone_country"}, "name": {"type": "company_name"}}
    made = wiring.Wiring(configuration.Settings(home=home, enrichers=named))
    assert made.enrichment is not None
    assert made.enrichment is made.enrichment
    made.close()
    wrong = wiring.Wiring(configuration.Settings(home=home, enrichers={"a": {"type": "fone_country"}}))
    with pytest.raises(Misconfigured, match="no enricher type") as caught:
        _ = wrong.enrichment
    assert (caught.value.place, caught.value.remedy) == ("enrichers.a.type", "did you mean 'phone_country'?")


def test_a_token_is_asked_for_where_the_type_needs_one(home: Path) -> None:
    connections = {"drop": {"type": "files"}, "mine": {"type": "files", "token": "x"}, "emea": {"type": "hubspot"}}
    made = wiring.Wiring(configuration.Settings(home=home, connections=connections))
    assert (made.token("drop"), made.token("mine")) == ("", "x")
    with pytest.raises(Misconfigured, match="has no token"):
        made.token("emea")
