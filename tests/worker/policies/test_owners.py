"""Who answers for what is checked like everything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tierwise import policies
from tierwise.policies import owners

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for name in ("rules", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def _edit(bundle: Path, old: str, new: str, file: str = owners.FILE) -> None:
    text = (bundle / file).read_text()
    assert old in text
    (bundle / file).write_text(text.replace(old, new, 1))


def test_ours_are_fine_and_a_policy_may_do_without(bundle: Path) -> None:
    assert policies.check(bundle) == []
    (bundle / owners.FILE).unlink()
    assert policies.check(bundle) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("sla: revenue-operations", "sla: revenue-operation", "unknown-owner", "revenue-operations"),
        ("  guardrail: revenue-operations\n", "", "missing", "guardrail: revenue-operations"),
        ("  guardrail:", "  gardrail:", "unknown-key", "did you mean 'guardrail'?"),
        ("bundle:", "bundel:", "unknown-key", "bundle"),
        ("sales-operations, ", "", "unknown-owner", "did you mean"),
    ],
)
def test_a_mistake_is_told_with_its_place(bundle: Path, old: str, new: str, code: str, said: str) -> None:
    _edit(bundle, old, new)
    found = policies.check(bundle)
    assert found
    match = next(problem for problem in found if problem.code == code)
    assert said in f"{match.message} {match.hint}"
    assert match.line > 1


def test_a_rule_of_somebody_unknown_is_told_in_its_own_file(bundle: Path) -> None:
    _edit(bundle, "owner: ", "owner: somebody-else-", file="rules/gates.rules.yaml")
    (problem, *_) = policies.check(bundle)
    assert (problem.file, problem.code) == ("rules/gates.rules.yaml", "unknown-owner")


@pytest.mark.parametrize("text", ["", "owners: [a, a", "- a\n"])
def test_what_is_no_such_file(bundle: Path, text: str) -> None:
    (bundle / owners.FILE).write_text(text)
    assert policies.check(bundle)
