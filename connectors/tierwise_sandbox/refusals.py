"""Refusals in the shape that HubSpot gives them: one exception, one body.

Clients are tested against these bodies, so each text here was seen in a real answer or says that it was not.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any


class Refusal(Exception):
    """A request that is answered with an error status. `body()` is what goes over the wire."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        category: str = "VALIDATION_ERROR",
        sub_category: str | None = None,
        context: Mapping[str, Sequence[str]] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.sub_category = sub_category
        self.context = dict(context or {})
        self.errors = list(errors)
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        """The JSON body of the whole answer, with a fresh correlation id."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        if self.sub_category:
            body["subCategory"] = self.sub_category
        if self.context:
            body["context"] = self.context
        if self.errors:
            body["errors"] = self.errors
        body.update(self.extra)
        return body

    def entry(self, trace_id: str | None) -> dict[str, Any]:
        """One element of `errors` in an answer that reports part of a batch as failed."""
        context = dict(self.context)
        if trace_id is not None:
            context["objectWriteTraceId"] = [trace_id]
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": self.errors,
            "links": {},
        }


def invalid_values(problems: Sequence[tuple[str, str, str]], *, portal_id: int) -> Refusal:
    """`problems` are (property name, error code, message); all of one record in one refusal."""
    details = [
        {
            "isValid": False,
            "message": message,
            "error": code,
            "name": name,
            "localizedErrorMessage": message,
            "portalId": portal_id,
        }
        for name, code, message in problems
    ]
    return Refusal(
        400,
        "Property values were not valid: " + json.dumps(details, separators=(",", ":"), ensure_ascii=False),
        errors=[
            {"message": message, "code": code, "context": {"propertyName": [name]}} for name, code, message in problems
        ],
    )


def unauthenticated() -> Refusal:
    return Refusal(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find"
        " more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        category="INVALID_AUTHENTICATION",
    )


def missing_scope(scope: str) -> Refusal:
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes"
        " here: https://developers.hubspot.com/scopes.",
        category="MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
        ],
        extra={"links": {"scopes": "https://developers.hubspot.com/scopes"}},
    )


def not_found(object_id: str) -> Refusal:
    return Refusal(
        404,
        "Object not found.  objectId are usually numeric.",
        category="OBJECT_NOT_FOUND",
        context={"id": [object_id]},
    )


def rate_limited(policy: str, *, group: str) -> Refusal:
    """`policy`: SECONDLY, TEN_SECONDLY_ROLLING or DAILY. No Retry-After: HubSpot sends none."""
    word = {"SECONDLY": "secondly", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling", "DAILY": "daily"}[policy]
    return Refusal(
        429,
        f"You have reached your {word} limit.",
        category="RATE_LIMITS",
        extra={"errorType": "RATE_LIMIT", "policyName": policy, "groupName": group},
    )
