"""Policy files by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tierwise_fixtures import mistakes

from tierwise import cli
from tierwise.cli import lifecycle, policy
from tierwise.errors import RejectRecord


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


def test_every_mistake_of_a_bundle_is_in_the_json_with_its_place_and_it_is_not_published(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = mistakes.plant_together(bundle, [item for item in mistakes.MISTAKES if not item.hides])
    assert len(planted) > 40
    assert cli.run(["policy", "check", str(bundle), "--json"]) == 1
    errors = json.loads(capsys.readouterr().out)["errors"]
    assert {*errors[0]} == {"file", "line", "column", "code", "message", "hint"}
    found = {(item["file"], item["line"], item["column"]) for item in errors}
    places = {item.name: (item.file, *item.place(bundle)) for item in planted if not item.logical}
    # A sum says nothing while a number is missing, and a template tells one mistake at a time.
    assert {name for name, place in places.items() if place not in found} <= {"weights", "name in the prompt"}
    assert cli.run(["db", "upgrade"]) == 0
    for command in ("publish", "activate", "stage"):
        assert cli.run(["policy", command, str(bundle)]) == 1
    capsys.readouterr()
    assert cli.run(["policy", "history", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"activations": [], "staging": None, "published": []}


def test_a_terminal_gets_the_line_and_a_caret(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mistake,) = [item for item in mistakes.MISTAKES if item.name == "field of a rule's test"]
    mistake.plant(bundle)
    assert cli.run(["policy", "check", str(bundle)]) == 1
    told, line, caret = capsys.readouterr().out.rstrip().split("\n")
    number, column = mistake.place(bundle)
    assert told.startswith(f"{mistake.file}:{number}:{column}: ")
    assert "did you mean 'region'?" in told
    assert line[caret.index("^") :].startswith("regoin")


@pytest.mark.deep
@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=lambda mistake: mistake.name)
def test_no_mistake_can_be_published(bundle: Path, mistake: mistakes.Mistake) -> None:
    mistake.plant(bundle)
    with pytest.raises(RejectRecord):
        lifecycle.read(bundle)


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
    told = capsys.readouterr().out
    line = next(number for number, row in enumerate(text.split("\n"), 1) if "expect: no_match" in row)
    assert f"rules/gates.rules.yaml:{line}:\n" in told
    assert "FAILED rule test-submission::a real buyer who wants to test: expected match, got no_match" in told
    assert cli.run(["policy", "test", str(bundle), "--json", "--junit", str(bundle / "junit.xml")]) == 1
    (failed,) = json.loads(capsys.readouterr().out)["failed"]
    assert (failed["file"], failed["line"]) == ("rules/gates.rules.yaml", line)
    assert f'file="rules/gates.rules.yaml" line="{line}"' in (bundle / "junit.xml").read_text()
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["policy", "activate", str(bundle)]) == 1
    assert "tierwise policy" in capsys.readouterr().err


def test_schemas_for_editors_are_laid_out_and_renewed(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "schemas", str(bundle), "--check"]) == 0
    schema = bundle / "rules" / "rules.schema.json"
    fresh = schema.read_text()
    schema.write_text("{}")
    assert cli.run(["policy", "schemas", str(bundle), "--check"]) == 1
    assert "rules/rules.schema.json: out of date" in capsys.readouterr().err
    assert cli.run(["policy", "schemas", str(bundle)]) == 0
    assert schema.read_text() == fresh
