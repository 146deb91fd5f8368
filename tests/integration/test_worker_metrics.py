"""A prefork worker shows what its children counted, those that are gone included."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import psutil
from prometheus_client import parser
from tierwise_fixtures.loopback import free_port
from tierwise_fixtures.waiting import wait_until

from tierwise import wiring
from tierwise.tasks import configure, work


def _decided(port: int) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0.0
    families = parser.text_string_to_metric_families(text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "tierwise_leads_decided_total"
    )


def test_counters_of_children_are_shown_and_outlive_them(
    installation: Callable[..., wiring.Wiring], worker: Callable[..., Any]
) -> None:
    port = free_port()
    parts = installation(leads=30, env={"TIERWISE_METRICS__PORT": str(port)})
    assert parts.broker_url is not None
    configure(parts.settings, broker_url=parts.broker_url)
    leads = parts.store.works.counts()["ready"]
    with worker("--pool=prefork", "--concurrency=2") as process:
        work.qualify.apply_async(queue="score")
        wait_until(lambda: _decided(port) == leads, within=60, what="all decisions to be counted")
        children = psutil.Process(process.pid).children()
        for child in children:
            child.kill()
        psutil.wait_procs(children, timeout=10)
        assert _decided(port) == leads
