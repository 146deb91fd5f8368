"""How accounts are doing, as commands tell it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, wiring
from tierwise.cli import session


@pytest.fixture
def account(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(tmp_path)
    cli.run(["db", "upgrade"])
    cli.run(["connections", "add", "emea", "--type", "hubspot"])
    monkeypatch.setenv("TIERWISE_CONNECTIONS__EMEA__TOKEN", "t")
    with session.opened() as parts:
        parts.store.connections.ensure("emea", "hubspot", now=wiring.clock())
        parts.store.connections.enable("emea", watermark=wiring.clock(), now=wiring.clock())
    capsys.readouterr()
    return "emea"


def _doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = cli.run(["doctor", "--json"])
    return code, {line["what"]: line for line in json.loads(capsys.readouterr().out)}["contact with emea"]


def test_a_failing_step_is_told_with_its_remedy_and_exit_code(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _doctor(capsys)[1]["found"] == "not called yet"
    with session.opened() as parts:
        now = wiring.clock()
        fault = {"fault": "unreachable", "error": "crm.example cannot be reached", "remedy": "check the network"}
        for back in (5, 1):
            parts.store.health.failed(account, "poll", **fault, resting_until=None, now=now - timedelta(minutes=back))
        parts.store.health.well(account, "write_back", now=now)
    code, line = _doctor(capsys)
    assert (code, line["ok"], line["remedy"]) == (3, False, "check the network")
    assert "poll failed 2 times in a row (unreachable): crm.example cannot be reached" in line["found"]
    assert "since 5 min ago" in line["found"]
    assert cli.run(["connections", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    poll = {one["step"]: one for one in row["health"]}["poll"]
    assert (poll["ok"], poll["failures"], poll["fault"], poll["remedy"]) == (
        False, 2, "unreachable", "check the network",
    )  # fmt: skip
    assert cli.run(["connections", "list"]) == 0
    assert "check the network" in " ".join(capsys.readouterr().out.split())
    with session.opened() as parts:
        parts.store.health.well(account, "poll", now=wiring.clock())
    code, line = _doctor(capsys)
    assert (code, line["ok"]) == (0, True)
    assert "poll" in line["found"]
    assert "write back" in line["found"]


def test_a_paused_connection_is_told_with_what_to_do(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    with session.opened() as parts:
        parts.store.connections.pause(account, "the token was revoked", now=wiring.clock())
    code, line = _doctor(capsys)
    assert (code, line["ok"], line["found"]) == (3, False, "paused: the token was revoked")
    assert "tierwise connections enable emea" in line["remedy"]
