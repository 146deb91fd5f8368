"""What one task sees of one account: every call of its connector, how it ended, and with what the last one failed.

The guard tells it; whoever opened the connector asks it afterwards. It knows faults by their word only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tierwise import errors, telemetry
from tierwise.sdk import Written, calls

PREFIX = "connections."
_BESIDE = frozenset({"quota", "close"})
"""Calls that are no work: how they end says nothing about the account. That it could be opened says little, too."""


class Trouble(NamedTuple):
    """Why an account is not doing well."""

    fault: str
    error: str
    """Scrubbed, as every error of ours."""
    remedy: str


class Contact:
    """One opening of one connector."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._failed: Trouble | None = None
        self._undone: Trouble | None = None
        self.worked = False
        """Whether there was any call that is work."""

    @property
    def trouble(self) -> Trouble | None:
        """Of the last call that was work; of a record that was left undone, where that was answered."""
        return self._failed or self._undone

    def ended(self, operation: str, seconds: float, error: errors.TierwiseError | None) -> None:
        """One call came back."""
        fault = error.fault if error is not None else calls.OK
        self._count(operation, fault, seconds)
        if operation not in _BESIDE and not (operation == "open" and error is None):
            self.worked = True
            self._failed = Trouble(fault, _sentence(error), error.remedy) if error is not None else None

    def wrote(self, answers: Sequence[Written]) -> None:
        """What became of a batch: rows that are to be tried again are trouble although the call was answered."""
        undone = [one for one in answers if one.outcome == "retry"]
        if undone:
            self._count("write", "partial", None)
            why = next((one.error for one in undone if one.error), "no reason was given")
            self._undone = Trouble("partial", f"{len(undone)} of {len(answers)} records were left undone: {why}", "")

    def _count(self, operation: str, result: str, seconds: float | None) -> None:
        telemetry.count("tierwise_crm_calls_total", connection=self._connection, operation=operation, result=result)
        if seconds is not None:
            telemetry.observe("tierwise_crm_seconds", seconds, connection=self._connection, operation=operation)


Ended = Callable[[str, float, errors.TierwiseError | None], None]


def request_ended(call: calls.Call) -> None:
    """A listener of `sdk.calls`: every HTTP request of connectors, enrichers and notifiers."""
    name = call.account.removeprefix(PREFIX)
    telemetry.count("tierwise_crm_requests_total", connection=name, result=call.outcome)
    telemetry.observe("tierwise_crm_request_seconds", call.seconds, connection=name)


def _sentence(error: errors.TierwiseError) -> str:
    return f"{error.place}: {error.message}" if error.place else error.message
