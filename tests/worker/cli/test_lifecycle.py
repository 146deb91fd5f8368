"""From files to what runs, by command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli

Run = Callable[..., Any]


@pytest.fixture
def bundle(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A first policy's files, and a database."""
    directory = tmp_path / "bundle"
    assert cli.run(["init", str(directory)]) == 0
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()
    return directory


@pytest.fixture
def tierwise(capsys: pytest.CaptureFixture[str]) -> Run:
    """`tierwise("policy", "show", ..., code=1)`: its JSON, or its messages where it fails."""

    def run(*arguments: str, code: int = 0) -> Any:
        json_wanted = [] if arguments[0] == "users" and arguments[1] == "disable" else ["--json"]
        assert cli.run([*arguments, *json_wanted]) == code
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == 0 and json_wanted else shown.err

    return run


def edit(bundle: Path, old: str, new: str, file: str = "prompts/qualify.md") -> None:
    path = bundle / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_publishing_tells_what_it_would_change(bundle: Path, tierwise: Run, capsys: pytest.CaptureFixture[str]) -> None:
    first = tierwise("policy", "publish", str(bundle), "--note", "as laid out")
    assert (first["change"], first["changes"]) == ("first", [])
    tierwise("policy", "activate", first["digest"])
    edit(bundle, "weight: 14", "weight: 13")
    edit(bundle, "weight: 12", "weight: 13")
    second = tierwise("policy", "publish", str(bundle))
    assert second["change"] == "minor"
    assert [str(item["text"]) for item in second["changes"]] == ["weight 14 -> 13", "weight 12 -> 13"]
    assert second["changes"][0]["subject"] == "criterion `company_size`"
    assert tierwise("policy", "diff", "active", second["digest"][:10])["changes"] == second["changes"]
    assert tierwise("policy", "diff", first["digest"], str(bundle))["changes"] == second["changes"]
    assert tierwise("policy", "diff", str(bundle)) == tierwise("policy", "diff", "active", str(bundle))
    assert cli.run(["policy", "diff", "active", str(bundle)]) == 0
    assert "criterion `company_size`: weight 14 -> 13" in capsys.readouterr().out
    shown = tierwise("policy", "show", second["digest"])
    assert shown["against_active"]["change"] == "minor"
    assert shown["policy"]["rubric"]["criteria"][0]["weight"] == 13
    history = tierwise("policy", "history")
    assert [item["digest"] for item in history["published"]] == [second["digest"], first["digest"]]
    assert [item["digest"] for item in history["activations"]] == [first["digest"]]
    for command in (["policy", "show", first["digest"]], ["policy", "history"]):
        assert cli.run(command) == 0
        assert first["digest"][:12] in capsys.readouterr().out


def test_a_directory_is_activated_in_one_step_and_taken_back_in_one(bundle: Path, tierwise: Run) -> None:
    first = tierwise("policy", "activate", str(bundle), "--note", "first")
    edit(bundle, 'version: "1.0"', 'version: "1.1"')
    second = tierwise("policy", "activate", str(bundle))
    assert (second["version"], second["kind"]) == ("1.1", "activate")
    shutil.rmtree(bundle)
    back = tierwise("policy", "rollback", "--note", "no good")
    assert (back["digest"], back["kind"], back["note"]) == (first["digest"], "rollback", "no good")
    again = tierwise("policy", "rollback", "--to", "1.1")
    assert again["digest"] == second["digest"]


def test_a_broken_bundle_is_neither_published_nor_activated(bundle: Path, tierwise: Run) -> None:
    edit(bundle, "weight: 14", "weight: 15")
    for command in ("publish", "activate"):
        assert "add up to" in tierwise("policy", command, str(bundle), code=1)
    assert tierwise("policy", "history") == {"activations": [], "staging": None, "published": []}


def test_change_control_by_command(bundle: Path, tierwise: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tierwise("policy", "activate", str(bundle))
    tokens = {"ada": tierwise("users", "add", "ada", "--role", "admin", "--role", "ops")["token"]}

    def as_(name: str) -> None:
        monkeypatch.setenv("TIERWISE_TOKEN", tokens[name])

    as_("ada")
    for name, role in (("sam", "sales"), ("ron", "revops")):
        tokens[name] = tierwise("users", "add", name, "--role", role)["token"]
    edit(bundle, "primary: offline/rules", "primary: openai/some-model")
    digest = tierwise("policy", "publish", str(bundle), "--note", "a model")["digest"]
    assert "two different people" in tierwise("policy", "activate", digest, code=1)
    assert "ada" in tierwise("policy", "approve", digest, "--reason", "mine", code=1)
    for name in ("sam", "ron"):
        as_(name)
        assert tierwise("policy", "approve", digest, "--reason", "measured")["by"] == name
    as_("ada")
    assert tierwise("policy", "activate", digest)["change"] == "major"
    shown = tierwise("policy", "show", digest)
    assert [item["by"] for item in shown["approvals"]] == ["sam", "ron"]
    assert [item["action"] for item in shown["events"] if item["refused"]] == ["policy.approve", "policy.activate"]
    monkeypatch.delenv("TIERWISE_TOKEN")
    assert "not among the people" in tierwise("policy", "rollback", code=1)
    as_("sam")
    assert tierwise("policy", "rollback")["kind"] == "rollback"


def test_what_nobody_published_is_told_with_the_remedy(bundle: Path, tierwise: Run) -> None:
    assert "tierwise policy history" in tierwise("policy", "show", "abcdef123", code=2)
    assert "tierwise policy history" in tierwise("policy", "activate", "nothing", code=2)
