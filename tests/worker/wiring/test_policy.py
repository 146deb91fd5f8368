"""The active policy, compiled once."""

from __future__ import annotations

import pytest

from tierwise import wiring
from tierwise.errors import Misconfigured


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
