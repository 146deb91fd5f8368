from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tierwise import wiring
from tierwise.cli import moments
from tierwise.errors import Misconfigured


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert moments.parse(text, place="--since") == moment


def test_so_many_days_back() -> None:
    assert abs(moments.parse("3d", place="--since") - (wiring.clock() - timedelta(days=3))) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["yesterday", "", "2999-01-01", "99999999d", "9" * 20 + "d", "9999999d"])
def test_no_moment(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        moments.parse(text, place="--since")
    assert caught.value.place == "--since"
