from __future__ import annotations

from tierwise_sandbox.portal import Portal


def test_every_portal_has_a_token_of_its_own() -> None:
    assert Portal().token != Portal().token


def test_reset_starts_the_counts_again_and_keeps_the_records(portal: Portal) -> None:
    portal.count("search")
    portal.model.calls["m"] += 2
    portal.model.waited_seconds = 3.0
    portal.store.create([({"email": "a@b.example"}, None)], by="api")
    assert portal.stats()["calls"] == {"search": 1}
    assert (portal.stats()["model_calls"], portal.stats()["writes"]) == (2, 1)
    portal.reset_stats()
    stats = portal.stats()
    assert (stats["calls"], stats["writes"], stats["model_calls"], stats["model_waited_seconds"]) == ({}, 0, 0, 0.0)
    assert stats["records"] == 13
    assert len(portal.store.journal()) == 1


def test_a_burst_shares_one_millisecond_and_can_be_larger_than_a_search_can_page(portal: Portal) -> None:
    ids = portal.burst(10_050, 1_700_000_000_123)
    records = [portal.store.get(str(key)) for key in ids]
    assert {record.modified_ms for record in records if record} == {1_700_000_000_123}
    assert len({record.properties["email"] for record in records if record}) == 10_050
