"""One row a process, the youngest first."""

from __future__ import annotations

from typing import Any


def test_the_latest_beat_of_each_process(desk: Any) -> None:
    beats = desk.store.heartbeats
    beats.beat("worker", "a", info={"build": "1"}, now=desk.now)
    beats.beat("beat", "a", info={}, now=desk.wait(1))
    beats.beat("worker", "a", info={"build": "2"}, now=desk.wait(1))
    assert [(beat.role, beat.instance, beat.info) for beat in beats.latest()] == [
        ("worker", "a", {"build": "2"}),
        ("beat", "a", {}),
    ]
    assert beats.latest()[0].at == desk.now


def test_processes_long_gone_are_forgotten(desk: Any) -> None:
    desk.store.heartbeats.beat("worker", "old", info={}, now=desk.now)
    desk.store.heartbeats.beat("worker", "new", info={}, now=desk.wait(8 * 86_400))
    assert [beat.instance for beat in desk.store.heartbeats.latest()] == ["new"]
