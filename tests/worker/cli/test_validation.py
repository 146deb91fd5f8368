"""What is proved, by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tierwise_fixtures.school import School

from tierwise import cli
from tierwise.cli import session
from tierwise.pipeline.validate import GROUPINGS


@pytest.fixture(autouse=True)
def _database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


def test_nothing_registered_is_not_passed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"passed", "reasons", "precision", "recall", "bounds", "labels", "labels_missing"} <= found.keys()
    assert (found["passed"], found["precision"], found["bounds"], found["labels"]) == (False, None, [], 0)
    assert "--register" in found["reasons"][0]


def test_registered_it_says_how_far_the_first_look_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--register", "--cut-offs", "0.6,0.8", "--looks", "50,100", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["next_look"], found["labels_missing"]) == (50, 50)
    assert cli.run(["validate"]) == 1
    assert "0 of 50 audit items" in capsys.readouterr().err
    assert cli.run(["validate", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["notes"] == []


def test_who_registers_is_told_how_far_it_is_and_that_it_is_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--register", "--looks", "50,100"]) == 0
    told = capsys.readouterr().err
    assert "registered" in told
    assert "0 of 50 audit items" in told


def test_without_a_registration_it_says_so_and_has_not_passed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate"]) == 1
    told = capsys.readouterr().err
    assert "not passed" in told
    assert "nothing is registered" in told


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--cut-offs", "high", "list of numbers"),
        ("--cut-offs", "0.9,0.5", "ascending"),
        ("--looks", "", "at least one"),
        ("--looks", "1e400", "list of numbers"),
        ("--looks", "nan", "list of numbers"),
    ],
)
def test_what_cannot_be_registered(capsys: pytest.CaptureFixture[str], option: str, value: str, words: str) -> None:
    assert cli.run(["validate", "--register", option, value]) == 2
    assert words in capsys.readouterr().err


def test_targets_are_told_with_owner_and_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["targets"]
    assert (told["precision"], told["recall"], told["positive_tiers"]) == (0.8, 0.6, ["A"])
    assert (told["owner"], told["registered_by"]) == ("revenue-operations", None)
    assert told["agreed_on"]
    assert cli.run(["validate", "--register"]) == 0
    shown = capsys.readouterr().err
    assert "targets of tier A: precision 80%, recall 60%; revenue-operations, agreed on 2026" in shown
    assert "registered by" in shown


@pytest.mark.parametrize("by", GROUPINGS)
def test_groups_with_their_intervals(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    with session.opened() as parts:
        school = School(parts)
        for _ in range(3):
            school.answer(school.decide(), agree=True)
        school.answer(school.decide(), tier="D")
    capsys.readouterr()
    assert cli.run(["validate", "--by", by, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    overall, group = found["groups"]
    assert (found["by"], overall["by"], group["by"]) == (by, "", by)
    assert (overall["labels"], group["labels"]) == (4, 4)
    expected = {"tier": "A", "connection": "crm", "region": "emea", "model": "m"}
    assert group["name"] == expected.get(by, group["name"])
    # In review none is predicted: all three that are right were missed.
    assert (group["recall"], group["precision"], group["precision_interval"]) == (0.0, None, None)
    assert group["recall_interval"][0] == 0.0
    assert group["recall_interval"][1] > 0.1
    assert cli.run(["validate", "--by", by]) == 0
    assert "0% (0% to" in capsys.readouterr().out


def test_groups_that_there_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--by", "weather"]) == 2
    assert "region" in capsys.readouterr().err
