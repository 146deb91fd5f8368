"""Any HTTP service that answers in JSON: an address with lead fields in braces, and a field map for the answer.

Only the fields that the address or the body names leave the house.
"""

from __future__ import annotations

import json
import string
import urllib.parse
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tierwise import errors
from tierwise.domain import mapping
from tierwise.domain.lead import CATALOGUE
from tierwise.domain.mapping import FieldMap
from tierwise.sdk import Enriching, http

_NOTHING = frozenset({204, 404, 410})
_ONE_LEAD = frozenset({400, 409, 413, 414, 422})


class Settings(BaseModel):
    """Options of `http`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="Address with fields in braces: https://api.example.com/firms/{company_domain}.")
    method: Literal["GET", "POST"] = Field("GET", description="POST sends the fields of `send` as a JSON object.")
    send: tuple[str, ...] = Field((), description="Lead fields in the body of a POST.")
    fields: dict[str, Any] = Field(
        min_length=1, description='Lead field -> path in the answer ("metrics.employees"), or a rule as in a field map.'
    )
    header: str = Field("Authorization", pattern=r"^[A-Za-z0-9-]+$", description="Header that carries the token.")
    scheme: str = Field("Bearer", description="Word before the token; empty for none.")
    calls_per_second: float = Field(5.0, gt=0, le=1000, description="Calls a second, shared by all workers.")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urllib.parse.urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "{" in parts.netloc:
            raise ValueError("must be an address like https://api.example.com/firms/{company_domain}")
        if parts.username or parts.password:
            raise ValueError("must not hold a login; the token is a setting of its own")
        try:
            plain = [(name, spec, turn) for _, name, spec, turn in string.Formatter().parse(value) if name is not None]
        except ValueError:
            raise ValueError("has a brace without its partner") from None
        for name, spec, turn in plain:
            if name not in CATALOGUE or spec or turn:
                raise ValueError(f"has braces around {name!r}, which is not a lead field")
        return value

    @model_validator(mode="after")
    def _asks(self) -> Settings:
        unknown = sorted({*self.send} - {*CATALOGUE})
        if unknown:
            raise ValueError(f"send: {', '.join(unknown)} is not a lead field")
        if self.send and self.method == "GET":
            raise ValueError("send: a GET has no body; use method = POST")
        if not self.reads:
            raise ValueError("url: names no lead field, so every lead would get the same answer")
        self.field_map()
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """Lead fields that the request names."""
        placed = [name for _, name, _, _ in string.Formatter().parse(self.url) if name is not None]
        return tuple(dict.fromkeys([*placed, *self.send]))

    def field_map(self) -> FieldMap:
        """How the answer is read. ValueError where a field or rule is wrong."""
        return FieldMap.model_validate({"connector": "http", "owner": "-", "version": "1", "fields": self.fields})


class Lookup:
    """One service."""

    def __init__(self, enriching: Enriching) -> None:
        self._settings = Settings.model_validate(dict(enriching.options))
        self._map = self._settings.field_map()
        self._place = f"enrichers.{enriching.name}"
        self.reads = self._settings.reads
        self.gives = tuple(self._map.fields)
        rate = self._settings.calls_per_second
        route = http.Route(f"enrich {enriching.name}", self._place, rate, max(1.0, rate))
        self._session = http.Session(
            self._place,
            limiter=enriching.limiter,
            route=lambda _method, _url: route,
            secrets=[enriching.token] if enriching.token else (),
            connect_timeout=min(5.0, enriching.seconds),
            read_timeout=enriching.seconds,
            attempts=2,
            patience=enriching.seconds,
        )
        self._session.headers["Accept"] = "application/json"
        if enriching.token:
            self._session.headers[self._settings.header] = f"{self._settings.scheme} {enriching.token}".strip()

    def enrich(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """{} where the service does not know it. Raises what `sdk.http.Session` raises."""
        url = self._settings.url.format_map({name: urllib.parse.quote(str(known[name]), safe="") for name in known})
        body = {name: known[name] for name in self._settings.send} if self._settings.send else None
        try:
            answer = self._session.request(self._settings.method, url, json=body)
        except http.HttpRefused as refused:
            if refused.status in _NOTHING:
                return {}
            if refused.status in _ONE_LEAD:
                raise errors.RejectRecord(f"the service refuses this lead (HTTP {refused.status})") from None
            raise
        if answer.status_code in _NOTHING or not answer.content:
            return {}
        found = http.document(answer)
        record = {path: _at(found, path) for path in mapping.properties(self._map)}
        try:
            signals = mapping.apply(self._map, record).lead.signals()
        except errors.RejectRecord:
            return {}  # a required field is missing: the service knows too little to be believed
        return {name: signals[name] for name in self.gives if name in signals}

    def close(self) -> None:
        """Release sockets."""
        self._session.close()


def _at(document: Any, path: str) -> Any:
    """What stands at "a.b.0.c"; None where there is no such place or no plain value."""
    for part in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(part)
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return json.dumps(document, ensure_ascii=False) if isinstance(document, dict | list) else document
