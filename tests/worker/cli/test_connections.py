"""Connections by command; what they do to a CRM is an acceptance test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import connections
from tierwise.errors import Misconfigured


@pytest.fixture(autouse=True)
def _in_its_own_directory(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("text", "pair"), [("a=b", ("a", "b")), (" a = b=c ", ("a", "b=c")), ("a=", ("a", ""))])
def test_options(text: str, pair: tuple[str, str]) -> None:
    assert connections._pair(text) == pair


@pytest.mark.parametrize("text", ["a", "=b"])
def test_what_is_no_option(text: str) -> None:
    with pytest.raises(Misconfigured, match="KEY=VALUE"):
        connections._pair(text)


def test_an_added_connection_is_listed_and_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["connections", "add", "emea", "--type", "hubspot", "-o", "object_type=contacts"]) == 0
    assert "TIERWISE_CONNECTIONS__EMEA__TOKEN" in capsys.readouterr().err
    assert cli.run(["connections", "list", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert (line["name"], line["type"], line["enabled"], line["leads"]) == ("emea", "hubspot", False, 0)


def test_the_same_name_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["connections", "add", "emea", "--type", "hubspot"]) == 0
    assert cli.run(["connections", "add", "emea", "--type", "hubspot"]) == 2
    assert "emea" in capsys.readouterr().err


def test_what_was_never_enabled_cannot_be_disabled(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["connections", "disable", "emea"]) == 1
    assert "emea" in capsys.readouterr().err
