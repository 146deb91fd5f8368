"""Connections by command; what they do to a CRM is an acceptance test."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tierwise import cli, wiring
from tierwise.cli import connections, session
from tierwise.errors import Misconfigured
from tierwise.sdk import Quota


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


def test_the_days_calls_and_why_a_poll_did_not_end_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["connections", "add", "emea", "--type", "hubspot"]) == 0
    now = wiring.clock()
    with session.opened() as parts:
        parts.store.connections.ensure("emea", "hubspot", now=now)
        parts.store.connections.enable("emea", watermark=now, now=now)
        quota = Quota(1000, 150, 200, now + timedelta(hours=2), now)
        parts.store.connections.note_quota("emea", quota)
        claim = parts.store.cursors.claim("emea", owner="p", lease=60, now=now)
        assert claim is not None
        parts.store.cursors.release(claim, next_poll_at=now, error="20 % are kept for people", now=now)
    capsys.readouterr()
    assert cli.run(["connections", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["quota"]["left"], row["quota"]["reserve"], row["error"]) == (150, 200, "20 % are kept for people")
    assert connections.calls_left(row["quota"]) == "150 of 1,000, 200 kept for people"
    assert connections.calls_left(None) == ""
    cli.run(["doctor", "--json"])
    found = {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert not found["calls of emea"]["ok"]
    assert "150 of 1,000" in found["calls of emea"]["found"]
    assert "reserve_percent" in found["calls of emea"]["remedy"]
