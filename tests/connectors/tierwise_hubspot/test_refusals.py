from __future__ import annotations

from typing import Any

import pytest

from tierwise_hubspot import refusals
from tierwise_hubspot.refusals import Problem

# As the real API answers: the details are JSON inside the message, once more as a list in newer versions.
MESSAGE = (
    'Property values were not valid: [{"isValid":false,"message":"Jane was not one of the allowed options: [A, B]",'
    '"error":"INVALID_OPTION","name":"tierwise_tier","portalId":1},{"isValid":false,"message":"x","error":'
    '"PROPERTY_DOESNT_EXIST","name":"tierwise_fit"}]'
)
STRUCTURED = {
    "message": "Property values were not valid",
    "category": "VALIDATION_ERROR",
    "errors": [
        {"message": "Jane was not one of", "code": "INVALID_OPTION", "context": {"propertyName": ["tierwise_tier"]}}
    ],
}


OPTION = Problem("INVALID_OPTION", "tierwise_tier")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"message": MESSAGE}, [OPTION, Problem("PROPERTY_DOESNT_EXIST", "tierwise_fit")]),
        (STRUCTURED, [OPTION]),
        # Both at once: each problem counts once.
        ({**STRUCTURED, "message": MESSAGE}, [OPTION, Problem("PROPERTY_DOESNT_EXIST", "tierwise_fit")]),
        ({"errors": [{"code": "INVALID", "in": "properties.email"}]}, [Problem("INVALID", "properties.email")]),
        # Every part may be missing or of another type.
        ({}, []),
        ({"errors": [None, "x", {"context": 5}, {"code": None}]}, []),
        ({"errors": {"a": 1}}, []),
        ({"message": "was not one of the allowed options: [A, B]"}, []),
        ({"message": "broken ["}, []),
        ({"message": "[1, 2]"}, []),
        (None, []),
        ("text", []),
    ],
)  # fmt: skip
def test_problems_are_found_wherever_hubspot_puts_them(body: Any, found: list[Problem]) -> None:
    assert refusals.problems(body) == found


def test_a_sentence_names_codes_and_properties_and_never_values() -> None:
    for body in ({"message": MESSAGE, "category": "VALIDATION_ERROR"}, STRUCTURED):
        told = refusals.sentence_of(body)
        assert "INVALID_OPTION on tierwise_tier" in told
        assert "provision" in told
        assert "Jane" not in told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"category": "OBJECT_NOT_FOUND", "message": "x"}, "OBJECT_NOT_FOUND: the record is not there any more"),
        ({"category": "OTHER", "message": "for jane@acme.com"}, "OTHER: for [e-mail]"),
        ({}, "refused without a reason"),
        (None, "refused without a reason"),
    ],
)
def test_without_details_the_category_has_to_do(body: Any, told: str) -> None:
    assert refusals.sentence_of(body) == told


@pytest.mark.parametrize(
    ("category", "passing"),
    [("RATE_LIMITS", True), ("INTERNAL_ERROR", True), ("VALIDATION_ERROR", False), ("CONFLICT", False), ("", False)],
)
def test_what_passes_by_itself(category: str, passing: bool) -> None:
    assert refusals.passing({"category": category}) is passing


@pytest.mark.parametrize(
    ("context", "found"),
    [
        ({"objectWriteTraceId": ["t2"]}, ["t2"]),
        ({"objectWriteTraceId": "t1"}, ["t1"]),
        ({"ids": ["10", "20"]}, ["t1", "t2"]),
        ({"id": 20}, ["t2"]),
        # The trace id is exact; ids may be those of the records in the way.
        ({"objectWriteTraceId": ["t1"], "ids": ["20"]}, ["t1"]),
        ({"ids": ["99"]}, []),
        ({}, []),
        (None, []),
    ],
)
def test_an_error_is_matched_to_its_updates(context: Any, found: list[str]) -> None:
    assert refusals.traces({"context": context}, [("t1", "10"), ("t2", "20")]) == found
