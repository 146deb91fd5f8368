"""What an HTTP status means for us, and the words in which a session and its connector speak of a request.

Pure: no request is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tierwise import errors


class HttpRefused(errors.PauseConnection):
    """The request was understood and refused. The caller decides; uncaught, the connection pauses."""

    def __init__(
        self, status: int, category: str, *, message: str = "", document: Any = None, place: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.status = status
        self.category = category
        """The other side's own word for it, "" where it gave none."""
        self.document = document
        """The answer's JSON, not scrubbed: to be read by a connector, never to be shown."""


class Verdict(NamedTuple):
    """What a status means for us."""

    family: type[errors.TierwiseError]
    sentence: str
    remedy: str = ""
    after: float | None = None
    """Seconds to wait, where the connector knows better than a missing Retry-After."""
    fault: str = ""
    """One of `errors.FAULTS`; "" follows from status and family."""

    def named(self, status: int) -> Verdict:
        """The same, with its fault."""
        return self if self.fault else self._replace(fault=_fault(self.family, status))


class Route(NamedTuple):
    """What one request is: its name in traces, the bucket it draws on, and whether it may be sent twice."""

    operation: str
    bucket: str
    rate: float
    burst: float
    idempotent: bool = True
    """Sending it again has the same effect: a read, or a write of absolute values. Whatever the method."""


class Refusal(NamedTuple):
    """An answer that is an error, for a connector to judge."""

    status: int
    category: str
    message: str
    """Not scrubbed."""
    document: Any
    headers: Mapping[str, str]


_OVERLOADED = Verdict(errors.RetryLater, "is overloaded or down")
STATUSES: Mapping[int, Verdict] = MappingProxyType(
    {
        401: Verdict(errors.PauseConnection, "does not accept the token", "put a valid token into the settings"),
        403: Verdict(errors.PauseConnection, "denies access", "grant the app what it needs and renew the token"),
        404: Verdict(HttpRefused, "does not have this"),
        407: Verdict(errors.PauseConnection, "is behind a proxy that wants a login", "set HTTPS_PROXY with its login"),
        408: Verdict(errors.RetryLater, "gave up waiting for the request"),
        409: Verdict(HttpRefused, "has a conflict with this"),
        423: Verdict(errors.RetryLater, "has this locked"),
        425: Verdict(errors.RetryLater, "is not ready for this yet"),
        429: Verdict(errors.RetryLater, "wants fewer calls"),
        477: Verdict(errors.RetryLater, "is moving the account to another data centre"),
    }
)


def verdict(status: int) -> Verdict:
    """The family for a status of 300 and above: from the table, else by its hundreds."""
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return _OVERLOADED
    if status >= 400:
        return Verdict(HttpRefused, "refuses this")
    return Verdict(errors.Misconfigured, "answers with a redirect", "check the address in the connection's settings")


def no_opinion(_refusal: Refusal) -> Verdict | None:
    """The table's word stands."""
    return None


def _fault(family: type[errors.TierwiseError], status: int) -> str:
    if issubclass(family, errors.RetryLater):
        return {408: "timeout", 429: "rate_limited", 504: "timeout"}.get(status, family.fault)
    login = issubclass(family, errors.PauseConnection) and not issubclass(family, HttpRefused)
    return "unauthorised" if login or status == 401 else family.fault
