"""Every error of Tierwise, by what happens next.

    TierwiseError
    ├── RetryLater          the same call may succeed: tried again with backoff     exit 3
    │   ├── Unreachable     nothing answered at all                                 exit 3
    │   └── Held            nothing failed: a budget is spent, work waits for it    exit 3
    ├── RejectRecord        this record (or row) cannot be handled: review item     exit 1
    ├── PauseConnection     every call would fail the same way: a person must act   exit 3
    ├── Misconfigured       a file or setting is wrong: names the place and remedy  exit 2
    ├── Refused             this person may not do this, or not yet: nothing changed exit 1
    └── LeaseLost           somebody else owns this work now: drop the result       exit 1

The message is for a person: what, where, and what to do. It never holds a secret or personal data.
"""

from __future__ import annotations


class TierwiseError(Exception):
    """Something went wrong in Tierwise."""

    exit_code = 1
    kind = ""
    """What failed, in a word that is counted; "" where nobody counts it."""

    def __init__(self, message: str = "", *, place: str = "", remedy: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        self.place = place
        self.remedy = remedy
        super().__init__(self.message)

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} ({self.remedy})" if self.remedy else text


class RetryLater(TierwiseError):
    """The other side cannot answer now; the same call may succeed later."""

    exit_code = 3

    def __init__(self, message: str = "", *, after: float | None = None, place: str = "", remedy: str = "") -> None:
        """`after` is the other side's own wish in seconds (Retry-After), None where it said nothing."""
        super().__init__(message, place=place, remedy=remedy)
        self.after = after


class Unreachable(RetryLater):
    """Nothing answered at the address."""


class Held(RetryLater):
    """A budget is spent. No try was made and none is counted; `after` says when to look again."""

    kind = "budget"


class RejectRecord(TierwiseError):
    """This one record cannot be handled; the others go on."""


class PauseConnection(TierwiseError):
    """The account refuses us (token, scope, missing field): no call helps until a person acts."""

    exit_code = 3


class Misconfigured(TierwiseError):
    """A setting, file or argument is wrong."""

    exit_code = 2


class Refused(TierwiseError):
    """This person may not do this, or not yet; that it was tried is recorded."""


class LeaseLost(TierwiseError):
    """The lease on this work went to somebody else; the result is dropped."""
