"""Who is told what: by the settings, once, and before the connection rests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup
from tierwise.errors import Misconfigured, PauseConnection
from tierwise.sdk import Notice


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
    told.resumed("emea")
    assert {severity for _, _, severity in _waiting(told)} == {"resolved"}, "what was not told yet is replaced"


def test_who_did_not_ask_is_not_told(told: wiring.Wiring) -> None:
    told.quarantined(3)
    told.write_refused("emea", 2)
    assert _waiting(told) == {("all", "work_quarantined", "warning"), ("all", "write_refused", "warning")}
    assert "3 leads" in told.store.notifications.list()[1].notice.title


def test_an_unknown_name_is_misconfigured_and_no_notifier_costs_nothing(told: wiring.Wiring, home: Path) -> None:
    with pytest.raises(Misconfigured, match="nobody"):
        told.notifier("nobody")
    plain = wiring.Wiring(configuration.Settings(home=home / "other"))
    assert plain.notify(Notice("k", "info", "t", "x", plain.clock())) == 0
    assert not (home / "other").exists(), "no database was opened"


def test_the_work_goes_on_where_a_notice_cannot_be_kept(told: wiring.Wiring, home: Path) -> None:
    broken = wiring.Wiring(
        told.settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/none", "home": home / "gone"})
    )
    assert broken.notify(Notice("k", "info", "t", "x", broken.clock())) == 0
