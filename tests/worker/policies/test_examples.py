from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import policies
from tierwise.policies import checking, examples

Write = Callable[..., Path]
PROMPT = "prompts/qualify.md"
TIERS = "tiers: {A: 70, B: 40, C: 0}\n"


def with_examples(*lines: str) -> dict[str, tuple[str, str]]:
    return {PROMPT: (TIERS, TIERS + "models: {primary: openai/some-model, secondary: anthropic/another}\nexamples:\n"
                     + "".join(f"  - {line}\n" for line in lines))}  # fmt: skip


def test_examples_are_decided_by_rules_and_the_lexicon_whatever_models_the_rubric_names(write: Write) -> None:
    policy = policies.read(
        write(
            with_examples(
                "{name: big, lead: {employee_count: 50}, tier: B, levels: {size: big}}",
                "{name: small, lead: {employee_count: 49}, tier: B, levels: {size: big}}",
                "{name: spam, lead: {message: a casino, email_kind: free}, tier: C}",
                "{name: nothing, lead: {}, tier: C, levels: {size: unknown}}",
            )
        )
    )
    found = {result.name: result for result in examples.run(policy)}
    assert found["big"].passed, found["big"]
    assert found["nothing"].passed, found["nothing"]
    assert found["small"].message == "expected tier B, got C (score 0); size: expected big, got small"
    assert "the gate spam stopped it" in found["spam"].message
    assert [result for result in policies.run_tests(policy) if result.subject == "examples" and not result.passed]


@pytest.mark.parametrize(
    ("line", "at", "part"),
    [
        ("{name: e, lead: {employes: 5}, tier: A}", "employes:", "did you mean 'employee_count'"),
        ("{name: e, lead: {}, tier: E}", "E}", "the tiers are: A, B, C"),
        ("{name: e, lead: {}, tier: A, levels: {sise: big}}", "sise", "did you mean 'size'?"),
        ("{name: e, lead: {}, tier: A, levels: {size: bigg}}", "bigg", "'big'"),
    ],
)
def test_an_example_about_what_there_is_not_is_a_mistake(
    write: Write, place: Callable[[str, str], str], line: str, at: str, part: str
) -> None:
    problems = checking.check(write(with_examples(line)))
    assert [problem.place for problem in problems] == [place(PROMPT, at)], problems
    assert part in str(problems[0])
