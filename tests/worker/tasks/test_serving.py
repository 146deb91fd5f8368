"""A worker's own loop, as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import redis
from tierwise_fixtures.waiting import wait_until

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.tasks import application, tick


def test_a_worker_knows_every_task_and_ends_when_asked(
    parts: wiring.Wiring, settings: configuration.Settings, clean_valkey_url: str, queued: redis.Redis
) -> None:
    code = (
        "import json, sys; from tierwise import settings, tasks;"
        "tasks.configure(settings.Settings(**json.loads(sys.argv[1])), broker_url=sys.argv[2]);"
        "tasks.run_worker(concurrency=1, pool='solo')"
    )
    given = settings.model_dump_json(include={"home", "database_url"})
    child = subprocess.Popen([sys.executable, "-c", code, given, clean_valkey_url], env=dict(os.environ))
    try:
        wait_until(parts.store.heartbeats.latest, within=30, what="a sign of life of a worker that has nothing to do")
        assert [beat.info["pid"] for beat in parts.store.heartbeats.latest()] == [child.pid]
        tick.tick.apply_async(queue="maint")
        wait_until(lambda: not queued.llen("tierwise:maint"), what="the tick to be taken")
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=20) == 0
    finally:
        child.kill()
        child.wait()


def test_every_task_that_a_tick_sends_is_one_that_a_worker_has() -> None:
    application.app.loader.import_default_modules()
    names = {name for name in application.app.tasks if name.startswith("tierwise.")}
    wanted = {"tick", "poll", "reconcile", "outcomes", "qualify", "write_back"}
    assert {f"tierwise.{name}" for name in wanted} <= names
