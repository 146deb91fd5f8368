from __future__ import annotations

import pytest
from tierwise_fixtures import policies as small

from tierwise import expressions
from tierwise.domain import rules, tables
from tierwise.domain.lead import digest
from tierwise.domain.policy import Policy
from tierwise.domain.tables import Table

TABLE = {
    "id": "routes", "stage": "route", "inputs": ["result.tier", "lead.employee_count"], "owner": "o", "reason": "R",
    "outcome": "accept", "why": "Tier {result.tier}.", "priority": 7,
    "rows": [
        {"id": "large", "when": ["A", ">= 100"], "route": "field"},
        {"id": "best", "when": ["A", "any"], "route": "inside", "why": "Top."},
        {"id": "rest", "when": ["any", "any"], "route": "later", "outcome": "nurture", "reason": "LATER"},
    ],
}  # fmt: skip


def test_a_row_is_a_rule_with_what_the_table_says_of_all() -> None:
    large, best, rest = tables.rules_of(Table.model_validate(TABLE))
    assert large.when == "result.tier == 'A' && lead.employee_count >= 100"
    assert (large.id, large.route, large.outcome, large.reason) == ("routes/large", "field", "accept", "R")
    assert (best.when, best.why) == ("result.tier == 'A'", "Top.")
    assert (rest.when, rest.outcome, rest.reason, rest.why) == ("true", "nurture", "LATER", "Tier {result.tier}.")


def test_rows_are_asked_in_the_order_of_the_table_and_hit_like_rules() -> None:
    table = Table.model_validate(TABLE)
    asked = tables.with_rows((), (table,))
    predicates = {rule.id: expressions.compile(rule.when, rule.stage) for rule in asked}
    for lead, tier, expected in (
        ({"employee_count": 100}, "A", "routes/large"), ({"employee_count": 99}, "A", "routes/best"),
        ({}, "A", "routes/best"), ({"employee_count": 500}, "B", "routes/rest"),
    ):  # fmt: skip
        hits = rules.evaluate(asked, "route", predicates=predicates, facts={"lead": lead, "result": {"tier": tier}})
        assert [hit.rule for hit in hits] == ["routes/large", "routes/best", "routes/rest"]
        first = rules.first(hits)
        assert first is not None
        assert first.rule == expected


def test_the_same_rules_and_tables_are_made_once() -> None:
    given = (Table.model_validate(TABLE),)
    assert tables.with_rows((), given) is tables.with_rows((), given)
    assert tables.with_rows((), ()) == ()


def test_a_bundle_without_tables_keeps_its_digest() -> None:
    policy: Policy = small.policy(small.rubric(small.criterion(), small.asked()))
    told = policy.model_dump(mode="json")
    assert told.pop("tables") == []
    assert policy.digest() == digest(told)
    assert policy.model_copy(update={"tables": (Table.model_validate(TABLE),)}).digest() != policy.digest()


def test_kinds_are_those_that_expressions_know() -> None:
    for name, variable in expressions.variables("guardrail").items():
        assert tables.kind_of(name) == variable.kind
    with pytest.raises(KeyError):
        tables.kind_of("lead.shoe_size")
