"""From a sheet to a directory that passes `policy check`, but for what people must fill in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import content, policies
from tierwise.domain import rules
from tierwise.domain.policy import Policy
from tierwise.errors import Misconfigured
from tierwise.llm import prompt
from tierwise.policies import importing, schemas

SHEET = """Criteria,Points
Employees > 200,20
Employees 50-200,10
Industry is SaaS,15
"Says ""urgent"" {now}: really",10
Free email,-10
Job title contains VP,15
Requested a demo,25
Has budget approved,10
Student,reject
No phone,-5
MQL threshold,50
Hot,70
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    file = tmp_path / "points.csv"
    file.write_text(SHEET, encoding="utf-8")
    return file


def take(sheet: Path, to: Path) -> importing.Imported:
    return importing.import_sheet(sheet, to, name="points", owner="ops", also=content.texts("rules/maps/*.yaml"))


def filled(directory: Path) -> Policy:
    """As a person would: the three leads that were asked for."""
    file = directory / "prompts" / "qualify.md"
    text = file.read_text(encoding="utf-8")
    for lead, tier in (
        ('{"employee_count": 500, "industry": "saas", "job_title": "VP Sales", "source": "demo_request", '
         '"phone": "+4930123456"}', "A"),
        ('{"employee_count": 60, "industry": "saas", "source": "demo_request", "phone": "+4930123456"}', "B"),
        ('{"email_kind": "free"}', "C"),
    ):  # fmt: skip
        start = text.index("FILL_IN: ")
        head, tail = text[:start], text[start:].replace("FILL_IN: ", "", 1)
        text = head + tail.replace("lead: {}", f"lead: {lead}", 1).replace("tier: FILL_IN", f"tier: {tier}", 1)
    file.write_text(text, encoding="utf-8")
    return policies.read(directory)


def test_only_what_is_to_be_filled_in_is_missing(sheet: Path, tmp_path: Path) -> None:
    made = take(sheet, tmp_path / "policy")
    problems = policies.check(made.directory, template_check=prompt.check_template)
    assert [(problem.file, problem.code) for problem in problems] == [("prompts/qualify.md", "fill-in")] * 3
    assert [row.line for row in made.rows] == list(range(2, 14))
    assert "rules/maps/hubspot.yaml" in made.files
    with pytest.raises(Misconfigured, match="to be filled in"):
        policies.read(made.directory)


def test_filled_in_it_is_a_policy_whose_tests_pass(sheet: Path, tmp_path: Path) -> None:
    policy = filled(take(sheet, tmp_path / "policy").directory)
    results = policies.run_tests(policy)
    assert [result.message for result in results if not result.passed] == []
    assert len(policy.rubric.examples) >= 9, "the edge of each row that became a rule is tried, too"
    assert policies.blocking(policy) == ()
    assert policies.faults(policy) == []
    routes = [rule for rule in policy.rules if rule.stage == "route"]
    assert [(rule.when, rule.outcome) for rule in routes] == [
        ("result.tier == 'A'", "accept"), ("result.tier == 'B'", "accept"), ("result.tier == 'C'", "nurture"),
    ]  # fmt: skip
    assert isinstance(rules.sentence(policy.reasons[0].template, {"lead": {}}), str)


def test_nothing_is_overwritten(sheet: Path, tmp_path: Path) -> None:
    directory = tmp_path / "policy"
    mine = directory / "rules" / "reasons.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(Misconfigured, match="nothing is overwritten"):
        take(sheet, directory)
    assert mine.read_text() == "mine"
    assert not (directory / "prompts").exists()
    with pytest.raises(Misconfigured):
        take(sheet, sheet)


def test_editors_find_the_schema_that_each_file_names(sheet: Path, tmp_path: Path) -> None:
    take(sheet, tmp_path / "made")
    assert schemas.stale(tmp_path / "made") == []
    named = 0
    for file in [*(tmp_path / "made").rglob("*.yaml"), *(tmp_path / "made").rglob("*.md")]:
        _, found, path = file.read_text(encoding="utf-8").partition("# yaml-language-server: $schema=")
        assert found, file
        assert (file.parent / path.partition("\n")[0]).is_file(), file
        named += 1
    assert named >= 8
