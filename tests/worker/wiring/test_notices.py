"""Who is told what: by the settings, once, and before the connection rests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup
from tierwise.errors import Misconfigured, PauseConnection


@pytest.fixture
def told(home: Path) -> Iterator[wiring.Wiring]:
    settings = configuration.Settings(
        home=home,
        connections={"emea": {"type": "hubspot", "token": "t"}},
        notifiers={
            "all": {"type": "webhook", "url": "http://127.0.0.1:1/x"},
            "pauses": {"type": "slack", "token": "http://127.0.0.1:1/y", "events": ["connection_paused"]},
        },
    )
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    now = made.clock()
    made.store.connections.ensure("emea", "hubspot", now=now)
    made.store.connections.enable("emea", watermark=now, now=now)
    yield made
    made.close()


def _waiting(parts: wiring.Wiring) -> set[tuple[str, str, str]]:
    return {(one.notifier, one.notice.event, one.notice.severity) for one in parts.store.notifications.list()}


def test_a_pause_is_told_with_what_to_do_and_its_end_too(told: wiring.Wiring) -> None:
    told.pause("emea", PauseConnection("the token was revoked", place="connections.emea"))
    (state,) = told.store.connections.list()
    assert "the token was revoked" in (state.paused or "")
    assert _waiting(told) == {("all", "connection_paused", "critical"), ("pauses", "connection_paused", "critical")}
    text = told.store.notifications.list()[0].notice.text
    assert "tierwise connections enable emea" in text
    assert told.tell() == (0, 2, 0)
    for dispatch in told.store.notifications.list():
        assert "127.0.0.1:1" in dispatch.error
    told.store.connections.resume("emea", now=told.clock())
    assert {severity for _, _, severity in _waiting(told)} == {"resolved"}, "what was not told yet is replaced"


def test_who_is_to_be_told_is_as_the_settings_say(told: wiring.Wiring) -> None:
    database = told.store._database  # type: ignore[attr-defined]
    assert {name: list(events) for name, events in database.notifiers.items()} == {
        "all": [], "pauses": ["connection_paused"],
    }  # fmt: skip


def test_an_unknown_name_is_misconfigured(told: wiring.Wiring) -> None:
    with pytest.raises(Misconfigured, match="nobody"):
        told.notifier("nobody")
