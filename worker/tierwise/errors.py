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

The message is for a person: what, where, and what to do. It never holds a secret or personal data. `fault` is the
same in one word, for metrics and for whoever looks at an account.
"""

from __future__ import annotations

FAULTS = (
    "rate_limited",  # too many calls a moment: theirs to say or our own budget
    "quota",  # the day's calls are used up, or what is left is kept for people
    "unauthorised",  # token, login or rights
    "refused",  # understood, and not done
    "timeout",
    "unreachable",
    "unavailable",  # answers that it cannot
    "bad_answer",  # cut off, not JSON, not what was asked for
    "partial",  # rows of a batch were left undone
    "resting",  # not called: it failed too often
    "misconfigured",
    "broken",  # a connector's own fault
    "context_overflow",  # of a model: the prompt is too long for it
    "unknown_model",
    "refusal",  # the model would not answer
    "empty",
    "truncated",
    "malformed",  # no JSON object
    "wrong_schema",
    "budget",  # not called: no money left
    "unpriced",  # not called: a budget is set, and nobody knows what it costs
)
"""How a call may end badly. A new one is for metrics: nothing branches on it."""


class TierwiseError(Exception):
    """Something went wrong in Tierwise."""

    exit_code = 1
    fault: str = "broken"
    """One of FAULTS. The family's own; whoever raises it may know better and set it."""

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

    fault = "unavailable"
    exit_code = 3
    sent = False
    """The call went out and no answer came back: who is paid by the call may bill it."""

    def __init__(self, message: str = "", *, after: float | None = None, place: str = "", remedy: str = "") -> None:
        """`after` is the other side's own wish in seconds (Retry-After), None where it said nothing."""
        super().__init__(message, place=place, remedy=remedy)
        self.after = after


class Unreachable(RetryLater):
    """Nothing answered at the address."""

    fault = "unreachable"


class Held(RetryLater):
    """A budget is spent. No try was made and none is counted; `after` says when to look again."""

    fault = "budget"


class RejectRecord(TierwiseError):
    """This one record cannot be handled; the others go on."""

    fault = "refused"


class PauseConnection(TierwiseError):
    """The account refuses us (token, scope, missing field): no call helps until a person acts."""

    fault = "refused"
    exit_code = 3


class Misconfigured(TierwiseError):
    """A setting, file or argument is wrong."""

    fault = "misconfigured"
    exit_code = 2


class Refused(TierwiseError):
    """This person may not do this, or not yet; that it was tried is recorded."""


class LeaseLost(TierwiseError):
    """The lease on this work went to somebody else; the result is dropped."""
