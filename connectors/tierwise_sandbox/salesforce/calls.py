"""A call of the REST API and its answer, apart from HTTP: a Composite request is made of such calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tierwise_sandbox.salesforce.refusals import Refusal


@dataclass(frozen=True)
class Call:
    """`path` is what follows /services/data/vNN.N; header names are in lower case."""

    method: str
    version: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def root(self) -> str:
        return f"/services/data/v{self.version}"

    def json(self) -> Any:
        """The body. Refusal when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refusal("JSON_PARSER_ERROR", f"Unexpected character in JSON input: {error}") from None

    def object(self) -> dict[str, Any]:
        found = self.json()
        if not isinstance(found, dict):
            raise Refusal("JSON_PARSER_ERROR", "Can not deserialize: an object was expected")
        return found

    @property
    def assigns(self) -> bool:
        """Whether assignment rules run: they do unless they are told not to."""
        return self.headers.get("sforce-auto-assign", "true").strip().lower() != "false"


@dataclass(frozen=True)
class Answer:
    """`content` is JSON, text (CSV), or None for no body."""

    status: int
    content: Any = None
