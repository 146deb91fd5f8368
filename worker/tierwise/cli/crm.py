"""The sandbox CRM as a rep's browser would ask it: plain HTTP, independent of the connector under demonstration."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tierwise.domain.advice import FIELDS
from tierwise.errors import Unreachable

PAGE = 200
SHOWN = ("email", "firstname", "lastname", "company", "createdate", "lastmodifieddate")


class View:
    """Reads contacts and counters of a sandbox."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def count(self, *, having: str | None = None) -> int:
        """Contacts in all, or those with a value in a property."""
        filters = [{"filters": [{"propertyName": having, "operator": "HAS_PROPERTY"}]}] if having else []
        return int(self._search({"filterGroups": filters, "limit": 1, "properties": []})["total"])

    def contacts(self) -> list[dict[str, Any]]:
        """Every contact as {"id", "properties"}, in order of id, our fields included."""
        names = [*SHOWN, *(field.name for field in FIELDS)]
        found: list[dict[str, Any]] = []
        last = "0"
        while True:
            # By id, not by page token: search pages end at 10,000 results.
            body = {
                "filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "GT", "value": last}]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": names,
                "limit": PAGE,
            }
            page = self._search(body)["results"]
            found += [{"id": record["id"], "properties": record["properties"]} for record in page]
            if len(page) < PAGE:
                return found
            last = page[-1]["id"]

    def stats(self) -> dict[str, Any]:
        """Calls by kind, writes and model calls since the start."""
        return self._call("/_sandbox/stats", None)

    def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("/crm/objects/2026-09/contacts/search", body)

    def _call(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  (an address of ours on loopback)
            self._url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                found = json.loads(answer.read())
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Unreachable("the sandbox CRM does not answer", place=self._url) from error
        assert isinstance(found, dict)
        return found
