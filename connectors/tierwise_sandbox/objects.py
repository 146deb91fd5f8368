"""The endpoints of records, of every object type alike: search, batch read, update and create, and single records.

A batch is all or nothing, unless every input carries a unique objectWriteTraceId: then each is reported alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import answers, kinds, search
from tierwise_sandbox.associations import TYPES
from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.portal import Portal, Shelf
from tierwise_sandbox.refusals import Refusal, not_found
from tierwise_sandbox.store import Record, Write

T = TypeVar("T")
Tie = tuple[Kind, int, bool]
"""Kind and id of the other record, and whether the tie is the primary one."""
_PRIMARY_CONTACT = 578  # the tie without which there is no Lead


class Objects:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        root = "/crm/objects/{version}/{object_type}"
        return [
            Route(f"{root}/search", self.search, methods=["POST"]),
            Route(f"{root}/batch/read", self.batch_read, methods=["POST"]),
            Route(f"{root}/batch/update", self.batch_update, methods=["POST"]),
            Route(f"{root}/batch/create", self.batch_create, methods=["POST"]),
            Route(root, self.list_records, methods=["GET"]),
            Route(root, self.create, methods=["POST"]),
            Route(f"{root}/{{object_id}}", self.get, methods=["GET"]),
            Route(f"{root}/{{object_id}}", self.patch, methods=["PATCH"]),
            Route(f"{root}/{{object_id}}", self.delete, methods=["DELETE"]),
        ]

    async def search(self, request: Request) -> Response:
        shelf = self._shelf(request)
        body, length = await answers.read_object(request)
        types = shelf.definitions.types()
        query = search.parse(body, length, types, shelf.kind.modified)
        lock, index = shelf.store.index()
        with lock:
            total, documents = search.run(query, index)
            coming = search.run(search.next_page(query), index)[1] if self.portal.unrest.any else []
        names = answers.wanted_properties(query.properties, shelf.kind)
        answer: dict[str, Any] = {
            "total": total,
            "results": [answers.shown(document, names, types, shelf.kind) for document in documents],
        }
        reached = query.after + len(documents)
        if documents and reached < total:
            answer["paging"] = {"next": {"after": str(reached)}}
            self.portal.unrest.strike(shelf.store, [document["hs_object_id"] for document in coming])
        return JSONResponse(answer)

    async def batch_read(self, request: Request) -> Response:
        shelf = self._shelf(request)
        started = _now_ms()
        inputs, body = await answers.read_inputs(request)
        by_email = body.get("idProperty") == "email"
        names = answers.wanted_properties(body.get("properties") or (), shelf.kind)
        types = shelf.definitions.types()
        results, missing = [], []
        for item in inputs:
            record = _find(shelf, str(item.get("id", "")), by_email=by_email)
            if record is None:
                missing.append(str(item.get("id", "")))
            else:
                results.append(answers.shown_record(record, names, types, shelf.kind))
        errors = [_unknown(shelf, missing).entry(None)] if missing else []
        for error in errors:
            error["context"] = {"ids": missing}
        return JSONResponse(answers.batch(results, errors, started, _now_ms()), answers.status(request, errors))

    async def batch_update(self, request: Request) -> Response:
        shelf = self._shelf(request)
        started = _now_ms()
        inputs, body = await answers.read_inputs(request)
        if "hs_object_id" in {body.get("idProperty"), *(item.get("idProperty") for item in inputs)}:
            raise Refusal(400, "idProperty hs_object_id is not allowed here: leave it out to use record ids.")

        def prepare(item: Mapping[str, Any]) -> Write:
            record = _find(shelf, str(item.get("id", "")), by_email=item.get("idProperty") == "email")
            if record is None:
                raise _unknown(shelf, [str(item.get("id", ""))])
            return Write(record.id, _accept(shelf, item), _trace(item))

        repeated = [key for key, count in Counter(str(i.get("id", "")) for i in inputs).items() if count > 1]
        if repeated:
            raise Refusal(400, f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique")
        writes, errors = _each(inputs, prepare)
        updated = shelf.store.update(writes, by="api")
        results = [
            _written(shelf, record, write.values, write.trace_id) for record, write in zip(updated, writes, strict=True)
        ]
        return JSONResponse(answers.batch(results, errors, started, _now_ms()), answers.status(request, errors))

    async def batch_create(self, request: Request) -> Response:
        shelf = self._shelf(request)
        started = _now_ms()
        inputs, _ = await answers.read_inputs(request)
        taken: set[str] = set()

        def prepare(item: Mapping[str, Any]) -> tuple[dict[str, str], str | None, list[Tie]]:
            values = _accept(shelf, item)
            _refuse_taken(shelf, values, taken)
            return values, _trace(item), self._ties(shelf, item, values)

        creations, errors = _each(inputs, prepare)
        created = shelf.store.create([(values, trace) for values, trace, _ in creations], by="api")
        results = []
        for record, (values, trace, ties) in zip(created, creations, strict=True):
            self._tie(shelf, record, ties)
            results.append(_written(shelf, record, values, trace))
        body = answers.batch(results, errors, started, _now_ms())
        return JSONResponse(body, answers.status(request, errors, whole=201))

    async def list_records(self, request: Request) -> Response:
        shelf = self._shelf(request)
        after, limit = request.query_params.get("after", "0"), request.query_params.get("limit", "10")
        if not after.isdigit() or not limit.isdigit() or int(limit) > 100:
            raise Refusal(400, "after and limit must be numbers, limit at most 100.")
        found = shelf.store.page(int(after), int(limit) + 1)
        names = answers.wanted_properties(answers.listed(request, "properties"), shelf.kind)
        types = shelf.definitions.types()
        page = found[: int(limit)]
        answer: dict[str, Any] = {
            "results": [answers.shown_record(record, names, types, shelf.kind) for record in page]
        }
        if len(found) > len(page):
            answer["paging"] = {"next": {"after": str(page[-1].id)}}
        return JSONResponse(answer)

    async def get(self, request: Request) -> Response:
        shelf, record = self._one(request)
        names = answers.wanted_properties(answers.listed(request, "properties"), shelf.kind)
        return JSONResponse(answers.shown_record(record, names, shelf.definitions.types(), shelf.kind))

    async def patch(self, request: Request) -> Response:
        shelf, record = self._one(request)
        body, _ = await answers.read_object(request)
        write = Write(record.id, _accept(shelf, body), _trace(body))
        (updated,) = shelf.store.update([write], by="api")
        return JSONResponse(_written(shelf, updated, write.values, write.trace_id))

    async def create(self, request: Request) -> Response:
        shelf = self._shelf(request)
        body, _ = await answers.read_object(request)
        values = _accept(shelf, body)
        _refuse_taken(shelf, values, set())
        ties = self._ties(shelf, body, values)
        (record,) = shelf.store.create([(values, _trace(body))], by="api")
        self._tie(shelf, record, ties)
        return JSONResponse(_written(shelf, record, values, _trace(body)), 201)

    async def delete(self, request: Request) -> Response:
        shelf, record = self._one(request)
        shelf.store.archive(record)
        return Response(status_code=204)

    def _shelf(self, request: Request) -> Shelf:
        return self.portal.shelf(answers.check_path(request))

    def _one(self, request: Request) -> tuple[Shelf, Record]:
        shelf, key = self._shelf(request), request.path_params["object_id"]
        record = _find(shelf, key, by_email=request.query_params.get("idProperty") == "email")
        if record is None:
            raise not_found(key)
        return shelf, record

    def _ties(self, shelf: Shelf, item: Mapping[str, Any], values: Mapping[str, str]) -> list[Tie]:
        """What a new record is to be tied to. Refusal for ties that cannot be, and for a Lead without its contact."""
        found: list[Tie] = []
        numbers = set()
        for wanted in item.get("associations") or ():
            key = str((wanted.get("to") or {}).get("id", "")) if isinstance(wanted, dict) else ""
            for kind_of in wanted.get("types") or () if isinstance(wanted, dict) else ():
                number = kind_of.get("associationTypeId")
                to = next(
                    (other for (one, other), held in TYPES.items() if one == shelf.kind.name and number in held), None
                )
                record = self.portal.shelf(kinds.KINDS[to]).store.get(key) if to else None
                if to is None or record is None:
                    raise Refusal(400, f"The association of type {number} with {key} cannot be made.")
                numbers.add(number)
                found.append((kinds.KINDS[to], record.id, number == TYPES[shelf.kind.name, to][1]))
        if shelf.kind is kinds.LEADS and (_PRIMARY_CONTACT not in numbers or not values.get("hs_lead_name")):
            raise Refusal(400, "A Lead needs hs_lead_name and an association with a primary contact (type 578).")
        return found

    def _tie(self, shelf: Shelf, record: Record, ties: Sequence[Tie]) -> None:
        for kind, key, primary in ties:
            self.portal.associations.link((shelf.kind, record.id), (kind, key), primary=primary)


def _find(shelf: Shelf, key: str, *, by_email: bool) -> Record | None:
    return shelf.store.by_email(key) if by_email else shelf.store.get(key)


def _accept(shelf: Shelf, item: Mapping[str, Any]) -> dict[str, str]:
    given = item.get("properties")
    if not isinstance(given, dict):
        raise Refusal(400, "Invalid input JSON: some required fields were not set: [properties]")
    return shelf.definitions.accept(given)


def _refuse_taken(shelf: Shelf, values: Mapping[str, str], taken: set[str]) -> None:
    email = values.get("email")
    if not email:
        return
    existing = shelf.store.by_email(email)
    if existing is not None or email in taken:
        known = f" Existing ID: {existing.id}" if existing else ""
        raise Refusal(409, f"Contact already exists.{known}", category="CONFLICT")
    taken.add(email)


def _written(shelf: Shelf, record: Record, values: Mapping[str, str], trace_id: str | None) -> dict[str, Any]:
    names = (*values, *sorted(shelf.kind.system))
    shown = answers.shown_record(record, names, shelf.definitions.types(), shelf.kind)
    return shown if trace_id is None else {**shown, "objectWriteTraceId": trace_id}


def _each(
    inputs: Sequence[Mapping[str, Any]], prepare: Callable[[Mapping[str, Any]], T]
) -> tuple[list[T], list[dict[str, Any]]]:
    """Prepare every input; without trace ids the first refusal is that of the whole batch."""
    traces = [_trace(item) for item in inputs]
    traced = None not in traces
    if len(set(traces) - {None}) != len([trace for trace in traces if trace is not None]):
        raise Refusal(400, "Every objectWriteTraceId of a batch must be unique.")
    prepared, errors = [], []
    for item, trace in zip(inputs, traces, strict=True):
        try:
            prepared.append(prepare(item))
        except Refusal as refusal:
            if not traced:
                raise
            errors.append(refusal.entry(trace))
    return prepared, errors


def _trace(item: Mapping[str, Any]) -> str | None:
    trace = item.get("objectWriteTraceId")
    return None if trace is None else str(trace)


def _unknown(shelf: Shelf, ids: list[str]) -> Refusal:
    return Refusal(
        400,
        f"Could not get some {shelf.kind.singular.upper()} objects, they may be deleted or not exist."
        " Check that ids are valid.",
        category="OBJECT_NOT_FOUND",
        context={"ids": ids},
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
