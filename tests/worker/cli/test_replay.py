"""Stored leads decided again by command, over a real database and with the lexicon for a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, ports, wiring
from tierwise import settings as configuration
from tierwise.domain.identity import identity_key
from tierwise.domain.lead import Lead


@pytest.fixture
def parts(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[wiring.Wiring]:
    """An installation with three decided leads."""
    assert cli.run(["db", "upgrade"]) == 0
    monkeypatch.setenv("TIERWISE_CONNECTIONS__CRM__TYPE", "files")
    made = wiring.Wiring(configuration.load())
    store, now = made.store, wiring.clock()
    digest = made.ensure_policy().digest
    store.connections.ensure("crm", "files", now=now)
    store.connections.enable("crm", watermark=now - timedelta(days=1), now=now)
    claim = store.cursors.claim("crm", owner="t", lease=60, now=now)
    assert claim is not None
    claim = store.cursors.open_window(claim, until=now, now=now)
    store.leads.ingest(
        claim, [_arrival(number) for number in range(3)], policy=digest, position=None, watermark=now, now=now
    )
    store.cursors.release(claim, next_poll_at=now + timedelta(days=1), error="", now=now)
    report = made.pump()
    assert report is not None
    assert report.decided == 3
    capsys.readouterr()
    yield made
    made.close()


def _arrival(number: int) -> ports.Arrival:
    lead = Lead(email=f"a{number}@firm{number}.example", employee_count=90, message="We need a system this quarter.")
    return ports.Arrival(
        record_id=str(number + 1), modified_at=wiring.clock(), lead=lead, fingerprint=lead.fingerprint(),
        identity=identity_key(lead), provenance={}, problems=(), rejected=None, own={},
    )  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.run(["replay", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_was_decided_under_this_policy_costs_nothing(
    parts: wiring.Wiring, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = parts.ensure_policy().digest
    told = run(capsys, "--policy", digest[:10])
    assert (told["leads"], told["calls"], told["requeued"]) == (0, 0, 0), "nothing is done without --yes"
    assert run(capsys, "--policy", digest, "--yes", "--connection", "crm")["requeued"] == 3
    report = parts.pump()
    assert report is not None
    assert (report.decided, report.reused, report.model_calls) == (3, 3, 0)


def test_under_a_new_policy_stored_leads_are_decided_again(
    parts: wiring.Wiring, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = parts.runnable().policy
    rubric = policy.rubric.model_copy(update={"version": "next"})
    other = policy.model_copy(update={"rubric": rubric, "version": "next"})
    old = parts.ensure_policy().digest
    digest = parts.store.policies.publish(other, by="test", note="", now=wiring.clock())
    assert cli.run(["replay", "--policy", digest, "--yes"]) == 2
    assert "tierwise policy activate" in capsys.readouterr().err, "what does not run shows no advice"
    assert digest != old
    parts.store.policies.activate(digest, by="test", note="", now=wiring.clock())
    told = run(capsys, "--policy", "next", "--yes")
    assert (told["leads"], told["requeued"]) == (3, 3)
    assert told["calls"] + told["stopped"] + told["answered"] == 3


def test_what_is_not_known(parts: wiring.Wiring, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["replay", "--policy", "0123456789", "--yes"]) == 2
    assert cli.run(["replay", "--policy", parts.ensure_policy().digest, "--connection", "nobody", "--yes"]) == 2
    assert "nobody" in capsys.readouterr().err
