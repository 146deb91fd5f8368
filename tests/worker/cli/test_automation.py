"""Automation by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli


@pytest.fixture(autouse=True)
def _database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


def told(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> object:
    capsys.readouterr()
    assert cli.run([*command, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_off_by_default_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "flags", "list")
    assert isinstance(found, dict)
    assert (found["on"], found["percentage"], found["killed"]) == (False, 0, None)
    assert any("validation report" in why for why in found["gate"]["why"])
    assert cli.run(["flags", "list"]) == 0
    assert "no validation report" in " ".join(capsys.readouterr().out.split())


def test_raising_is_refused_in_words_and_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["flags", "set", "1", "--reason", "go"]) == 1
    assert "the gate is red" in capsys.readouterr().err
    assert cli.run(["users", "events", "--json"]) == 0
    events = json.loads(capsys.readouterr().out)
    tried = [event for event in events if event["action"] == "flags.set"]
    assert ["the gate is red" in event["refused"] for event in tried] == [True]


def test_the_switch_is_thrown_and_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "flags", "kill", "--reason", "wrong tiers") == {"killed": True, "reverted": {}}
    found = told(capsys, "flags", "list")
    assert isinstance(found, dict)
    assert found["killed"]["reason"] == "wrong tiers"
    assert cli.run(["flags", "unkill", "--reason", "mended"]) == 0
    history = told(capsys, "flags", "history")
    assert isinstance(history, list)
    assert [(item["what"], item["reason"]) for item in history] == [("unkilled", "mended"), ("killed", "wrong tiers")]


def test_alerts_are_listed_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "flags", "alerts") == []
    assert cli.run(["flags", "alerts", "--close", "7"]) == 2
    assert "alert 7 is not open" in capsys.readouterr().err


def test_the_switch_is_thrown_whatever_else_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERWISE_TOKEN", "tw_of-nobody")
    assert cli.run(["flags", "kill", "--reason", "stop", "--revert", "yesterday-ish"]) != 0
    monkeypatch.delenv("TIERWISE_TOKEN")
    found = told(capsys, "flags", "list")
    assert isinstance(found, dict)
    assert found["killed"]["reason"] == "stop"
