"""Which models wait, and what is done where none is to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures.batches import PRIMARY, SECONDARY

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup


@pytest.fixture
def make(home: Path) -> Iterator[Callable[..., wiring.Wiring]]:
    opened: list[wiring.Wiring] = []

    def made(**given: Any) -> wiring.Wiring:
        folder = str(home / "drop")
        settings = configuration.Settings(
            home=home, connections={"drop": {"type": "files", "options": {"folder": folder}}}, **given
        )
        setup.prepare(settings)
        opened.append(wiring.Wiring(settings))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


def test_models_whose_provider_takes_batches_wait(make: Callable[..., wiring.Wiring]) -> None:
    parts = make(model={"primary": PRIMARY, "secondary": "anthropic/claude-haiku-5-5"})
    policy = parts.runnable().policy
    assert parts.batched(policy) == (PRIMARY,)
    assert parts.batchable(SECONDARY)
    assert make(batch={"mode": "never"}, model={"primary": PRIMARY}).batched(policy) == ()


def test_where_batches_are_off_whoever_waits_is_let_go(make: Callable[..., wiring.Wiring]) -> None:
    parts = make(batch={"mode": "never"})
    now = wiring.clock()
    folder = parts.settings.home / "drop"
    folder.mkdir()
    (folder / "a.csv").write_text("id,email,message\n1,a@b.example,We need it\n")
    parts.store.connections.ensure("drop", "files", now=now)
    parts.store.connections.enable("drop", watermark=now - timedelta(days=9), now=now)
    polled = parts.poll("drop")
    assert polled is not None
    parts.pump()
    again = {"since": now - timedelta(days=1), "now": wiring.clock(), "open_only": False}
    assert parts.store.works.requeue("p" * 64, batch=True, **again) == polled.new
    assert parts.store.batches.waiting() == {"drop": polled.new}
    assert parts.gather().released == polled.new
    assert parts.store.batches.waiting() == {}


def test_a_batch_that_is_not_there_is_nobodys(make: Callable[..., wiring.Wiring]) -> None:
    assert make().advance(99) is None
