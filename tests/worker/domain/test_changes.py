"""The difference of two policies in words, and how much it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tierwise_fixtures import policies as make

from tierwise.domain import changes
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Rubric

RULE = {
    "id": "student", "stage": "gate", "when": "lead.email_kind == 'free'", "reason": "SIZE_HIGH", "outcome": "reject",
    "owner": "ops", "why": "A student.",
    "tests": [{"name": "free", "lead": {"email_kind": "free"}, "expect": "match"}],
}  # fmt: skip
MAP = {"connector": "hubspot", "owner": "ops", "version": "1", "fields": {"email": "email", "company": "company"}}
FRAGMENT = {"id": "hello", "text": "Say hello to them."}
WITH: dict[str, Any] = {"rules": [RULE], "maps": {"hubspot": MAP}, "fragments": [FRAGMENT]}


def policy(rubric_: Rubric | None = None, **more: Any) -> Policy:
    return make.policy(rubric_, **{**WITH, **more})


def rubric(*, size: Any = None, intent: Any = None, **more: Any) -> Rubric:
    return make.rubric(make.criterion(**(size or {})), make.asked(**(intent or {})), **more)


def levels(**points: float) -> list[dict[str, Any]]:
    return [{**level, "points": points.get(level["id"], level["points"])} for level in make.criterion()["levels"]]


MINOR: list[tuple[dict[str, Any], str]] = [
    ({"rubric_": rubric(size={"weight": 52}, intent={"weight": 48})}, "criterion `size`: weight 50 -> 52"),
    ({"rubric_": rubric(tiers={**make.TIERS, "A": 78})}, "tier `A`: cut-off 75 -> 78"),
    ({"rubric_": rubric(size={"levels": levels(low=0.1)})}, "criterion `size`, level `low`: points 0 -> 0.1"),
    ({"rubric_": rubric(size={"unknown_points": 0.1})}, "criterion `size`: unknown points 0 -> 0.1"),
    ({"rubric_": rubric(thresholds={"review_below": 0.6})}, "thresholds: review below 0.55 -> 0.6"),
    ({"rubric_": rubric(targets={"precision": 0.85})}, "targets: precision 0.8 -> 0.85"),
    ({"rubric_": rubric(targets={"owner": "revops", "agreed_on": "2026-11-02"})}, "targets: owner none -> revops"),
    ({"rules": [{**RULE, "confidence": 0.95}]}, "rule `student`: confidence 1 -> 0.95"),
    ({"rules": [{**RULE, "why": "No company."}]}, "rule `student`: why A student. -> No company."),
    ({"rules": [{**RULE, "tests": []}]}, "rule `student`, test `free`: removed"),
    ({"fragments": [{**FRAGMENT, "text": "Say hi."}]}, "fragment `hello`: text Say hello to them. -> Say hi."),
    ({"version": "8"}, "version: version 7 -> 8"),
]
MAJOR: list[tuple[dict[str, Any], str]] = [
    ({"rubric_": rubric(size={"weight": 56}, intent={"weight": 44})}, "criterion `size`: weight 50 -> 56"),
    ({"rubric_": rubric(tiers={**make.TIERS, "A": 81})}, "tier `A`: cut-off 75 -> 81"),
    ({"rubric_": rubric(tiers={"A": 75, "B": 55, "D": 0})}, "tier `C`: removed"),
    ({"rubric_": make.rubric(make.criterion(weight=40), make.asked(), make.criterion("trade", weight=10))},
     "criterion `trade`: new (weight 10, decide rule)"),
    ({"rubric_": rubric(knockouts=[{"criterion": "size", "level": "low"}])}, "knockout `size/low`: new"),
    ({"rubric_": rubric(models={"primary": "openai/x"})}, "models: primary offline/rules -> openai/x"),
    ({"rubric_": rubric(targets={"precision": 0.7})}, "targets: precision 0.8 -> 0.7"),
    ({"rubric_": rubric(bounds={"weight": 50})}, "bounds: weight 5 -> 50"),
    ({"rubric_": rubric(free_text_cap=60)}, "rubric: free text cap 40 -> 60"),
    ({"rubric_": rubric(intent={"question": "Is it clear?"})},
     "criterion `intent`: question What of intent? -> Is it clear?"),
    ({"rubric_": rubric(size={"levels": list(reversed(levels()))})},
     "criterion `size`, levels: another order: low, high"),
    ({"rules": []}, "rule `student`: removed"),
    ({"rules": [{**RULE, "outcome": "nurture"}]}, "rule `student`: outcome reject -> nurture"),
    ({"rules": [{**RULE, "priority": 5}]}, "rule `student`: priority 100 -> 5"),
    ({"rules": [RULE, {**RULE, "id": "test"}]},
     "rule `test`: new (stage gate, outcome reject): lead.email_kind == 'free'"),
    ({"maps": {"hubspot": {**MAP, "fields": {**MAP["fields"], "email": "work_email"}}}},
     "map `hubspot`, field `email`: from: also work_email; no longer email"),
    ({"prompt": "Judge.\nBe kind."}, "prompt: added “Be kind.”"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), MINOR, ids=[told for _, told in MINOR])
def test_a_small_step_is_minor(change: dict[str, Any], told: str) -> None:
    found = changes.compare(policy(), policy(**change))
    assert told in [str(item) for item in found]
    assert not any(item.major for item in found)
    assert changes.change_class(policy(), policy(**change)) == "minor"


@pytest.mark.parametrize(("change", "told"), MAJOR, ids=[told for _, told in MAJOR])
def test_anything_else_is_major(change: dict[str, Any], told: str) -> None:
    found = changes.compare(policy(), policy(**change))
    assert told in [str(item) for item in found if item.major]
    assert changes.change_class(policy(), policy(**change)) == "major"


def test_what_nobody_thought_of_is_major() -> None:
    """A part that a later version adds to a policy is no text and no number that is listed."""
    before, after = policy().model_dump(mode="json"), policy().model_dump(mode="json")
    after["rubric"]["criteria"][0]["surprise"] = 1
    plain = [changes._named(item, "") for item in (before, after)]
    (found,) = changes._walk(plain[0], plain[1], (), policy().rubric.bounds)
    assert found.major


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lead.a == 'x'", "lead.a == 'x' || lead.b == 'y'", "now also where lead.b == 'y'"),
        ("lead.a == 'x' || lead.b == 'y'", "lead.a == 'x'", "no longer where lead.b == 'y'"),
        ("lead.a == 'x'", "lead.a == 'x' && (lead.b == 'y' || lead.c)", "now only where (lead.b == 'y' || lead.c)"),
        ("lead.a && lead.b", "lead.a", "whether or not lead.b"),
        ("lead.a > 1 && lead.b", "lead.a > 2 && lead.b", "now only where lead.a > 2; whether or not lead.a > 1"),
        ("lead.a == 'x || y'", "lead.a == 'z'", "when: lead.a == 'x || y' -> lead.a == 'z'"),
        ("lead.a  ==\n 'x'", "lead.a == 'x'", "when: only white space"),
    ],
)
def test_an_expression_is_told_by_its_clauses(old: str, new: str, told: str) -> None:
    found = changes.compare(policy(rules=[{**RULE, "when": old}]), policy(rules=[{**RULE, "when": new}]))
    assert [item.text for item in found] == [told]
    assert found[0].major


def test_many_small_steps_are_a_large_one() -> None:
    first, near, far = (policy(rubric(tiers={**make.TIERS, "A": cut})) for cut in (75, 80, 85))
    assert changes.change_class(first, near, baseline=first) == "minor"
    assert changes.change_class(near, far) == "minor"
    assert changes.change_class(near, far, baseline=first) == "major"


def test_the_bounds_of_the_policy_that_runs_count() -> None:
    wide = policy(rubric(bounds={"cut_off": 20}, tiers={**make.TIERS, "A": 90}))
    assert changes.change_class(policy(), wide) == "major"
    narrow = policy(rubric(bounds={"cut_off": 1}))
    assert changes.change_class(narrow, policy(rubric(bounds={"cut_off": 1}, tiers={**make.TIERS, "A": 77}))) == "major"


def test_the_first_policy_and_the_same_one() -> None:
    assert changes.change_class(None, policy()) == "first"
    assert changes.change_class(policy(), policy()) == "none"
    assert changes.compare(policy(), policy()) == ()


def test_the_order_of_rules_says_nothing_but_is_told() -> None:
    other = {**RULE, "id": "test"}
    (found,) = changes.compare(policy(rules=[RULE, other]), policy(rules=[other, RULE]))
    assert not found.major


def test_weights_and_cut_offs_ask_no_model_anything_new() -> None:
    before = policy()
    for change, _ in MINOR:
        after = policy(**change)
        assert changes.asks(before) == changes.asks(after)
        assert changes.only_numbers(before, after) or "targets" in str(changes.compare(before, after))
    for change in (
        {"prompt": "Other."},
        {"rubric_": rubric(intent={"question": "?"})},
        {"rubric_": rubric(models={"primary": "openai/x"})},
        {"rubric_": rubric(intent={"fields": ["message", "job_title"]})},
    ):
        assert changes.asks(before) != changes.asks(policy(**change))
    assert not changes.only_numbers(before, policy(rules=[]))
    assert changes.only_numbers(before, policy(rubric(tiers={**make.TIERS, "A": 99})))


@given(make.rubrics(), make.rubrics())
def test_two_policies_differ_in_words_exactly_where_they_differ(one: Rubric, other: Rubric) -> None:
    before, after = make.policy(one), make.policy(other)
    found = changes.compare(before, after)
    assert bool(found) == (before.digest() != after.digest())
    assert all(item.subject and item.text for item in found)
    back = changes.compare(after, before)
    assert {item.subject for item in found} == {item.subject for item in back}
