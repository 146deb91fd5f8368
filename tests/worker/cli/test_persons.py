"""A person is given out and erased by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tierwise import cli, ports, wiring
from tierwise import settings as configuration
from tierwise.domain.lead import Lead


@pytest.fixture
def stored(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[wiring.Wiring]:
    """One lead, ada@acme.com, of connection emea."""
    assert cli.run(["db", "upgrade"]) == 0
    parts = wiring.Wiring(configuration.load())
    now = wiring.clock()
    parts.store.connections.ensure("emea", "hubspot", now=now)
    parts.store.connections.enable("emea", watermark=now - timedelta(days=1), now=now)
    claim = parts.store.cursors.claim("emea", owner="t", lease=60, now=now)
    assert claim is not None
    lead = Lead(email="ada@acme.com", last_name="Lovelace")
    arrival = ports.Arrival("17", now, lead, lead.fingerprint(), None, {}, (), None, {})
    parts.store.leads.ingest(
        claim, [arrival], policy=parts.ensure_policy().digest, position=None, watermark=now, now=now
    )
    capsys.readouterr()
    yield parts
    parts.close()


@pytest.mark.parametrize("who", ["Ada@Acme.com ", "emea:17"])
def test_erased_by_whatever_they_are_known_by(
    stored: wiring.Wiring, capsys: pytest.CaptureFixture[str], who: str
) -> None:
    assert cli.run(["export-person", who]) == 0
    assert "Lovelace" in capsys.readouterr().out
    assert cli.run(["erase", who, "--reason", "asked", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"records": ["emea:17"], "erased": False}
    assert cli.run(["erase", who, "--reason", "asked by ada@acme.com", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["erased"] is True
    assert cli.run(["export-person", "emea:17"]) == 0
    assert "Lovelace" not in capsys.readouterr().out
    assert cli.run(["users", "events", "--json"]) == 0
    told = capsys.readouterr().out
    assert "person.erase" in told
    assert "ada@" not in told.lower()


def test_who_is_not_there_and_what_is_no_identity(stored: wiring.Wiring, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["erase", "bob@acme.com", "--reason", "x"]) == 1
    assert "nothing is stored" in capsys.readouterr().err
    assert cli.run(["erase", "ada", "--reason", "x"]) == 2
