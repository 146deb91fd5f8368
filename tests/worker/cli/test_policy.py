"""Policy files by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import policy


@pytest.fixture
def bundle(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    directory = tmp_path / "bundle"
    assert cli.run(["init", str(directory)]) == 0
    capsys.readouterr()
    return directory


def test_the_first_policy_is_fine(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "check", str(bundle), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"errors": []}
    assert cli.run(["policy", "test", str(bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] > 100
    assert found["failed"] == []


def test_a_template_with_an_unknown_name_is_told(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert policy.template_problems("Hello {{ rubric }}") == []
    assert policy.template_problems("Hello {{ rubrik }}")
    prompt = bundle / "prompts" / "qualify.md"
    prompt.write_text(prompt.read_text() + "\n{{ rubrik }}\n")
    assert cli.run(["policy", "check", str(bundle)]) == 1
    assert "rubrik" in capsys.readouterr().out


def test_a_failing_test_of_a_rule_is_shown_and_blocks_activation(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = bundle / "rules" / "gates.rules.yaml"
    text = rules.read_text()
    broken = text.replace("expect: no_match", "expect: match", 1)
    assert broken != text
    rules.write_text(broken)
    assert cli.run(["policy", "test", str(bundle)]) == 1
    assert "FAILED" in capsys.readouterr().out
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["policy", "activate", str(bundle)]) == 1
    assert "tierwise policy" in capsys.readouterr().err
