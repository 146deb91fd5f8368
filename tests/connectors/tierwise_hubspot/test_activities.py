from __future__ import annotations

from typing import Any

import pytest

from tierwise_hubspot import activities, values

AT, CREATED = "2026-11-20T10:00:00.000Z", "2026-11-18T09:00:00.000Z"
TIMES = {"hs_timestamp": AT, "hs_createdate": CREATED}


@pytest.mark.parametrize(
    ("kind", "held", "at"),
    [
        ("calls", {"hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED"}, AT),
        ("calls", {"hs_call_direction": "OUTBOUND", "hs_call_status": "NO_ANSWER"}, AT),  # sales tried
        ("calls", {}, AT),  # logged by hand
        ("calls", {"hs_call_direction": "INBOUND", "hs_call_status": "COMPLETED"}, AT),
        ("calls", {"hs_call_direction": "INBOUND", "hs_call_status": "MISSED"}, None),
        ("calls", {"hs_call_direction": "OUTBOUND", "hs_call_status": "FAILED"}, None),
        ("emails", {"hs_email_direction": "EMAIL", "hs_email_status": "SENT"}, AT),
        ("emails", {"hs_email_direction": "EMAIL"}, AT),
        ("emails", {"hs_email_direction": "EMAIL", "hs_email_status": "BOUNCED"}, None),
        ("emails", {"hs_email_direction": "INCOMING_EMAIL", "hs_email_status": "SENT"}, None),
        ("emails", {}, None),
        ("meetings", {"hs_meeting_outcome": "SCHEDULED"}, CREATED),  # agreed on before it takes place
        ("meetings", {}, CREATED),
        ("meetings", {"hs_meeting_outcome": "CANCELED"}, None),
        ("tasks", {"hs_task_status": "NOT_STARTED"}, None),
        ("tasks", {"hs_task_status": "COMPLETED"}, AT),
        ("tasks", {"hs_task_status": "COMPLETED", "hs_task_completion_date": CREATED}, CREATED),
    ],
)
def test_what_is_a_touch_by_sales(kind: str, held: dict[str, Any], at: str | None) -> None:
    found = activities.touched(kind, {**TIMES, **held})
    assert found == (None if at is None else values.moment(values.milliseconds(at)))


@pytest.mark.parametrize("kind", activities.KINDS)
def test_without_a_time_it_is_none(kind: str) -> None:
    held = {"hs_email_direction": "EMAIL", "hs_task_status": "COMPLETED", "hs_timestamp": "soon"}
    assert activities.touched(kind, held) is None
