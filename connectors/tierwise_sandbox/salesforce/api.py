"""Which handler answers which path of /services/data/vNN.N."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tierwise_sandbox.salesforce import composite
from tierwise_sandbox.salesforce.bulk import Bulk
from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.org import Org
from tierwise_sandbox.salesforce.reading import Reading
from tierwise_sandbox.salesforce.refusals import Refusal, not_found
from tierwise_sandbox.salesforce.writing import Writing

OLDEST, NEWEST = 31, 68
_KIND, _ID = r"(?P<kind>\w+)", r"(?P<key>\w+)"


class Api:
    """The REST API of one org."""

    def __init__(self, org: Org) -> None:
        reading, writing, bulk = Reading(org), Writing(org), Bulk(org)
        self._bulk = bulk
        ingest = "/jobs/ingest"

        def composed(call: Call) -> Answer:
            return composite.answer(org, call, self.answer)

        def query_all(call: Call) -> Answer:
            return reading.query(call, deleted=True)

        self._routes: list[tuple[str, re.Pattern[str], str, Callable[..., Answer]]] = [
            (method, re.compile(path), name, handler)
            for method, path, name, handler in (
                ("GET", "/query", "query", reading.query),
                ("GET", "/queryAll", "query_all", query_all),
                ("GET", r"/query(?:All)?/(?P<locator>[\w-]+)", "query_more", reading.more),
                ("GET", "/sobjects", "describe", reading.objects),
                ("GET", f"/sobjects/{_KIND}", "describe", reading.object),
                ("POST", f"/sobjects/{_KIND}", "create", writing.post),
                ("GET", f"/sobjects/{_KIND}/describe", "describe", reading.describe),
                ("GET", f"/sobjects/{_KIND}/{_ID}", "get", reading.get),
                ("PATCH", f"/sobjects/{_KIND}/{_ID}", "patch", writing.patch),
                ("DELETE", f"/sobjects/{_KIND}/{_ID}", "delete", writing.delete),
                ("PATCH", "/composite/sobjects", "collections", writing.collection),
                ("POST", "/composite/sobjects", "collections", writing.collection),
                ("POST", "/composite", "composite", composed),
                ("GET", "/limits", "limits", reading.limits),
                ("GET", ingest, "bulk", bulk.every),
                ("POST", ingest, "bulk", bulk.create),
                ("GET", f"{ingest}/{_ID}", "bulk", bulk.get),
                ("PATCH", f"{ingest}/{_ID}", "bulk", bulk.change),
                ("DELETE", f"{ingest}/{_ID}", "bulk", bulk.delete),
                ("PUT", f"{ingest}/{_ID}/batches", "bulk", bulk.upload),
                ("GET", f"{ingest}/{_ID}/(?P<which>\\w+)", "bulk", bulk.results),
            )
        ]

    def name(self, method: str, path: str) -> str:
        """The name under which a call is counted."""
        return next(
            (name for known, form, name, _ in self._routes if known == method and form.fullmatch(path)), "other"
        )

    def answer(self, call: Call) -> Answer:
        """Refusal for a path that is not there, or a method that it does not know."""
        self._bulk.go_on()
        there = False
        for method, form, _, handler in self._routes:
            if match := form.fullmatch(call.path.rstrip("/") or "/"):
                there = True
                if method == call.method:
                    found: dict[str, Any] = match.groupdict()
                    return handler(call, **found)
        if there:
            message = f"HTTP Method '{call.method}' not allowed."
            raise Refusal("METHOD_NOT_ALLOWED", message, status=405)
        raise not_found()


def is_version(text: str) -> bool:
    """vNN.N of a version that this org speaks."""
    match = re.fullmatch(r"v(\d\d)\.0", text)
    return bool(match) and OLDEST <= int(match[1]) <= NEWEST if match else False
