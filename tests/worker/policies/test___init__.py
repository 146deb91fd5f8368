"""Mistakes that sales ops make in the shipped bundle: each at its place, with advice, all of them at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tierwise_fixtures.mistakes import GATES, MISTAKES, REASONS, ROUTES, Mistake, plant_together

from tierwise import content, policies
from tierwise.cli import policy as cli
from tierwise.policies.problems import Problem

Bundle = Callable[[Sequence[Mistake]], Path]
# A sum says nothing while one of its numbers is none; Jinja tells one mistake at a time.
_HIDDEN = {"weights", "name in the prompt"}
STATIC = [item for item in MISTAKES if not item.hides and not item.logical and item.name not in _HIDDEN]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """The shipped bundle with mistakes planted; one that another one took the place of is left out."""

    def make(mistakes: Sequence[Mistake]) -> Path:
        content.lay_out(tmp_path)
        for mistake in mistakes:
            mistake.plant(tmp_path)
        return tmp_path

    return make


def check(directory: Path) -> list[Problem]:
    return policies.check(directory, template_check=cli.template_problems)


def told(mistake: Mistake, directory: Path, problems: Sequence[Problem]) -> bool:
    place = (mistake.file, *mistake.place(directory))
    return any(
        (found.file, found.line, found.column, found.code) == (*place, mistake.code) and mistake.advice in str(found)
        for found in problems
    )


def test_there_are_more_than_thirty() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) > 60


def test_all_are_told_at_once_each_at_its_place(bundle: Bundle) -> None:
    """Whatever can stand in files at the same time, in one run."""
    directory = bundle([])
    together = plant_together(directory, STATIC)
    assert len(together) >= 40
    problems = check(directory)
    missing = [mistake.name for mistake in together if not told(mistake, directory, problems)]
    assert not missing, [str(problem) for problem in problems]
    assert problems == sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
    # And little besides: a mistake is told once.
    assert len(problems) <= len(together) + sum(bool(mistake.echo) for mistake in together) + 3


@pytest.mark.parametrize("mistake", [item for item in MISTAKES if item.hides], ids=lambda mistake: mistake.name)
def test_a_file_that_is_no_yaml_is_told_alone(bundle: Bundle, mistake: Mistake) -> None:
    directory = bundle([mistake])
    problems = check(directory)
    assert told(mistake, directory, problems), [str(problem) for problem in problems]
    assert len(problems) == 1


GAP = "gap between routes"  # between the same rules as another


@pytest.mark.parametrize("names", [[GAP], [item.name for item in MISTAKES if item.logical and item.name != GAP]])
def test_what_only_proof_finds_is_told_at_its_rule(bundle: Bundle, names: list[str]) -> None:
    logical = [mistake for mistake in MISTAKES if mistake.name in names]
    directory = bundle(logical)
    problems = check(directory)
    missing = [mistake.name for mistake in logical if not told(mistake, directory, problems)]
    assert not missing, [str(problem) for problem in problems]


@pytest.mark.deep
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_each_is_told_and_nothing_besides(bundle: Bundle, mistake: Mistake) -> None:
    directory = bundle([mistake])
    problems = check(directory)
    assert told(mistake, directory, problems), [str(problem) for problem in problems]
    assert {problem.code for problem in problems} <= {mistake.code, mistake.echo}


def test_a_caret_stands_under_the_spot(bundle: Bundle) -> None:
    mistake = next(item for item in MISTAKES if item.name == "value of a choice")
    directory = bundle([mistake])
    (problem,) = check(directory)
    _, line, caret = problem.render().split("\n")
    assert line[caret.index("^") :].startswith("'fre'")


def test_files_that_are_no_files_of_a_policy(bundle: Bundle) -> None:
    directory = bundle([])
    (directory / "rules/extra.yaml").write_text("rules: []\n")
    shutil.move(directory / REASONS, directory / "rules/reason.yaml")
    (directory / GATES).write_bytes("owner: revenue-operations\nrules: [\xe9]\n".encode("latin-1"))
    (directory / "rules/maps/hubspot.yaml").write_text("a: " + "x" * 2_000_000)
    (directory / ROUTES).write_text("# nothing\n")
    found = {(problem.file, problem.code, problem.hint) for problem in check(directory)}
    assert {
        ("rules/extra.yaml", "file"), ("rules/reason.yaml", "file"), (REASONS, "file"), (GATES, "file"),
        ("rules/maps/hubspot.yaml", "limit"), (ROUTES, "empty"),
    } <= {item[:2] for item in found}  # fmt: skip
    hints = dict(item[::2] for item in found)
    assert hints["rules/reason.yaml"] == "did you mean 'rules/reasons.yaml'?"
    assert "UTF-8" in hints[GATES]


def test_a_country_that_other_readers_take_for_false_is_a_country(bundle: Bundle) -> None:
    directory = bundle([])
    path = directory / "rules/guardrails.rules.yaml"
    text = path.read_text()
    text = text.replace(
        "lead: {email_kind: free}, result: {tier: A}", "lead: {email_kind: free, country: NO}, result: {tier: A}"
    )
    path.write_text(
        text.replace(
            "result.tier == 'A' && lead.email_kind", "result.tier == 'A' && lead.country == 'NO' && lead.email_kind"
        )
    )
    assert check(directory) == []
    policy = policies.read(directory)
    rule = next(item for item in policy.rules if item.id == "top-tier-free-mail")
    assert rule.tests[0].lead["country"] == "NO"
