"""Points in time as HubSpot spells them: ISO 8601 with milliseconds and Z going out, that or epoch ms coming in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_DIGITS = re.compile(r"-?\d{1,16}")


def iso(milliseconds: int) -> str:
    """Epoch milliseconds -> `2026-11-21T08:15:30.120Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


@lru_cache(maxsize=65_536)
def parse(text: str) -> int | None:
    """Epoch milliseconds of a number of milliseconds or an ISO 8601 text (no zone means UTC), else None."""
    text = text.strip()
    if _DIGITS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def spoken(milliseconds: int) -> str:
    """Epoch milliseconds -> `21 Nov 2026, 08:15 UTC`."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%-d %b %Y, %H:%M} UTC"
