"""The sandbox CRM as a rep's browser would ask it: plain HTTP, independent of the connector under demonstration."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tierwise.cli import stack
from tierwise.domain.advice import FIELDS
from tierwise.errors import Unreachable

PAGE = 200
SHOWN = ("email", "firstname", "lastname", "company", "createdate", "lastmodifieddate")


class View:
    """Reads contacts and counters of a sandbox."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    @property
    def page(self) -> str:
        """Where a person sees the leads."""
        return f"{self._url}/contacts"

    def count(self, *, having: str | None = None) -> int:
        """Contacts in all, or those with a value in a property."""
        filters = [{"filters": [{"propertyName": having, "operator": "HAS_PROPERTY"}]}] if having else []
        return int(self._search({"filterGroups": filters, "limit": 1})["total"])

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
        return self._call("/crm/objects/2026-09/contacts/search", {"properties": [], "sorts": [], "after": "0", **body})

    def _call(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        content = json.dumps(body).encode() if body is not None else None
        return self._ask(path, content, kind="application/json")

    def _ask(self, path: str, content: bytes | None, *, kind: str) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  (an address of ours on loopback)
            self._url + path,
            data=content,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                found = json.loads(answer.read())
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Unreachable("the sandbox CRM does not answer", place=self._url) from error
        assert isinstance(found, dict)
        return found


class OrgView(View):
    """The same of a sandbox's Salesforce-shaped org; records come under the names of the portal's."""

    def __init__(self, sandbox: stack.Sandbox) -> None:
        super().__init__(sandbox.salesforce["url"], "")
        self._sandbox = sandbox

    @property
    def page(self) -> str:
        """Where a person sees the leads."""
        return f"{self._url}/leads"

    def count(self, *, having: str | None = None) -> int:
        """Leads in all, or those with a value in a field."""
        soql = "SELECT COUNT() FROM Lead WHERE IsConverted = false"
        return int(self._query(f"{soql} AND {_FIELDS[having]} != null" if having else soql)["totalSize"])

    def contacts(self) -> list[dict[str, Any]]:
        """Every lead as {"id", "properties"}, in order of id, our fields included."""
        columns = ", ".join(["Id", *_FIELDS.values()])
        found: list[dict[str, Any]] = []
        last = ""
        while True:
            page = self._query(
                f"SELECT {columns} FROM Lead WHERE Id > '{last}' AND IsConverted = false "  # noqa: S608  (SOQL)
                f"ORDER BY Id LIMIT {PAGE}"
            )["records"]
            found += [
                {"id": record["Id"], "properties": {name: _shown(record[theirs]) for name, theirs in _FIELDS.items()}}
                for record in page
            ]
            if len(page) < PAGE:
                return found
            last = page[-1]["Id"]

    def stats(self) -> dict[str, Any]:
        """Calls by kind and writes of the org, model calls of the sandbox, since the start."""
        models = View(self._sandbox.hubspot_url, "").stats()["model_calls"]
        return {**self._call("/_sandbox/salesforce/stats", None), "model_calls": models}

    def _query(self, soql: str) -> dict[str, Any]:
        if not self._token:
            form = {
                "grant_type": "client_credentials",
                "client_id": self._sandbox.salesforce["client_id"],
                "client_secret": self._sandbox.salesforce["client_secret"],
            }
            content = urllib.parse.urlencode(form).encode()
            answer = self._ask("/services/oauth2/token", content, kind="application/x-www-form-urlencoded")
            self._token = answer["access_token"]
        return self._call(f"/services/data/v66.0/query?{urllib.parse.urlencode({'q': soql})}", None)


# Ours and the portal's names -> the org's.
_FIELDS = {
    **{"email": "Email", "firstname": "FirstName", "lastname": "LastName", "company": "Company"},
    **{"createdate": "CreatedDate", "lastmodifieddate": "SystemModstamp"},
    **{field.name: "_".join(part.capitalize() for part in field.name.split("_")) + "__c" for field in FIELDS},
}


def _shown(value: Any) -> Any:
    """Every number of an org is a double: 82.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
