"""Automation by command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import cli, errors, store
from tierwise.cli import automation
from tierwise.pipeline.automate import Wrote
from tierwise.store import schema


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


class Parts:
    """A wiring whose connections can be put back, or not."""

    def __init__(self, **ends: Any) -> None:
        self.ends = ends

    def reverting(self) -> list[str]:
        return sorted(self.ends)

    def revert(self, name: str, *, since: datetime) -> Wrote:
        if isinstance(self.ends[name], Exception):
            raise self.ends[name]
        done: Wrote = self.ends[name]
        return done


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ({}, 0),
        ({"a": Wrote(written=3, kept=1, already=1)}, 0),
        ({"a": Wrote(written=3, refused=1)}, 1),
        ({"a": Wrote(unsure=1)}, 1),
        ({"a": errors.Unreachable("no answer"), "b": Wrote(written=1)}, 3),
        ({"a": errors.PauseConnection("token"), "b": Wrote(refused=1)}, 3),
        ({"a": errors.Misconfigured("not in the settings"), "b": Wrote(written=1)}, 1),
    ],
    ids=str,
)
def test_a_revert_that_is_not_whole_says_so(ends: dict[str, Any], code: int) -> None:
    done = automation.put_back_all(Parts(**ends), datetime(2026, 11, 2, tzinfo=UTC))  # type: ignore[arg-type]
    assert done.code == code
    assert sorted(done.told) == sorted(ends), "one that fails holds up no other"


@pytest.fixture
def written(home: Path) -> None:
    """One write of a connection that the settings do not know any more, and one that was refused."""
    made = store.open_store(f"sqlite:///{home / 'tierwise.db'}")
    now = datetime(2026, 11, 2, tzinfo=UTC)
    made.connections.ensure("gone", "hubspot", now=now)
    decision = dict.fromkeys(
        ("previous", "hash", "record_id", "fingerprint", "policy", "status", "outcome", "body"), "x"
    )

    def work(connection: sa.Connection) -> None:
        for number, state in ((1, "written"), (2, "refused")):
            row = {**decision, "connection": "gone", "id": number, "sequence": number, "decided_at": now}
            connection.execute(sa.insert(schema.decision).values({**row, "record_id": str(number)}))
            write = {
                "connection": "gone", "record_id": str(number), "decision_id": number, "field": "their_tier",
                "before": "bronze", "after": "gold", "state": state, "error": "no such option", "report": "r",
                "flag_version": 1, "at": now,
            }  # fmt: skip
            connection.execute(sa.insert(schema.automation).values(write))

    made._database.write(work)
    made.close()


def test_what_was_written_is_listed_with_how_it_ended(written: None, capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, "flags", "writes")
    assert isinstance(rows, list)
    assert [(row["record_id"], row["state"], row["before"], row["after"]) for row in rows] == [
        ("2", "refused", "bronze", "gold"), ("1", "written", "bronze", "gold"),
    ]  # fmt: skip
    rows = told(capsys, "flags", "writes", "--state", "refused", "--connection", "gone")
    assert isinstance(rows, list)
    assert [row["error"] for row in rows] == ["no such option"]
    found = told(capsys, "flags", "list")
    assert isinstance(found, dict)
    assert (found["writes"]["written"], found["writes"]["refused"], found["writes"]["unsure"]) == (1, 1, 0)
    assert cli.run(["flags", "writes", "--state", "well"]) == 2
    assert cli.run(["flags", "writes"]) == 0
    assert "bronze" in capsys.readouterr().out


def test_what_cannot_be_put_back_is_told_and_the_switch_is_thrown(
    written: None, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.run(["flags", "kill", "--reason", "stop", "--revert", "2026-11-01", "--json"]) == 1
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["killed"] is True
    assert "there is no connection 'gone' in the settings" in found["reverted"]["gone"]["error"]
    assert "give the same command again" in shown.err


def test_the_doctor_finds_refused_writes(
    written: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TYPE": "hubspot", "TOKEN": "t", "TIER_FIELD": "their_tier"}.items():
        monkeypatch.setenv(f"TIERWISE_CONNECTIONS__EMEA__{name}", value)
    capsys.readouterr()
    cli.run(["doctor", "--json"])
    (line,) = [one for one in json.loads(capsys.readouterr().out) if one["what"] == "automation"]
    assert (line["ok"], line["found"]) == (False, "the CRM refuses the tier of 1 leads")
    assert "write_failed" in line["remedy"]
