"""What reads a CRM knows when there is nothing to read."""

from __future__ import annotations

import types
from datetime import timedelta
from pathlib import Path
from typing import cast

from tierwise import ports, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.pipeline import turns


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


class _Works:
    def neglected(self, **_: object) -> bool:
        return True


def test_a_pass_far_behind_makes_room_for_leads_that_nobody_decides(home: Path) -> None:
    options = {"folder": str(home / "drop")}
    settings = configuration.Settings(home=home, connections={"drop": {"type": "files", "options": options}})
    setup.prepare(settings)
    (home / "drop").mkdir()
    made = wiring.Wiring(settings)
    made.ensure_policy()
    now = wiring.clock()
    made.store.connections.ensure("drop", "files", now=now)
    made.store.connections.enable("drop", watermark=now - timedelta(days=30), now=now)
    # Each look at the clock is ten seconds later.
    seconds = iter(range(0, 1000, 10))
    store = cast(
        ports.Store,
        types.SimpleNamespace(works=_Works(), slots=made.store.slots, decisions=made.store.decisions),
    )
    turn = turns.Turn(
        store, "reconcile", "drop", owner=made.owner, clock=wiring.clock, monotonic=lambda: next(seconds),
        wake=lambda: None,
    )  # fmt: skip
    report = made.reconcile("drop", turn=turn)
    assert report is not None
    assert (report.pages, turn.gave_way) == (3, True), "one in any case, one to call somebody, one to wait for him"
    report = made.reconcile("drop", turn=made.turn("reconcile", "drop", wake=lambda: None))
    assert report is not None
    assert report.pages > 10
    made.close()


def test_another_process_knows_how_often_a_pass_made_room_in_vain(home: Path) -> None:
    settings = configuration.Settings(home=home)
    setup.prepare(settings)
    first, second = wiring.Wiring(settings), wiring.Wiring(settings)
    for kind in ("reconcile", "reconcile", "poll"):
        first.turn(kind, "drop", wake=lambda: None)._give_way()
    for kind, name, expected in (("reconcile", "drop", 2), ("poll", "drop", 1), ("poll", "other", 0)):
        assert second.turn(kind, name, wake=lambda: None)._in_vain() == expected
    first.close()
    second.close()
