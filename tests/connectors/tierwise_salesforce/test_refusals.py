"""Which errors pass by themselves, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise_salesforce import refusals

LOCK = "UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record"


@pytest.mark.parametrize(
    ("errors", "passing"),
    [
        ([{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "x"}], True),
        ([{"statusCode": "SERVER_UNAVAILABLE", "message": "x"}], True),
        ([{"errorCode": "QUERY_TIMEOUT", "message": "x"}], True),
        ([{"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": f"LeadTrigger: {LOCK}"}], True),
        ([{"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": "LeadTrigger: null pointer"}], False),
        ([{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": LOCK}], False),
        ([{"statusCode": "UNABLE_TO_LOCK_ROW"}, {"statusCode": "STRING_TOO_LONG"}], False),
        ([{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}], False),
        ([], False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_only_locks_and_passing_errors_are_tried_again(errors: Any, passing: bool) -> None:
    assert refusals.passing(refusals.problems(errors)) is passing


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([{"statusCode": "STRING_TOO_LONG", "message": "too large", "fields": ["A__c", "B__c"]}],
         "STRING_TOO_LONG on A__c, B__c: too large"),
        ([{"statusCode": "CANNOT_UPDATE_CONVERTED_LEAD", "message": "cannot reference converted lead"}],
         "CANNOT_UPDATE_CONVERTED_LEAD: the lead was converted and is read-only now"),
        ([{"message": "odd"}], "odd"),
        ([{"statusCode": "X"}], "X: refused without a reason"),
        ([], "refused without a reason"),
    ],
)  # fmt: skip
def test_one_line_is_told(errors: Any, told: str) -> None:
    assert refusals.sentence(refusals.problems(errors)) == told


def test_values_of_people_are_not_told() -> None:
    message = "invalid email address: jane.doe@example.org, +49 30 1234567"
    told = refusals.sentence(refusals.problems([{"statusCode": "INVALID_EMAIL_ADDRESS", "message": message}]))
    assert "jane" not in told
    assert "1234567" not in told
