"""Bundles are immutable, and the newest activation runs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.policy import Policy, Reason
from tierwise.domain.rubric import Criterion, Level, Rubric
from tierwise.domain.rules import Rule
from tierwise.store import engine, schema


def policy(version: str = "1") -> Policy:
    levels = (Level(id="yes", points=1.0, when="lead.employee_count > 10"), Level(id="no", points=0, when="true"))
    criterion = Criterion(id="size", dimension="fit", question="Big?", weight=100, decide="rule", levels=levels)
    # Not in the order of the alphabet: best first is part of what a rubric says.
    tiers = {"hot": 75, "warm": 50, "cold": 0}
    rubric = Rubric.model_validate(
        {"name": "r", "version": version, "owner": "ann", "criteria": (criterion,), "tiers": tiers,
         "targets": {"positive_tiers": ("hot",)}}
    )  # fmt: skip
    rule = Rule(id="small", stage="gate", when="lead.employee_count < 2", reason="SMALL", owner="ann", why="Zoë, £")
    reason = Reason(code="SMALL", label="Small", template="{lead.employee_count} people", owner="ann")
    return Policy(
        name="p", version=version, owner="ann", rubric=rubric, prompt="{{ lead }}", rules=(rule,), reasons=(reason,)
    )


def test_a_bundle_comes_back_as_it_was_published(desk: Any) -> None:
    policies, made = desk.store.policies, policy()
    digest = policies.publish(made, by="ann", note="first", now=desk.now)
    assert digest == made.digest()
    back = policies.get(digest)
    assert back == made
    assert back.digest() == digest
    assert list(back.rubric.tiers) == ["hot", "warm", "cold"]
    assert policies.publish(made, by="bob", note="again", now=desk.now) == digest
    assert policies.get("0" * 64) is None


def test_the_newest_activation_runs(desk: Any) -> None:
    policies = desk.store.policies
    assert policies.active() is None
    one = policies.publish(policy("1"), by="ann", note="", now=desk.now)
    two = policies.publish(policy("2"), by="ann", note="", now=desk.now)
    policies.activate(one, by="ann", note="start", now=desk.now)
    policies.activate(two, by="ann", note="better", now=desk.wait(1))
    back = policies.activate(one, by="bob", note="roll back", now=desk.wait(1))
    assert policies.active() == back
    assert (back.digest, back.version, back.by, back.note, back.at) == (one, "1", "bob", "roll back", desk.now)
    assert [item.note for item in policies.history()] == ["roll back", "better", "start"]
    assert [item.note for item in policies.history(limit=1)] == ["roll back"]


def test_only_what_was_published_can_run(desk: Any) -> None:
    with pytest.raises(errors.Misconfigured, match="publish it first"):
        desk.store.policies.activate("0" * 64, by="ann", note="", now=desk.now)
    assert desk.store.policies.active() is None


def test_a_bundle_changed_in_the_database_is_refused(desk: Any, store_url: str) -> None:
    digest = desk.store.policies.publish(policy(), by="ann", note="", now=desk.now)
    table = schema.policy_version
    database = engine.Database(store_url)
    database.write(
        lambda connection: connection.execute(
            sa.update(table).values(body=sa.func.replace(table.c.body, '"weight":100', '"weight":99'))
        )
    )
    database.close()
    with pytest.raises(errors.Misconfigured, match="was changed"):
        desk.store.policies.get(digest)
