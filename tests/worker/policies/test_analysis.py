from __future__ import annotations

from typing import Any

import pytest

from tierwise import content, expressions, policies
from tierwise.domain.policy import Policy, Reason
from tierwise.domain.rules import Rule

SHIPPED = policies.read(content.find(None))


def rule(name: str, when: str, **more: Any) -> Rule:
    given = {"stage": "gate", "reason": "SPAM", "outcome": "reject", "owner": "o", "why": "w", "priority": 5}
    return Rule.model_validate({"id": name, "when": when, **given, **more})


def with_rules(*rules: Rule) -> Policy:
    return SHIPPED.model_copy(update={"rules": (*SHIPPED.rules, *rules)})


def found(policy: Policy) -> list[tuple[str, str, bool]]:
    return [(item.code, item.subject, item.blocks) for item in policies.prove(policy)]


def test_nothing_is_found_in_what_is_shipped() -> None:
    analysis = policies.analyse(SHIPPED)
    assert (analysis.findings, analysis.not_analysed) == ((), "")


def test_a_rule_that_contradicts_itself_is_dead() -> None:
    policy = with_rules(rule("dead", "lead.employee_count > 10 && lead.employee_count < 5"))
    assert found(policy) == [("never", "rule dead", True)]


def test_a_rule_behind_a_wider_one_is_shadowed_by_name() -> None:
    policy = with_rules(
        rule("wide", "lead.employee_count > 10", priority=1), rule("narrow", "lead.employee_count > 50", priority=2)
    )
    (finding,) = policies.prove(policy)
    assert (finding.code, finding.subject) == ("shadowed", "rule narrow")
    assert "'wide'" in finding.message


def test_two_rules_can_shadow_a_third_together() -> None:
    policy = with_rules(
        rule("small", "lead.employee_count < 20", priority=1), rule("large", "lead.employee_count >= 10", priority=2),
        rule("middle", "lead.employee_count == 15 || lead.employee_count == 5", priority=3),
        rule("nowhere", "lead.employee_count == 5 || lead.employee_count == 25", priority=3),
    )  # fmt: skip
    shadowed = {item.subject: item.message for item in policies.prove(policy) if item.code == "shadowed"}
    assert set(shadowed) == {"rule middle", "rule nowhere"}
    assert "together" in shadowed["rule nowhere"]


def test_equal_priority_and_different_outcomes_contradict_with_a_lead_that_shows_it() -> None:
    one = rule("one", "lead.employee_count > 10")
    other = rule("other", "lead.region == 'emea'", outcome="review")
    (finding,) = policies.prove(with_rules(one, other))
    assert (finding.code, finding.subject, finding.blocks) == ("contradiction", "rule one", True)
    assert finding.witness is not None
    for each in (one, other):
        assert expressions.compile(each.when, "gate")(finding.witness).truth == "match"
    assert found(with_rules(one, rule("other", "lead.region == 'emea'", outcome="review", priority=6))) == []
    assert found(with_rules(one, rule("other", "lead.region == 'emea'"))) == []


def test_an_overlap_that_rests_on_texts_is_only_possible() -> None:
    one = rule("one", "lead.message.contains('a')")
    (finding,) = policies.prove(with_rules(one, rule("two", "lead.message.contains('b')", outcome="review")))
    assert (finding.code, finding.blocks) == ("contradiction", False)
    assert finding.message.startswith("possibly")


@pytest.mark.parametrize("gone", ["no-fit", "nurture", "good-lead-without-region"])
def test_leads_without_a_route_are_a_gap(gone: str) -> None:
    rules = tuple(item for item in SHIPPED.rules if item.id != gone)
    (finding,) = policies.prove(SHIPPED.model_copy(update={"rules": rules}))
    assert (finding.code, finding.subject, finding.blocks) == ("gap", "stage route", True)
    assert finding.witness is not None
    runnable = policies.compile(SHIPPED)
    routes = [item for item in rules if item.stage == "route"]
    facts = {root: dict(values) for root, values in finding.witness.items()}
    assert not [item.id for item in routes if runnable.rules[item.id](facts).truth == "match"]


def changed(old: str, new: str) -> Policy:
    levels = {
        item.id: [level.model_copy(update={"when": (level.when or "").replace(old, new)}) for level in item.levels]
        for item in SHIPPED.rubric.criteria
        if item.id == "company_size"
    }
    criteria = tuple(
        item.model_copy(update={"levels": tuple(levels[item.id])}) if item.id in levels else item
        for item in SHIPPED.rubric.criteria
    )
    return SHIPPED.model_copy(update={"rubric": SHIPPED.rubric.model_copy(update={"criteria": criteria})})


def test_levels_are_a_table_with_gaps_and_rows_that_nothing_reaches() -> None:
    (gap,) = policies.prove(changed("< 10", "< 9"))
    assert (gap.code, gap.subject) == ("gap", "criterion company_size")
    assert gap.witness is not None
    assert gap.witness["lead"]["employee_count"] == 9
    (shadowed,) = policies.prove(changed(">= 200", ">= 20"))
    assert (shadowed.code, "'medium'" in shadowed.message) == ("shadowed", True)


def test_what_no_test_guards_and_what_nothing_uses_is_told_and_blocks_nothing() -> None:
    policy = with_rules(rule("bare", "lead.employee_count > 100000")).model_copy(
        update={"reasons": (*SHIPPED.reasons, Reason(code="LEFT_OVER", label="l", template="t", owner="o"))}
    )
    findings = policies.analyse(policy).findings
    assert {item.code for item in findings} >= {"unseen", "unguarded", "unused-reason"}
    assert not any(item.blocks for item in findings if item.code != "shadowed")
