"""The active policy, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tierwise_fixtures import mistakes

from tierwise import content, policies, wiring
from tierwise.domain.rules import RuleTest
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


def test_a_bundle_whose_tests_fail_is_not_activated_by_its_digest(parts: wiring.Wiring) -> None:
    """Whatever way it came into the database."""
    before = parts.runnable().policy
    wrong = RuleTest(name="planted", lead={"email_kind": "free"}, expect="unknown")
    rule = before.rules[0].model_copy(update={"tests": (wrong,)})
    for broken in (
        before.model_copy(update={"rules": (rule, *before.rules[1:])}),
        before.model_copy(update={"prompt": "{{ nobody }}"}),
        before.model_copy(update={"rules": (rule.model_copy(update={"when": "lead.nothing ==", "tests": ()}),)}),
    ):
        digest = parts.store.policies.publish(broken, by="me", note="", now=wiring.clock())
        with pytest.raises(Misconfigured):
            parts.activate(digest, by="me", note="")
    assert len(parts.store.policies.history()) == 1


NEVER = [
    item
    for item in mistakes.MISTAKES
    if not item.hides and item.code != "unknown-owner" and item.file != mistakes.OWNERS
]
"""Owners are of the files, and not of the bundle."""


@pytest.mark.parametrize(
    "mistake",
    [
        item if item.name in {"dead rule", "reason of a rule"} else pytest.param(item, marks=pytest.mark.deep)
        for item in NEVER
    ],
    ids=lambda mistake: mistake.name,
)
def test_a_planted_mistake_is_not_activated_by_its_digest(
    parts: wiring.Wiring, tmp_path: Path, mistake: mistakes.Mistake
) -> None:
    """As if somebody had gone around the check; what makes no policy at all cannot get that far."""
    content.lay_out(tmp_path / "bundle")
    mistake.plant(tmp_path / "bundle")
    policy = policies.load(tmp_path / "bundle").policy
    if policy is None:
        return
    parts.ensure_policy()
    digest = parts.store.policies.publish(policy, by="me", note="", now=wiring.clock())
    with pytest.raises(Misconfigured):
        parts.activate(digest, by="me", note="")
    assert len(parts.store.policies.history()) == 1


def test_activation_and_rollback_are_seen_here_at_once(parts: wiring.Wiring) -> None:
    before = parts.runnable()
    changed = before.policy.model_copy(update={"version": "2.0"})
    digest = parts.store.policies.publish(changed, by="me", note="", now=wiring.clock())
    parts.activate(digest, by="me", note="")
    assert parts.runnable().digest == digest
    parts.rollback(by="me", note="")
    assert parts.runnable() is before


def test_a_staging_installation_runs_what_was_staged_there(parts: wiring.Wiring) -> None:
    live = parts.runnable()
    staged = live.policy.model_copy(update={"version": "2.0"})
    digest = parts.store.policies.publish(staged, by="me", note="", now=wiring.clock())
    parts.store.policies.activate(digest, by="me", note="", now=wiring.clock(), environment="staging")
    other = wiring.Wiring(parts.settings.model_copy(update={"environment": "staging"}))
    assert other.runnable().digest == digest
    other.close()
    parts._active = None
    assert parts.runnable() is live
