"""What each family of errors means for a task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tierwise import errors, wiring
from tierwise.tasks import running


def _enable(parts: wiring.Wiring, *, days: int = 0) -> None:
    now = wiring.clock()
    parts.store.connections.ensure("emea", "hubspot", now=now)
    parts.store.connections.enable("emea", watermark=now - timedelta(days=days), now=now)


@pytest.mark.parametrize(
    ("error", "paused"),
    [
        (errors.RetryLater("busy"), False),
        (errors.Unreachable("gone"), False),
        (errors.LeaseLost(), False),
        (errors.RejectRecord("one record"), False),
        (errors.PauseConnection("the token is refused"), True),
        (errors.Misconfigured("no map"), False),
        (ZeroDivisionError("a bug"), False),
    ],
)
def test_what_an_error_does_next(error: Exception, paused: bool, parts: wiring.Wiring) -> None:
    _enable(parts)

    def fail(_: wiring.Wiring) -> None:
        raise error

    assert running.run("poll", "emea", fail) is None
    (state,) = parts.store.connections.list()
    assert (state.paused is not None) == paused
