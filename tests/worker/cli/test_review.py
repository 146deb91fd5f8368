"""The review queue by command; an answer's effect on the CRM is an acceptance test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli


@pytest.fixture(autouse=True)
def _database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


def test_an_empty_queue(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_an_unknown_kind_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--kind", "low"]) == 2
    assert "low_confidence" in capsys.readouterr().err


def test_an_item_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "answer", "99", "--agree"]) == 1
    assert "99" in capsys.readouterr().err
