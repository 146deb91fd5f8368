"""What a tick wakes, on a real broker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import redis
from tierwise_fixtures import decided

from tierwise import ports, wiring
from tierwise.domain.lead import Lead
from tierwise.errors import PauseConnection
from tierwise.ports.batches import Plan, Wanted
from tierwise.settings.model import NotifierSettings
from tierwise.tasks import application, tick, work

NOW = datetime(2026, 11, 2, 9, 0, 3, tzinfo=UTC)
"""In the middle of a slot of every length: the next one does not begin between two looks."""


@pytest.fixture(autouse=True)
def _a_moment(parts: wiring.Wiring) -> None:
    parts.clock = lambda: NOW


def _messages(client: redis.Redis) -> list[tuple[str, str]]:
    """(queue, task) of everything that waits."""
    found = []
    for queue in application.QUEUES:
        for raw in client.lrange(f"tierwise:{queue}", 0, -1):
            found.append((queue, json.loads(raw)["headers"]["task"]))
    return found


def _enable(parts: wiring.Wiring, *, days: int = 0) -> None:
    now = parts.clock()
    parts.store.connections.ensure("emea", "hubspot", now=now)
    parts.store.connections.enable("emea", watermark=now - timedelta(days=days), now=now)


def test_a_tick_wakes_a_due_poll_and_nothing_else(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    tick.look(parts)
    assert _messages(queued) == [("poll", "tierwise.poll")]


def test_the_passes_behind_the_poll_are_woken_once_a_slot_where_there_is_something_to_read(
    parts: wiring.Wiring, queued: redis.Redis
) -> None:
    _enable(parts, days=1)
    tick.look(parts)
    woken = {("poll", "tierwise.poll"), ("poll", "tierwise.reconcile"), ("poll", "tierwise.outcomes")}
    assert set(_messages(queued)) == woken
    now = parts.clock()
    every = parts.settings.trail.every_seconds
    assert not tick.slot(parts, "reconcile", "emea", every=every, now=now)
    trail = parts.settings.trail.model_copy(update={"reconcile": False, "outcomes": False})
    parts.settings = parts.settings.model_copy(update={"trail": trail})
    queued.flushdb()
    parts.store.slots.prune(before=now + timedelta(days=1))
    tick.look(parts)
    assert _messages(queued) == [("poll", "tierwise.poll")]


def test_two_beats_make_one_tick(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    now = parts.clock()
    for _ in range(5):
        tick.slot(parts, "tick", "", every=3600, now=now)
    assert not tick.slot(parts, "tick", "", every=3600, now=now)
    tick.look(parts)
    tick.look(parts)
    assert len(_messages(queued)) <= 1


@pytest.mark.parametrize("state", ["disabled", "paused", "not in the settings"])
def test_what_is_off_is_not_woken(state: str, parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    if state == "disabled":
        parts.store.connections.disable("emea", now=parts.clock())
    elif state == "paused":
        parts.store.connections.pause("emea", "the token is refused", now=parts.clock())
    else:
        parts.settings = parts.settings.model_copy(update={"connections": {}})
    tick.look(parts)
    assert _messages(queued) == []


def test_a_message_holds_no_more_than_a_name_and_expires(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    tick.look(parts)
    (raw,) = queued.lrange("tierwise:poll", 0, -1)
    message = json.loads(raw)
    assert message["headers"]["argsrepr"] == "('emea',)"
    assert message["headers"]["expires"]
    assert len(raw) < 2048


def test_a_notice_that_waits_wakes_whoever_tells_it(parts: wiring.Wiring, queued: redis.Redis) -> None:
    notifiers = {"ops": NotifierSettings(type="webhook", options={"url": "http://127.0.0.1:1/"})}
    parts.settings = parts.settings.model_copy(update={"notifiers": notifiers})
    _enable(parts)
    now = parts.clock()
    claim = parts.store.cursors.claim("emea", owner="a", lease=60, now=now)
    assert claim is not None
    parts.store.cursors.release(claim, next_poll_at=now + timedelta(hours=1), error="", now=now)
    parts.pause("emea", PauseConnection("the token was revoked"))
    tick.look(parts)
    assert _messages(queued) == [("maint", "tierwise.notify")]
    work.notify()
    (waits,) = parts.store.notifications.list()
    assert (waits.state, waits.attempt) == ("ready", 1)
    assert "127.0.0.1:1" in waits.error


def test_a_shadow_that_is_on_is_woken(parts: wiring.Wiring, queued: redis.Redis) -> None:
    digest = parts.ensure_policy().digest
    parts.store.shadows.start(digest, by="me", now=parts.clock())
    tick.look(parts)
    assert _messages(queued) == [("maint", "tierwise.shadow")]


def test_a_backtest_that_waits_for_answers_wakes_whoever_asks(parts: wiring.Wiring, queued: redis.Redis) -> None:
    decided.fill(parts, 3)
    parts.store.slots.prune(before=parts.clock() + timedelta(days=1))
    (past, *_) = parts.store.decisions.recent(limit=3)
    parts.store.backtests.ask(parts.ensure_policy().digest, [past.id], live=True, now=parts.clock())
    tick.look(parts)
    assert ("maint", "tierwise.inquire") in _messages(queued)
    work.inquire()
    assert parts.store.backtests.list() == [], "the lexicon answers, and costs nothing"
    queued.flushdb()
    parts.store.slots.prune(before=parts.clock() + timedelta(days=1))
    tick.look(parts)
    assert ("maint", "tierwise.inquire") not in _messages(queued)


def test_where_tiers_are_written_what_became_of_them_is_watched(parts: wiring.Wiring, queued: redis.Redis) -> None:
    given = parts.settings.connections["emea"].model_copy(update={"tier_field": "their_tier"})
    parts.settings.connections["emea"] = given
    tick.look(parts)
    assert _messages(queued) == [("maint", "tierwise.watch")], "also while the connection rests"
    work.watch()
    _enable(parts)
    parts.store.slots.prune(before=parts.clock() + timedelta(days=1))
    queued.flushdb()
    tick.look(parts)
    assert {task for _, task in _messages(queued)} >= {"tierwise.automate", "tierwise.overrides", "tierwise.watch"}
    work.overrides("emea")


def test_leads_that_wait_for_a_batch_wake_whoever_gathers_and_batches_whoever_looks_after_them(
    parts: wiring.Wiring, queued: redis.Redis
) -> None:
    _enable(parts)
    now = parts.clock()
    parts.store.batches.backfill("emea", since=now - timedelta(days=90), until=now, now=now)
    claim = parts.store.cursors.claim("emea", owner="t", lease=60, now=now)
    assert claim is not None
    claim = parts.store.cursors.open_window(claim, until=now, now=now)
    lead = Lead(email="a@b.example", message="We need it.")
    old = ports.Arrival(
        record_id="1", modified_at=now - timedelta(days=30), lead=lead, fingerprint=lead.fingerprint(), identity=None,
        provenance={}, problems=(), rejected=None, own={},
    )  # fmt: skip
    parts.store.leads.ingest(claim, [old], policy="p" * 64, position=None, watermark=now, now=now)
    parts.store.cursors.release(claim, next_poll_at=now + timedelta(hours=1), error="", now=now)
    tick.look(parts)
    assert _messages(queued) == [("maint", "tierwise.gather")], "and the pump is not: nothing is due"
    (waiter,) = parts.store.batches.waiters(limit=9, now=now)
    plan = Plan("m", "primary", "", "p" * 64, (Wanted(waiter.work_id, "k" * 64, "emea", 0),))
    parts.store.batches.plan(plan, budgets=ports.UNLIMITED, deadline=now + timedelta(hours=2), now=now)
    queued.flushdb()
    for _ in range(3):
        parts.store.slots.prune(before=now + timedelta(days=1))
        tick.look(parts)
    assert set(_messages(queued)) == {("maint", "tierwise.batch")}
