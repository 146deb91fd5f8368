"""Versions from a repository by command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli
from tierwise.cli import session


@pytest.fixture
def repository(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A policy repository of Sam's, and a database in which the same policy runs."""
    directory = tmp_path / "policy"
    for command in (["init", str(directory)], ["db", "upgrade"], ["policy", "activate", str(directory)]):
        assert cli.run(command) == 0
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", "-A")
    git(directory, "commit", "--quiet", "-m", "as it came")
    capsys.readouterr()
    return directory


def git(directory: Path, *arguments: str) -> None:
    person = ["-c", "user.name=sam", "-c", "user.email=sam@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *person, "-C", str(directory), *arguments], check=True, timeout=30)


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert cli.run([*arguments, "--json"]) == code
    shown = capsys.readouterr()
    return json.loads(shown.out) if code == 0 else shown.err


def change(directory: Path, message: str) -> None:
    prompt = directory / "prompts" / "qualify.md"
    prompt.write_text(prompt.read_text().replace("weight: 14", "weight: 13", 1).replace("weight: 12", "weight: 13", 1))
    git(directory, "commit", "--quiet", "-am", message)


def test_a_commit_becomes_a_version_once_and_runs_nowhere(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(repository, "size counts less")
    address = f"file://{repository}@main"
    first = run(capsys, "policy", "pull", "--from", address)
    assert (first["new"], first["author"], first["note"]) == (True, "sam", "size counts less")
    again = run(capsys, "policy", "pull", "--from", address)
    assert (again["new"], again["digest"]) == (False, first["digest"])
    assert run(capsys, "policy", "pull", "--from", str(repository))["digest"] == first["digest"]
    shown = run(capsys, "policy", "show", first["digest"])
    assert shown["origin"]["commit"] == first["commit"]
    assert shown["origin"]["source"] == f"file://{repository}"
    history = run(capsys, "policy", "history")
    assert len(history["activations"]) == 1
    assert len(history["published"]) == 2


def test_who_wrote_it_does_not_approve_it(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {"ada": run(capsys, "users", "add", "ada", "--role", "admin", "--role", "ops")["token"]}
    monkeypatch.setenv("TIERWISE_TOKEN", tokens["ada"])
    tokens["sam"] = run(capsys, "users", "add", "sam", "--role", "sales")["token"]
    change(repository, "size counts less")
    digest = run(capsys, "policy", "pull", "--from", f"file://{repository}")["digest"]
    monkeypatch.setenv("TIERWISE_TOKEN", tokens["sam"])
    assert "sam wrote it" in run(capsys, "policy", "approve", digest, "--reason", "mine", code=1)


def test_what_is_wrong_with_it_is_told(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "could not fetch" in run(capsys, "policy", "pull", "--from", "file:///nowhere/at.git", code=3)
    assert "neither a directory" in run(capsys, "policy", "pull", "--from", "nothing", code=2)
    prompt = repository / "prompts" / "qualify.md"
    prompt.write_text(prompt.read_text().replace("weight: 14", "weight: 15", 1))
    git(repository, "commit", "--quiet", "-am", "a slip")
    assert "add up to" in run(capsys, "policy", "pull", "--from", f"file://{repository}", code=1)
    with session.opened() as parts:
        assert len(parts.store.policies.versions()) == 1


def test_who_wrote_what_was_published_before_does_not_approve_it_either(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = run(capsys, "users", "add", "ada", "--role", "admin", "--role", "ops")["token"]
    monkeypatch.setenv("TIERWISE_TOKEN", ada)
    sam = run(capsys, "users", "add", "sam", "--role", "sales")["token"]
    change(repository, "size counts less")
    assert cli.run(["policy", "publish", str(repository)]) == 0
    capsys.readouterr()
    pulled = run(capsys, "policy", "pull", "--from", f"file://{repository}")
    assert (pulled["new"], pulled["author"]) == (False, "sam")
    assert run(capsys, "policy", "show", pulled["digest"])["origin"]["author"] == "sam"
    monkeypatch.setenv("TIERWISE_TOKEN", sam)
    assert "sam wrote it" in run(capsys, "policy", "approve", pulled["digest"], "--reason", "mine", code=1)
