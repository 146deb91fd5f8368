"""What has no default cannot be forgotten, and an activation of an older caller still reads."""

from __future__ import annotations

from datetime import UTC, datetime

from tierwise import ports


def test_an_activation_is_one_of_production_unless_it_says_otherwise() -> None:
    made = ports.Activation(1, "d", "1", "ann", "", datetime(2026, 11, 2, tzinfo=UTC))
    assert (made.kind, made.change) == ("activate", "first")
