"""Refusals as Salesforce words them: a list with one error for a request, an entry for a row of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """A request or a row that is refused; `status` counts only when the whole request is."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = list(fields)

    def body(self) -> list[dict[str, Any]]:
        """The answer to a whole request."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [{**error, "fields": self.fields} if self.fields else error]

    def row(self) -> dict[str, Any]:
        """The result of one row of a collection: it carries no id."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields}
        return {"success": False, "errors": [error]}

    def text(self) -> str:
        """The error column of a bulk result."""
        return f"{self.code}:{self.message}:{','.join(self.fields) or '--'}"


def not_found() -> Refusal:
    return Refusal("NOT_FOUND", "The requested resource does not exist", status=404)


def session_invalid() -> Refusal:
    return Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def too_many_requests() -> Refusal:
    return Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def no_column(name: str, entity: str, *, query: str = "", at: int = 0) -> Refusal:
    """INVALID_FIELD: the same whether a field does not exist or is hidden by field-level security."""
    if not query:
        return Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {entity}")
    start, stop = max(0, at - 30), min(len(query), at + 30)
    message = (
        f"\n{query[start:stop]}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\nNo such column '{name}' on "
        f"entity '{entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the "
        "custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
    return Refusal("INVALID_FIELD", message)


def malformed(message: str) -> Refusal:
    return Refusal("MALFORMED_QUERY", message)


def locked() -> Refusal:
    return Refusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
