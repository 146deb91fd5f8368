"""Salesforce's errors for rows and requests: whether another try helps, and what to tell. Pure.

Messages are scrubbed: Salesforce quotes values, and they may be a person's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tierwise.sdk.scrub import scrub

DELETED = "ENTITY_IS_DELETED"
UNTOUCHED = "UNPROCESSED"
"""Ours, for a row that a bulk job did not come to."""
NO_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})
_PASSING = frozenset(
    {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "REQUEST_LIMIT_EXCEEDED",
     "UNKNOWN_EXCEPTION", "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_SESSION_ID",
     UNTOUCHED}
)  # fmt: skip
# A customer's trigger broke, and often because of a lock, which it does not say but in its text.
_WRAPPING = frozenset({"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "APEX_ERROR", "CANNOT_EXECUTE_FLOW_TRIGGER"})
_LOCKED = ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
_PLAIN = {
    DELETED: "the record was deleted",
    "INVALID_CROSS_REFERENCE_KEY": "the record is not there any more, or hidden from the user",
    "CANNOT_UPDATE_CONVERTED_LEAD": "the lead was converted and is read-only now",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the user may not change this record",
}


class Problem(NamedTuple):
    """One thing that is wrong with one row, or with a request."""

    code: str
    message: str
    """Not scrubbed."""
    fields: tuple[str, ...] = ()

    @property
    def passing(self) -> bool:
        """The same write may succeed later."""
        wrapped = self.code in _WRAPPING and any(word in self.message for word in _LOCKED)
        return wrapped or self.code in _PASSING


def problems(errors: Any) -> list[Problem]:
    """Of a row's `errors` (statusCode) or a refused request's body (errorCode)."""
    return list(_problems(errors))


def _problems(errors: Any) -> Iterator[Problem]:
    for entry in errors if isinstance(errors, list) else [errors]:
        if isinstance(entry, Mapping):
            code = str(entry.get("statusCode") or entry.get("errorCode") or "")
            names = entry.get("fields")
            fields = tuple(str(name) for name in names) if isinstance(names, list) else ()
            yield Problem(code, str(entry.get("message") or ""), fields)


def passing(found: list[Problem]) -> bool:
    """Whether nothing but passing problems stands in the way."""
    return bool(found) and all(problem.passing for problem in found)


def sentence(found: list[Problem]) -> str:
    """What is wrong, in one scrubbed line."""
    return "; ".join(_one(problem) for problem in found[:5]) or "refused without a reason"


def _one(problem: Problem) -> str:
    on = f" on {', '.join(problem.fields)}" if problem.fields else ""
    message = _PLAIN.get(problem.code) or problem.message or "refused without a reason"
    return scrub(f"{problem.code}{on}: {message}" if problem.code else message)
