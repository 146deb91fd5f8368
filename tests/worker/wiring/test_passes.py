"""What reads a CRM knows when there is nothing to read."""

from __future__ import annotations

from pathlib import Path

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup


def test_a_pass_without_a_cursor_has_nothing_to_do(parts: wiring.Wiring) -> None:
    assert not parts.trails("emea", "reconcile")
    assert parts.reconcile("emea") is None
    assert parts.outcomes("emea") is None


def test_a_connection_that_is_off_is_not_read(home: Path) -> None:
    """No call is made: nobody listens at that address."""
    options = {"folder": str(home / "drop")}
    settings = configuration.Settings(home=home, connections={"drop": {"type": "files", "options": options}})
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    made.store.connections.ensure("drop", "files", now=wiring.clock())
    assert made.poll("drop") is None
    made.close()
