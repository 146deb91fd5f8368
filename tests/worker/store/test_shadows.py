"""A policy beside the one that runs: what it has to be held against, and what it would have decided."""

from __future__ import annotations

from typing import Any

import pytest
from tierwise_fixtures import policies as make

from tierwise import errors, ports


def row(past: ports.PastDecision, digest: str) -> ports.ShadowDecision:
    return ports.ShadowDecision(
        past.id, past.connection, past.record_id, digest, past.policy, {"outcome": "accept"}, {"outcome": "review"},
        differs=True, cost_usd=None,
    )  # fmt: skip


def test_only_decisions_since_its_start_and_each_once(desk: Any) -> None:
    shadows = desk.store.shadows
    digest = desk.store.policies.publish(make.policy(), by="me", note="", now=desk.now)
    assert shadows.current() is None
    assert shadows.latest() is None
    desk.decide(desk.arrival("before"))
    on = shadows.start(digest, by="me", now=desk.wait(1))
    assert shadows.current() == on == shadows.latest()
    desk.decide(desk.arrival("a"), desk.arrival("b"))
    desk.poll(desk.arrival("own"), policy=digest)
    desk.commit(desk.claim())
    due = shadows.due(on, limit=10)
    assert [item.record_id for item in due] == ["a", "b"], "nor what it decided itself"
    assert due[0].fields["company"] == "Acme"
    assert len(shadows.due(on, limit=1)) == 1
    shadows.record([row(due[0], digest)], now=desk.now)
    shadows.record([row(due[0], digest)], now=desk.now)
    assert [item.record_id for item in shadows.due(on, limit=10)] == ["b"]
    assert shadows.decisions(digest) == [row(due[0], digest)]
    assert shadows.stop(by="me", now=desk.wait(1))
    assert not shadows.stop(by="me", now=desk.now)
    assert shadows.current() is None
    assert shadows.latest().stopped_at == desk.now


def test_another_one_ends_the_first_and_only_editors_switch(desk: Any) -> None:
    shadows, policies = desk.store.shadows, desk.store.policies
    one, two = (policies.publish(make.policy(version=name), by="me", note="", now=desk.now) for name in "12")
    shadows.start(one, by="me", now=desk.now)
    shadows.start(two, by="me", now=desk.now)
    assert shadows.current().digest == two
    desk.store.people.add("ada", roles=["admin"], by="me", now=desk.now)
    desk.store.people.add("sam", roles=["sales"], by="ada", now=desk.now)
    with pytest.raises(errors.Refused):
        shadows.start(one, by="sam", now=desk.now)
    with pytest.raises(errors.Refused):
        shadows.stop(by="local:me", now=desk.now)
    assert shadows.current().digest == two
    assert [bool(item.refused) for item in desk.store.admin_events.list(limit=2)] == [True, True]
