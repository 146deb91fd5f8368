from __future__ import annotations

import pytest

from tierwise.domain.rules import Rule
from tierwise.policies import mutation


def rule(when: str, *tests: tuple[int, str]) -> Rule:
    return Rule.model_validate(
        {"id": "r", "stage": "gate", "when": when, "reason": "R", "owner": "o", "why": "w",
         "tests": [{"name": str(size), "lead": {"employee_count": size}, "expect": truth} for size, truth in tests]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "changes"),
    [
        ("lead.employee_count >= 100", {">= -> >", "100 -> 99", "100 -> 101"}),
        ("lead.monthly_volume < 0.85", {"< -> <=", "0.85 -> 0.84", "0.85 -> 0.86"}),
        ("lead.monthly_volume > 50000.0", {"> -> >=", "50000.0 -> 49999.0", "50000.0 -> 50001.0"}),
        ("80 >= size(lead.message)", {">= -> >", "80 -> 79", "80 -> 81"}),
        ("lead.region == 'emea'", set()),
    ],
)
def test_every_threshold_is_moved_and_every_edge_turned(when: str, changes: set[str]) -> None:
    found = list(mutation.mutants(when, "gate"))
    assert {mutant.change for mutant in found} == changes
    assert len({mutant.expression for mutant in found} - {when}) == len(changes)


def test_tests_at_the_edge_guard_it_and_tests_beside_it_do_not() -> None:
    when = "lead.employee_count >= 100"
    assert mutation.survivors(rule(when, (100, "match"), (99, "no_match"))) == []
    beside = mutation.survivors(rule(when, (500, "match"), (5, "no_match")))
    assert {mutant.change for mutant in beside} == {">= -> >", "100 -> 99", "100 -> 101"}
    upper = mutation.survivors(rule(when, (100, "match"), (5, "no_match")))
    assert {mutant.change for mutant in upper} == {"100 -> 99"}


def test_what_a_rule_said_in_its_tests_is_what_it_says_not_what_they_expect() -> None:
    found = mutation.seen(rule("lead.employee_count >= 100 || !has(lead.employee_count)", (100, "no_match")))
    assert found == {"match"}
