"""Accounts are switched in one row, and everything follows that row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import errors


def test_a_connection_is_known_before_it_is_enabled(desk: Any) -> None:
    connections = desk.store.connections
    connections.ensure("new", "hubspot", now=desk.now)
    connections.ensure("new", "hubspot", now=desk.now)
    crm, new = connections.list()
    assert (new.name, new.type, new.enabled, new.paused, new.watermark, new.leads) == (
        "new", "hubspot", False, None, None, 0,
    )  # fmt: skip
    assert (crm.name, crm.enabled, crm.watermark) == ("crm", True, desk.now)


def test_enable_sets_the_cursor_only_once(desk: Any) -> None:
    connections = desk.store.connections
    first = connections.list()[0].watermark
    assert not connections.enable("crm", watermark=desk.wait(60), now=desk.now)
    connections.disable("crm", now=desk.now)
    assert not connections.list()[0].enabled
    assert connections.enable("crm", watermark=desk.wait(60), now=desk.now)
    assert connections.list()[0].watermark == first


def test_only_a_known_connection_can_be_switched(desk: Any) -> None:
    with pytest.raises(errors.Misconfigured, match="connection nobody"):
        desk.store.connections.enable("nobody", watermark=desk.now, now=desk.now)
    with pytest.raises(errors.Misconfigured, match="connection nobody"):
        desk.store.connections.disable("nobody", now=desk.now)


def test_a_name_keeps_its_kind(desk: Any) -> None:
    with pytest.raises(errors.Misconfigured, match="hubspot, not salesforce"):
        desk.store.connections.ensure("crm", "salesforce", now=desk.now)


def test_disabled_means_no_poll_no_decision_no_write(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.poll(desk.arrival("2"))
    desk.store.connections.disable("crm", now=desk.now)
    assert desk.store.cursors.claim("crm", owner="p", lease=60, now=desk.now) is None
    assert desk.claim() == []
    assert desk.outgoing() == []
    assert desk.store.works.due(now=desk.now) == 0
    assert desk.store.outbox.due(now=desk.now) == {}
    desk.enable()
    assert desk.store.works.due(now=desk.now) == len(desk.claim()) == 1
    assert desk.store.outbox.due(now=desk.now) == {"crm": len(desk.outgoing())} == {"crm": 1}


def test_paused_means_no_call_but_decisions_go_on(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.poll(desk.arrival("2"))
    desk.store.connections.pause("crm", "token refused", now=desk.now)
    assert desk.store.connections.list()[0].paused == "token refused"
    assert desk.store.cursors.claim("crm", owner="p", lease=60, now=desk.now) is None
    assert desk.outgoing() == []
    assert desk.store.outbox.due(now=desk.now) == {}
    assert len(desk.claim()) == 1
    desk.store.connections.resume("crm", now=desk.now)
    assert desk.store.connections.list()[0].paused is None
    assert len(desk.outgoing()) == 1


def test_disabling_stops_a_poll_at_its_next_page(desk: Any) -> None:
    claim = desk.cursor()
    desk.store.connections.disable("crm", now=desk.now)
    with pytest.raises(errors.LeaseLost):
        desk.store.leads.ingest(claim, [desk.arrival("1")], policy="p", position=None, watermark=desk.now, now=desk.now)
    assert desk.store.leads.counts()["leads"] == 0


def test_the_list_tells_where_polling_stands(desk: Any) -> None:
    desk.poll(desk.arrival("1"), desk.misfit("2"))
    claim = desk.cursor()
    again = desk.now + timedelta(minutes=1)
    desk.store.cursors.release(claim, next_poll_at=again, error="no answer", now=desk.wait(5))
    state = desk.store.connections.list()[0]
    assert (state.leads, state.next_poll_at, state.error) == (2, again, "no answer")
    assert state.last_polled_at == state.watermark == desk.now - timedelta(seconds=5)
