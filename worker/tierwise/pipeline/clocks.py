"""How far a CRM's clock is from ours: what bears its stamps is compared with its time, never with ours.

A CRM tells its time in whole seconds and the answer takes a while, so all that is known are bounds. Nothing here may
be later than the truth: taking a fresh reading for a stale one would hide what a person did.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from tierwise import ports

_WHOLE = timedelta(seconds=1)
_SAME = timedelta()


class Told(NamedTuple):
    """What one answer of a CRM tells of its clock."""

    now: datetime
    least: timedelta
    """How far it is ahead of ours, at least; negative where it is behind."""
    most: timedelta

    def ahead(self, stepped: timedelta = _SAME) -> timedelta:
        """How far, zero where the two may well agree, else at least; `stepped`: how far ours was set forward since."""
        least, most = self.least - stepped, self.most - stepped
        return _SAME if least <= _SAME <= most else least


class _Tells(Protocol):
    def now(self) -> datetime: ...


def ask(connector: _Tells, clock: ports.Clock) -> Told:
    """One call, where the connector needs one for it."""
    before = clock()
    now = connector.now()
    return Told(now, now - clock(), now + _WHOLE - before)


class Clocks:
    """The clocks of a process's connections, each asked anew when it is read, or after a few minutes."""

    def __init__(self, *, monotonic: Callable[[], float], every: float = 600.0) -> None:
        self._monotonic = monotonic
        self._every = every
        self._told: dict[str, tuple[Told, float, datetime]] = {}

    def now(self, connector: _Tells, connection: str, *, clock: ports.Clock) -> datetime:
        """Ask that connection's CRM now, and remember what it says. Raises what its connector raises."""
        return self._ask(connector, connection, clock)[0].now

    def ahead(self, connector: _Tells, connection: str, *, clock: ports.Clock) -> timedelta:
        """How far the clock of that connection's CRM is ahead of ours, as `Told.ahead`; asks where it must."""
        known = self._told.get(connection)
        if known is None or self._monotonic() - known[1] >= self._every:
            known = self._ask(connector, connection, clock)
        told, at, ours = known
        # Ours may have been set since; the monotonic one cannot be.
        return told.ahead(clock() - ours - timedelta(seconds=self._monotonic() - at))

    def _ask(self, connector: _Tells, connection: str, clock: ports.Clock) -> tuple[Told, float, datetime]:
        found = self._told[connection] = (ask(connector, clock), self._monotonic(), clock())
        return found
