"""The day's calls of a portal, and the part of them that is left to people and other apps.

HubSpot tells them with answers to GET only; in between we count our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise import sdk

_LIMIT, _LEFT = "X-HubSpot-RateLimit-Daily", "X-HubSpot-RateLimit-Daily-Remaining"


class Daily:
    """What is known of the day's calls by one connection while it is open."""

    def __init__(self, *, reserve_percent: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._percent = reserve_percent
        self._now = now
        self.known: sdk.Quota | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Note what an answer tells, if it does; count the call where it does not."""
        limit, left = (re.fullmatch(r"\d{1,12}", headers.get(name, "").strip()) for name in (_LIMIT, _LEFT))
        if limit and left:
            resets_at = self.known.resets_at if self.known is not None else None
            self._note(int(limit[0]), int(left[0]), resets_at)
        elif self.known is not None:
            self.known = self.known._replace(left=max(0, self.known.left - 1))

    def learn(self, usage: Mapping[str, Any]) -> None:
        """Note an entry of the account's usage: usageLimit, currentUsage, resetsAt."""
        limit, used = int(usage.get("usageLimit") or 0), int(usage.get("currentUsage") or 0)
        if limit:
            self._note(limit, max(0, limit - used), _moment(usage.get("resetsAt")))

    def spent(self) -> bool:
        """Whether only the reserve is left."""
        return self.known is not None and self.known.left <= self.known.reserve

    def wait(self) -> float:
        """Seconds until the day's calls are counted anew; until midnight (UTC) where HubSpot does not tell."""
        now = self._now()
        end = self.known.resets_at if self.known is not None else None
        if end is None or end <= now:
            end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (end - now).total_seconds()

    def _note(self, limit: int, left: int, resets_at: datetime | None) -> None:
        self.known = sdk.Quota(limit, left, limit * self._percent // 100, resets_at, self._now())


def entry(answer: Any) -> Mapping[str, Any] | None:
    """The entry of the usage endpoint's answer that names a limit."""
    found = answer.get("results") if isinstance(answer, dict) else None
    entries = found if isinstance(found, list) else [answer]
    return next((one for one in entries if isinstance(one, dict) and one.get("usageLimit")), None)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
