"""Labels leave without whose they are, unless that is asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tierwise import cli, ports
from tierwise.cli import labels, session
from tierwise.domain.advice import FEEDBACK
from tierwise.domain.lead import Lead

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    lead = Lead(email="ada@acme.example", company="Acme")
    arrival = ports.Arrival(
        "1", NOW, lead, lead.fingerprint(), None, {}, (), None, {FEEDBACK: "too_low"},
    )  # fmt: skip
    with session.opened() as parts:
        store = parts.store
        store.connections.ensure("crm", "hubspot", now=NOW)
        store.connections.enable("crm", watermark=NOW, now=NOW)
        claim = store.cursors.claim("crm", owner="o", lease=60, now=NOW)
        assert claim is not None
        claim = store.cursors.open_window(claim, until=NOW, now=NOW)
        store.leads.ingest(claim, [arrival], policy="p" * 64, position=None, watermark=NOW, now=NOW)
    capsys.readouterr()


def test_an_export_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["labels", "export"]) == 0
    text = capsys.readouterr().out
    (row,) = [json.loads(line) for line in text.splitlines()]
    assert (row["source"], row["value"], row["sampling"]) == ("rep_feedback", "too_low", None)
    assert "ada" not in text
    with session.opened() as parts:
        assert parts.store.admin_events.list(subject="labels") == []


@pytest.mark.parametrize("format_", [labels.Format.JSONL, labels.Format.CSV])
def test_whose_they_are_is_told_on_record(capsys: pytest.CaptureFixture[str], format_: labels.Format) -> None:
    assert cli.run(["labels", "export", "--personal", "--format", format_.value]) == 0
    assert "ada@acme.example" in capsys.readouterr().out
    with session.opened() as parts:
        (event,) = parts.store.admin_events.list(subject="labels")
    assert (event.action, event.after) == ("labels.export_personal", {"labels": 1, "format": format_.value})


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["labels", "list", "--json"]) == 0
    assert [item["value"] for item in json.loads(capsys.readouterr().out)] == ["too_low"]
    assert cli.run(["labels", "list", "--source", "review"]) == 0
