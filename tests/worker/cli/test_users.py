"""People by command, and what they did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("database")
def test_from_the_first_person_on_a_token_is_needed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.run(["users", "add", "ada", "--role", "admin", "--role", "ops", "--json"]) == 0
    made = said(capsys)
    assert made["roles"] == ["admin", "ops"]
    assert cli.run(["users", "add", "sam", "--role", "sales"]) == 1
    assert "not among the people" in capsys.readouterr().err
    monkeypatch.setenv("TIERWISE_TOKEN", made["token"] + "x")
    assert cli.run(["users", "add", "sam", "--role", "sales"]) == 1
    assert "opens nothing" in capsys.readouterr().err
    monkeypatch.setenv("TIERWISE_TOKEN", made["token"])
    assert cli.run(["users", "add", "sam", "--role", "sales"]) == 0
    assert capsys.readouterr().out.startswith("tw_")
    assert cli.run(["users", "list", "--json"]) == 0
    assert [(item["name"], item["roles"], item["by"]) for item in said(capsys)][1] == ("sam", ["sales"], "ada")
    assert cli.run(["users", "disable", "sam"]) == 0
    assert cli.run(["users", "list"]) == 0
    assert "sam" in capsys.readouterr().out
    assert cli.run(["users", "events", "--json"]) == 0
    events = said(capsys)
    assert [(item["action"], bool(item["refused"])) for item in events] == [
        ("users.disable", False), ("users.add", False), ("token", True), ("users.add", True), ("users.add", False),
    ]  # fmt: skip
    assert made["token"] not in json.dumps(events)
    assert cli.run(["users", "events", "--subject", "person sam"]) == 0
    assert "ada" in capsys.readouterr().out


@pytest.mark.usefixtures("database")
def test_a_role_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["users", "add", "ada", "--role", "boss"]) == 2
    assert "sales, revops, ops, admin" in capsys.readouterr().err


def test_the_token_is_no_part_of_what_is_shown(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERWISE_TOKEN", "tw_very_secret")
    assert cli.run(["config", "show"]) == 0
    assert "tw_very_secret" not in "".join(capsys.readouterr())
