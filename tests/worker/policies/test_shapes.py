from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise.policies import loading

Write = Callable[..., Path]
Place = Callable[[str, str], str]
PROMPT, RULES, MAP = "prompts/qualify.md", "rules/all.rules.yaml", "rules/maps/hubspot.yaml"

MISTAKES = [
    # file, old, new, what stands at the place, part of the message, part of the hint
    (PROMPT, 'version: "1"', "version: 1.10", "1.10", "text is needed", "quotes"),
    (PROMPT, "dimension: fit", "dimension: fitt", "fitt", "'fitt' is not allowed", "'fit'"),
    (PROMPT, "weight: 60", "weight: 101", "101", "less than or equal to 100", ""),
    (PROMPT, "weight: 60", "weight: 50", "- id: size", "these add up to 90", ""),
    (PROMPT, "{A: 70, B: 40, C: 0}", "{A: 70, B: 40, C: 5}", "{A: 70", "the last one at 0", ""),
    (PROMPT, "points: 1, when", "points: 0.125, when", "0.125", "two decimals", ""),
    (PROMPT, "id: big", "id: Big-One", "Big-One", "wrong form", "underscores"),
    (PROMPT, "fields: [message]", "fields: [mesage]", "mesage", "not a lead field: 'mesage'", "'message'"),
    (PROMPT, "tiers:", "teirs:", "teirs:", "'teirs' is not known", "'tiers'"),
    (PROMPT, "id: stated, points: 1, desc", "id: stated, desc", "{id: stated", "'points' is missing", ""),
    (RULES, "outcome: reject", "outcome: rejected", "rejected", "'rejected' is not allowed", "'reject'"),
    (RULES, "id: sales", "id: Sales", "Sales", "wrong form", "dashes"),
    (RULES, "reason: BIG", "priority: soon\n    reason: BIG", "soon", "whole number", ""),
    (RULES, "route: sales\n", "route: sales\n    test: []\n", "test: []", "'test' is not known", "'tests'"),
    (RULES, "{name: top,", "{nam: top,", "nam: top", "'nam' is not known", "'name'"),
    (RULES, "{name: top,", "{name: top, kind: x,", "kind: x", "'kind' is not known", "expect"),
    (MAP, "email: email", "email: {from: email, transfrom: email}", "transfrom:", "not known", "'transform'"),
    (
        MAP,
        "email: email",
        "email: {transform: emial, from: email}",
        "emial",
        "no such transform: 'emial'",
        "'email'",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[2].strip().replace("\n", " "))
def test_each_mistake_is_told_in_plain_words_at_its_place(
    write: Write, place: Place, mistake: tuple[str, str, str, str, str, str]
) -> None:
    file, old, new, at, message, hint = mistake
    problems = loading.load(write({file: (old, new)})).problems
    told = [problem for problem in problems if problem.place == place(file, at)]
    assert told, [str(problem) for problem in problems]
    assert any(message in problem.message and hint in problem.hint for problem in told), told


def test_a_list_that_is_short_only_because_its_items_are_wrong_is_not_told_twice(write: Write) -> None:
    problems = loading.load(write({PROMPT: ("points: 1, when", "points: x, when")})).problems
    assert [problem.code for problem in problems] == ["type"]
