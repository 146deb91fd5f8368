"""Beat's schedule."""

from __future__ import annotations

import redis
from celery.utils.imports import symbol_by_name

from tierwise import wiring
from tierwise.tasks import application, schedule


def test_a_round_of_the_schedule_sends_the_tick_and_is_beats_sign_of_life(
    parts: wiring.Wiring, queued: redis.Redis
) -> None:
    found = symbol_by_name(application.app.conf.beat_scheduler)
    assert found is schedule.TickScheduler
    scheduler = found(app=application.app)
    (entry,) = scheduler.schedule.values()
    entry.last_run_at = entry.last_run_at.replace(year=2020)
    scheduler.tick()
    assert queued.llen("tierwise:maint") == 1
    assert [beat.role for beat in parts.store.heartbeats.latest()] == ["beat"]
