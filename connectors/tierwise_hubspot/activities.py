"""Which sales activities are a touch by sales, and when it was. Pure.

What the lead did, what only stands in a calendar of to-dos, and what never went out is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tierwise_hubspot import values

CREATED, AT = "hs_createdate", "hs_timestamp"


class Kind(NamedTuple):
    """One object type of activities."""

    word: str
    properties: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "calls": Kind("call", (AT, CREATED, "hs_call_direction", "hs_call_status")),
    "emails": Kind("email", (AT, CREATED, "hs_email_direction", "hs_email_status")),
    "meetings": Kind("meeting", (AT, CREATED, "hs_meeting_outcome")),
    "tasks": Kind("task", (AT, CREATED, "hs_task_status", "hs_task_completion_date")),
}
_NEVER_MADE = frozenset({"FAILED", "CANCELED", "QUEUED", "CONNECTING"})
_NEVER_SENT = frozenset({"FAILED", "BOUNCED", "SCHEDULED", "SENDING"})


def touched(kind: str, held: Mapping[str, Any]) -> datetime | None:
    """When it happened; None where it is no touch by sales."""
    if not _by_sales(kind, held):
        return None
    at, created = values.read_moment(held.get(AT)), values.read_moment(held.get(CREATED))
    if kind == "meetings":  # to agree on a date is the touch, and comes before the date
        return min((moment for moment in (at, created) if moment is not None), default=None)
    if kind == "tasks":
        return values.read_moment(held.get("hs_task_completion_date")) or at
    return at or created


def _by_sales(kind: str, held: Mapping[str, Any]) -> bool:
    match kind:
        case "calls":
            # Who is called by a lead has spoken with it; a missed call is the lead's doing alone.
            status, inbound = held.get("hs_call_status"), held.get("hs_call_direction") == "INBOUND"
            return status == "COMPLETED" if inbound else status not in _NEVER_MADE
        case "emails":
            return held.get("hs_email_direction") == "EMAIL" and held.get("hs_email_status") not in _NEVER_SENT
        case "meetings":
            return held.get("hs_meeting_outcome") != "CANCELED"
    return held.get("hs_task_status") == "COMPLETED"
