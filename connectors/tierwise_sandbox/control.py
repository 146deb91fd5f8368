"""The door for tests: counts, the journal of writes, faults, and edits made as a person in the CRM makes them.

Without a token and therefore for loopback only. Nothing here exists in a real portal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import answers, kinds, moments, scenario
from tierwise_sandbox.loopback import is_local
from tierwise_sandbox.portal import Portal, Shelf
from tierwise_sandbox.refusals import Refusal, not_found
from tierwise_sandbox.store import Record, Write

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
            Route("/_sandbox/contacts", _local(self.records), methods=["POST"]),
            Route("/_sandbox/objects/{object_type}", _local(self.records), methods=["POST"]),
            Route("/_sandbox/merge", _local(self.merge), methods=["POST"]),
            Route("/_sandbox/delete", _local(self.delete), methods=["POST"]),
            Route("/_sandbox/burst", _local(self.burst), methods=["POST"]),
        ]

    async def stats(self, _request: Request) -> Response:
        return JSONResponse(self.portal.stats())

    async def journal(self, request: Request) -> Response:
        """`?since=N` leaves out the first N writes; `object=companies` shows those to another object type."""
        since = request.query_params.get("since", "0")
        shelf = self._shelf(request.query_params.get("object", "contacts"))
        return JSONResponse({"writes": shelf.store.journal(int(since) if since.isdigit() else 0)})

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

    async def records(self, request: Request) -> Response:
        """`{"id"?, "properties": {...}, "associations"?}`, or a list: update where there is an id, else create.

        `associations` is a list of `{"object": "companies", "id": ID, "primary"?: true}`.

        Values are checked as the API checks them, but read-only ones are allowed (a form sets the conversion date)
        and a second contact with the same e-mail is allowed. Its times (`createdate`, `lastmodifieddate`) may be
        given (ISO or ms), to build awkward histories.
        """
        try:
            given = await request.json()
        except ValueError as error:
            raise Refusal(400, f"Invalid input JSON: {error}") from None
        items = given if isinstance(given, list) else [given]
        if not all(isinstance(item, dict) and isinstance(item.get("properties"), dict) for item in items):
            raise Refusal(400, "Each record needs properties (an object).")
        shelf = self._shelf(request.path_params.get("object_type", "contacts"))
        types = shelf.definitions.types()
        shown = []
        for item in items:
            values = shelf.definitions.accept(item["properties"], by_person=True)
            record = _updated(shelf, str(item["id"]), values) if item.get("id") else _created(shelf, values)
            self._associate(shelf, record, item.get("associations") or ())
            shown.append(answers.shown_record(record, types, types, shelf.kind))
        return JSONResponse(shown if isinstance(given, list) else shown[0], 200)

    async def merge(self, request: Request) -> Response:
        """`{"primary": id, "secondary": id, "object"?}` -> the merged record, under a new id."""
        body, _ = await answers.read_object(request)
        shelf = self._shelf(str(body.get("object", "contacts")))
        record = shelf.store.merge(str(body.get("primary")), str(body.get("secondary")))
        if record is None:
            raise not_found(f"{body.get('primary')}, {body.get('secondary')}")
        types = shelf.definitions.types()
        return JSONResponse(answers.shown_record(record, types, types, shelf.kind))

    async def delete(self, request: Request) -> Response:
        """`{"id": ID, "object"?}`: a person deletes the record."""
        body, _ = await answers.read_object(request)
        shelf = self._shelf(str(body.get("object", "contacts")))
        record = shelf.store.get(str(body.get("id")))
        if record is None:
            raise not_found(str(body.get("id")))
        shelf.store.archive(record)
        return JSONResponse({"ok": True})

    async def burst(self, request: Request) -> Response:
        """`{"contacts": N, "at"?: ISO or ms}`: N new contacts in one millisecond."""
        body, _ = await answers.read_object(request)
        number, at = body.get("contacts"), body.get("at")
        if not isinstance(number, int) or number < 1:
            raise Refusal(400, "contacts must be a positive number.")
        ids = self.portal.burst(number, moments.parse(str(at)) if at is not None else None)
        return JSONResponse({"ids": [str(key) for key in ids]})

    def _shelf(self, spelling: str) -> Shelf:
        kind = kinds.find(spelling)
        if kind is None:
            raise Refusal(400, f"{spelling} is not one of {', '.join(kinds.KINDS)}.")
        return self.portal.shelf(kind)

    def _associate(self, shelf: Shelf, record: Record, wanted: Sequence[Any]) -> None:
        for tie in wanted:
            other = self._shelf(str(tie.get("object")))
            there = other.store.get(str(tie.get("id")))
            if there is None:
                raise not_found(str(tie.get("id")))
            try:
                self.portal.associations.link(
                    (shelf.kind, record.id), (other.kind, there.id), primary=bool(tie.get("primary"))
                )
            except ValueError as error:
                raise Refusal(400, str(error)) from None


def _updated(shelf: Shelf, key: str, values: dict[str, str]) -> Record:
    record = shelf.store.get(key)
    if record is None:
        raise not_found(key)
    return shelf.store.update([Write(record.id, _plain(shelf, values))], by="person")[0]


def _created(shelf: Shelf, values: dict[str, str]) -> Record:
    kind = shelf.kind
    created, modified = (moments.parse(values.get(name) or "") for name in (kind.created, kind.modified))
    plain = _plain(shelf, values)
    if created is None and modified is None:
        return shelf.store.create([(plain, None)], by="person")[0]
    (key,) = shelf.store.load([(plain, created or modified, modified or created, None)])
    record = shelf.store.get(str(key))
    assert record is not None
    return record


def _plain(shelf: Shelf, values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in shelf.kind.system}


def _local(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        if not is_local(request):
            raise Refusal(403, "The control door is open to loopback only.", category="FORBIDDEN")
        return await handler(request)

    return guarded
