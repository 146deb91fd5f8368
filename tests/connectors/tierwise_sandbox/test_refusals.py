from __future__ import annotations

import json

from tierwise_sandbox import refusals


def test_invalid_values_are_told_twice_as_hubspot_does() -> None:
    refusal = refusals.invalid_values([("size", "INVALID_OPTION", 'x was not "one"')], portal_id=7)
    body = refusal.body()
    details = json.loads(body["message"].removeprefix("Property values were not valid: "))
    assert details == [
        {
            "isValid": False,
            "message": 'x was not "one"',
            "error": "INVALID_OPTION",
            "name": "size",
            "localizedErrorMessage": 'x was not "one"',
            "portalId": 7,
        }
    ]
    assert body["errors"][0]["context"] == {"propertyName": ["size"]}
    assert (refusal.status, body["category"]) == (400, "VALIDATION_ERROR")


def test_an_entry_of_a_batch_carries_its_trace_id() -> None:
    refusal = refusals.not_found("1")
    assert refusal.entry("t1")["context"] == {"id": ["1"], "objectWriteTraceId": ["t1"]}
    assert "objectWriteTraceId" not in refusal.entry(None)["context"]


def test_rate_limits_name_their_policy() -> None:
    body = refusals.rate_limited("SECONDLY", group="g").body()
    assert body["message"] == "You have reached your secondly limit."
    assert (body["category"], body["errorType"], body["policyName"]) == ("RATE_LIMITS", "RATE_LIMIT", "SECONDLY")
