"""Times as people write them, and an empty desk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, ports, store
from tierwise.cli import desk
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.lead import Lead
from tierwise.errors import Misconfigured

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("4h", NOW + timedelta(hours=4)),
        ("2d", NOW + timedelta(days=2)),
        ("2026-11-03T08:00", datetime(2026, 11, 3, 8, tzinfo=UTC)),
    ],
)
def test_until_when(text: str, moment: datetime) -> None:
    assert desk.later(text, now=NOW) == moment


def test_no_time() -> None:
    with pytest.raises(Misconfigured, match="is no time"):
        desk.later("soon", now=NOW)


def test_nothing_to_take(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    for command in (["take"], ["show", "99"], ["hand-over", "99", "--to", "bo"], ["snooze", "99", "--until", "1h"]):
        assert cli.run(["review", *command]) == 1
    assert cli.run(["review", "take", "--kind", "low"]) == 2
    assert "low_confidence" in capsys.readouterr().err
    assert cli.run(["review", "answer-all", "--kind", "low_confidence", "--reason", "x"]) == 2
    assert cli.run(["review", "answer-all", "--kind", "low_confidence", "--reason", "x", "--agree"]) == 0


@pytest.fixture
def drawn(home: Path) -> None:
    """A lead whose drawn decision waits for somebody."""
    assert cli.run(["db", "upgrade"]) == 0
    made = store.open_store(f"sqlite:///{home / 'tierwise.db'}")
    made.connections.ensure("crm", "hubspot", now=NOW)
    made.connections.enable("crm", watermark=NOW, now=NOW)
    cursor = made.cursors.claim("crm", owner="a", lease=60, now=NOW)
    assert cursor is not None
    cursor = made.cursors.open_window(cursor, until=NOW, now=NOW)
    lead = Lead(email="ada@acme.example", company="Acme")
    arrival = ports.Arrival(
        record_id="7", modified_at=NOW, lead=lead, fingerprint=lead.fingerprint(), identity=None, provenance={},
        problems=(), rejected=None, own={},
    )  # fmt: skip
    made.leads.ingest(cursor, [arrival], policy="p" * 64, position=None, watermark=NOW, now=NOW)
    (claim,) = made.works.claim(limit=1, owner="w", lease=60, now=NOW)
    decision = Decision(
        connection="crm", record_id="7", fingerprint=lead.fingerprint(), policy="p" * 64, policy_version="1",
        status="scored", outcome="accept", route="pod", score=71, tier="A", confidence=0.83, fields=lead.signals(),
        decided_at=NOW,
        reasons=(ReasonGiven(code="NEED", sentence="They need it.", source="criterion:need"),),
    )  # fmt: skip
    asked = ports.ReviewRequest("audit_sample", 0, "Drawn (NEED)")
    done = ports.Finished(claim, decision, {}, asked, ports.AuditDraw(0.5, 0.1, False))
    made.decisions.commit([done], now=NOW)
    made.close()


def test_who_is_to_judge_is_not_told_what_we_think_unless_they_ask(
    drawn: None, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*command: str) -> Any:
        capsys.readouterr()
        assert cli.run([*command, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    (item,) = told("review", "list")
    for command in (["review", "show", str(item["id"])], ["trace", "7"], ["review", "list"]):
        text = json.dumps(told(*command))
        assert "7" in text
        assert [word for word in ("NEED", "They need", "0.83", '"A"', "accept") if word in text] == [], command
    assert told("review", "show", str(item["id"]))["lead"]["company"] == "Acme"
    assert told("trace", "7")["blind"] is True
    assert cli.run(["trace", "7"]) == 0
    assert "--unblind" in capsys.readouterr().err
    assert [event for event in told("users", "events") if event["action"] == "review.unblind"] == []
    seen = told("trace", "7", "--unblind")
    assert (seen["decisions"][0]["decision"]["tier"], seen["blind"]) == ("A", False)
    assert told("review", "show", str(item["id"]), "--unblind")["reasons"] == ["They need it."]
    events = told("users", "events")[:2]
    assert [(event["action"], event["subject"]) for event in events] == [("review.unblind", "lead crm:7")] * 2
    assert cli.run(["review", "answer", str(item["id"]), "--tier", "A"]) == 1
    assert "has asked to see" in capsys.readouterr().err


def test_a_lead_that_went_back_shows_what_applies_to_it_now() -> None:
    def made(fingerprint: str, score: int) -> Decision:
        return Decision(
            connection="portal", record_id="7", fingerprint=fingerprint, policy="p", policy_version="1",
            status="scored", outcome="accept", route=None, score=score, decided_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip

    first, second = made("a", 10), made("b", 20)
    assert desk.applying([first, second], "a") == first
    assert desk.applying([first, second], "b") == second
    assert desk.applying([first, second], "c") == second
