from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import policies
from tierwise.domain import decision
from tierwise.domain.lead import Lead
from tierwise.errors import Misconfigured

Write = Callable[..., Path]


def test_every_rule_and_every_level_that_a_rule_decides_is_compiled(write: Write) -> None:
    policy = policies.read(write())
    runnable = policies.compile(policy)
    assert runnable.policy is policy
    assert runnable.digest == policy.digest()
    assert set(runnable.rules) == {"rest", "sales", "spam"}
    assert set(runnable.levels) == {("size", "big"), ("size", "small")}


def test_what_is_compiled_decides_leads(write: Write) -> None:
    runnable = policies.compile(policies.read(write()))
    (hit,) = decision.gate(runnable, Lead(message="a casino", email_kind="free"))
    assert (hit.rule, hit.truth, hit.outcome) == ("spam", "match", "reject")
    (verdict,) = decision.rule_verdicts(runnable, Lead(employee_count=50))
    assert verdict.level == "big"
    (verdict,) = decision.rule_verdicts(runnable, Lead())
    assert verdict.level == "unknown"


def test_the_same_policy_is_compiled_once(write: Write) -> None:
    directory = write()
    first = policies.compile(policies.read(directory))
    assert policies.compile(policies.read(directory)) is first
    other = policies.compile(policies.read(write({"prompts/qualify.md": ('version: "1"', 'version: "2"')})))
    assert other is not first


def test_an_expression_that_cannot_run_is_the_policys_mistake(write: Write) -> None:
    policy = policies.read(write())
    broken = policy.model_copy(
        update={"rules": tuple(rule.model_copy(update={"when": "lead.nothing > 1"}) for rule in policy.rules)}
    )
    with pytest.raises(Misconfigured, match=r"lead\.nothing"):
        policies.compile(broken)


def test_asking_again_is_cheap(write: Write) -> None:
    policy = policies.read(write())
    policies.compile(policy)
    started = time.perf_counter()
    for _ in range(20):
        policies.compile(policy)
    assert (time.perf_counter() - started) / 20 < 0.02
