"""Moments as people write them on the command line: a day, a time, or so many days back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tierwise import wiring
from tierwise.errors import Misconfigured


def parse(text: str, *, place: str) -> datetime:
    """2026-01-31, 2026-01-31T08:00Z or 30d; UTC where no zone is told. Misconfigured for all else."""
    if text.endswith("d") and text[:-1].isdigit():
        try:
            return wiring.clock() - timedelta(days=int(text[:-1]))
        except (OverflowError, ValueError) as error:
            raise Misconfigured(f"'{text[:40]}' is before all dates", place=place, remedy="30d") from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"'{text}' is no date", place=place, remedy="2026-01-31 or 30d") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > wiring.clock():
        raise Misconfigured(f"'{text}' has not come yet", place=place, remedy="a moment in the past")
    return moment
