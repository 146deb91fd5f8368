"""Parts of one process, opened when they are needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import limits, wiring
from tierwise import settings as configuration
from tierwise.errors import Misconfigured


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
