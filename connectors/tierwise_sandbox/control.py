"""The door for tests: counts, the journal of writes, faults, and edits made as a person in the CRM makes them.

Without a token and therefore for loopback only. Nothing here exists in a real portal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import answers, catalogue, moments, scenario
from tierwise_sandbox.loopback import is_local
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal, not_found
from tierwise_sandbox.store import Write

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/stats", _local(self.stats), methods=["GET"]),
            Route("/_sandbox/journal", _local(self.journal), methods=["GET"]),
            Route("/_sandbox/kinds", _local(self.kinds), methods=["GET"]),
            Route("/_sandbox/reset_stats", _local(self.reset_stats), methods=["POST"]),
            Route("/_sandbox/faults", _local(self.faults), methods=["POST"]),
            Route("/_sandbox/contacts", _local(self.contacts), methods=["POST"]),
            Route("/_sandbox/merge", _local(self.merge), methods=["POST"]),
            Route("/_sandbox/delete", _local(self.delete), methods=["POST"]),
            Route("/_sandbox/burst", _local(self.burst), methods=["POST"]),
        ]

    async def stats(self, _request: Request) -> Response:
        return JSONResponse(self.portal.stats())

    async def journal(self, request: Request) -> Response:
        """`?since=N` leaves out the first N writes."""
        since = request.query_params.get("since", "0")
        return JSONResponse({"writes": self.portal.store.journal(int(since) if since.isdigit() else 0)})

    async def kinds(self, _request: Request) -> Response:
        """Record id -> what the generator meant each lead to be."""
        return JSONResponse(self.portal.kinds)

    async def reset_stats(self, _request: Request) -> Response:
        self.portal.reset_stats()
        return JSONResponse({"ok": True})

    async def faults(self, request: Request) -> Response:
        """The document of `--faults`; an empty list ends all faults."""
        try:
            scenario.apply(self.portal, await request.json())
        except ValueError as error:
            raise Refusal(400, f"faults: {error}") from None
        return JSONResponse({"ok": True})

    async def contacts(self, request: Request) -> Response:
        """`{"id"?, "properties": {...}}`, or a list of such: update where there is an id, else create.

        Values are checked as the API checks them, but read-only ones are allowed (a form sets the conversion
        date) and a second contact with the same e-mail is allowed. `createdate` and `lastmodifieddate` of a new
        contact may be given (ISO or ms), to build awkward histories.
        """
        try:
            given = await request.json()
        except ValueError as error:
            raise Refusal(400, f"Invalid input JSON: {error}") from None
        items = given if isinstance(given, list) else [given]
        if not all(isinstance(item, dict) and isinstance(item.get("properties"), dict) for item in items):
            raise Refusal(400, "Each contact needs properties (an object).")
        types = self.portal.definitions.types()
        shown = []
        for item in items:
            values = self.portal.definitions.accept(item["properties"], by_person=True)
            record = self._updated(str(item["id"]), values) if item.get("id") else self._created(values)
            shown.append(answers.shown_record(record, types, types))
        return JSONResponse(shown if isinstance(given, list) else shown[0], 200)

    async def merge(self, request: Request) -> Response:
        """`{"primary": id, "secondary": id}` -> the merged record, under a new id."""
        body, _ = await answers.read_object(request)
        record = self.portal.store.merge(str(body.get("primary")), str(body.get("secondary")))
        if record is None:
            raise not_found(f"{body.get('primary')}, {body.get('secondary')}")
        types = self.portal.definitions.types()
        return JSONResponse(answers.shown_record(record, types, types))

    async def delete(self, request: Request) -> Response:
        """`{"id": ID}`: a person deletes the contact."""
        body, _ = await answers.read_object(request)
        record = self.portal.store.get(str(body.get("id")))
        if record is None:
            raise not_found(str(body.get("id")))
        self.portal.store.archive(record)
        return JSONResponse({"ok": True})

    async def burst(self, request: Request) -> Response:
        """`{"contacts": N, "at"?: ISO or ms}`: N new contacts in one millisecond."""
        body, _ = await answers.read_object(request)
        number, at = body.get("contacts"), body.get("at")
        if not isinstance(number, int) or number < 1:
            raise Refusal(400, "contacts must be a positive number.")
        ids = self.portal.burst(number, moments.parse(str(at)) if at is not None else None)
        return JSONResponse({"ids": [str(key) for key in ids]})

    def _updated(self, key: str, values: dict[str, str]) -> Any:
        record = self.portal.store.get(key)
        if record is None:
            raise not_found(key)
        return self.portal.store.update([Write(record.id, _plain(values))], by="person")[0]

    def _created(self, values: dict[str, str]) -> Any:
        created, modified = (moments.parse(values.get(n) or "") for n in ("createdate", "lastmodifieddate"))
        plain = _plain(values)
        if created is None and modified is None:
            return self.portal.store.create([(plain, None)], by="person")[0]
        ids = self.portal.store.load([(plain, created or modified, modified or created, None)])
        return self.portal.store.get(str(ids[0]))


def _plain(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in catalogue.SYSTEM}


def _local(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        if not is_local(request):
            raise Refusal(403, "The control door is open to loopback only.", category="FORBIDDEN")
        return await handler(request)

    return guarded
