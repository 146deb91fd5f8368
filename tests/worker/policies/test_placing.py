from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise.policies import loading, placing

Write = Callable[..., Path]
Place = Callable[[str, str], str]
RULES, PROMPT = "rules/all.rules.yaml", "prompts/qualify.md"


@pytest.mark.parametrize(
    "mistake",
    [
        (RULES, "result.tier == 'A'", "result.tier == 'A' && result.score < 3", "result.tier == 'A' && r", "never"),
        ("rules/rest.rules.yaml", "result.tier != 'A'", "result.tier == 'B'", "result.tier == 'A'", "gap"),
        (PROMPT, "lead.employee_count < 50", "lead.employee_count < 40", "- {id: big", "gap"),
        (PROMPT, "lead.employee_count < 50", "lead.employee_count > 60", "lead.employee_count > 60", "shadowed"),
    ],
)
def test_what_logic_finds_has_a_place(write: Write, place: Place, mistake: tuple[str, str, str, str, str]) -> None:
    file, old, new, at, code = mistake
    loaded = loading.load(write({file: (old, new)}))
    found = list(placing.proven(loaded, loaded.problems))
    where = place(RULES if file == "rules/rest.rules.yaml" else file, at)
    assert (where, code) in [(item.place, item.code) for item in found], found


def test_a_witness_reads_like_the_lead_of_a_test(write: Write) -> None:
    loaded = loading.load(write({PROMPT: ("lead.employee_count < 50", "lead.employee_count < 49")}))
    (problem,) = placing.proven(loaded, loaded.problems)
    assert problem.hint == "for example lead: {employee_count: 49}"


def test_a_rule_that_is_not_understood_hides_nothing_of_the_others_and_proves_no_gap(write: Write) -> None:
    loaded = loading.load(
        write(
            {
                "rules/rest.rules.yaml": ("result.tier != 'A'", "result.teir != 'A'"),
                PROMPT: ("lead.employee_count < 50", "lead.employee_count > 60"),
            }
        )
    )
    assert {problem.file for problem in placing.proven(loaded, loaded.problems)} == {PROMPT}
