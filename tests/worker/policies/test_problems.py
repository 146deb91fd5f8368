from __future__ import annotations

from tierwise.policies.problems import Problem


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    problem = Problem("rules/a.yaml", 12, 9, "type", "wrong", "write it so", "    when: lead.x > 1")
    assert problem.render().split("\n") == [
        "rules/a.yaml:12:9: wrong (write it so)",
        "   12 |     when: lead.x > 1",
        "      |         ^",
    ]


def test_the_caret_stands_under_its_character() -> None:
    problem = Problem("f", 1, 4, "c", "m", excerpt="abc!d")
    _, line, caret = problem.render().split("\n")
    assert line[caret.index("^")] == "!"


def test_without_a_line_there_is_only_the_sentence() -> None:
    assert Problem("f", 1, 1, "file", "is missing").render() == "f:1:1: is missing"


def test_scripts_get_the_documented_keys() -> None:
    problem = Problem("f", 1, 2, "c", "m", "h", "excerpt")
    assert problem.as_dict() == {"file": "f", "line": 1, "column": 2, "code": "c", "message": "m", "hint": "h"}
