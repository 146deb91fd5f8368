"""The contact endpoints: search, batch read, update and create, and single records.

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

from tierwise_sandbox import answers, search
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal, not_found
from tierwise_sandbox.store import Record, Write

T = TypeVar("T")
_WRITE_SHOWS = ("createdate", "hs_object_id", "lastmodifieddate")


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
        answers.check_path(request)
        body, length = await answers.read_object(request)
        types = self.portal.definitions.types()
        query = search.parse(body, length, types)
        lock, index = self.portal.store.index()
        with lock:
            total, documents = search.run(query, index)
            coming = search.run(search.next_page(query), index)[1] if self.portal.unrest.any else []
        names = answers.wanted_properties(query.properties)
        answer: dict[str, Any] = {
            "total": total,
            "results": [answers.shown(document, names, types) for document in documents],
        }
        reached = query.after + len(documents)
        if documents and reached < total:
            answer["paging"] = {"next": {"after": str(reached)}}
            self.portal.unrest.strike(self.portal.store, [document["hs_object_id"] for document in coming])
        return JSONResponse(answer)

    async def batch_read(self, request: Request) -> Response:
        answers.check_path(request)
        started = _now_ms()
        inputs, body = await answers.read_inputs(request)
        by_email = body.get("idProperty") == "email"
        names = answers.wanted_properties(body.get("properties") or ())
        types = self.portal.definitions.types()
        results, missing = [], []
        for item in inputs:
            record = self._find(str(item.get("id", "")), by_email=by_email)
            if record is None:
                missing.append(str(item.get("id", "")))
            else:
                results.append(answers.shown_record(record, names, types))
        errors = [_unknown(missing).entry(None)] if missing else []
        for error in errors:
            error["context"] = {"ids": missing}
        return JSONResponse(answers.batch(results, errors, started, _now_ms()), 207 if errors else 200)

    async def batch_update(self, request: Request) -> Response:
        answers.check_path(request)
        started = _now_ms()
        inputs, body = await answers.read_inputs(request)
        if "hs_object_id" in {body.get("idProperty"), *(item.get("idProperty") for item in inputs)}:
            raise Refusal(400, "idProperty hs_object_id is not allowed here: leave it out to use record ids.")

        def prepare(item: Mapping[str, Any]) -> Write:
            record = self._find(str(item.get("id", "")), by_email=item.get("idProperty") == "email")
            if record is None:
                raise _unknown([str(item.get("id", ""))])
            return Write(record.id, self._accept(item), _trace(item))

        repeated = [key for key, count in Counter(str(i.get("id", "")) for i in inputs).items() if count > 1]
        if repeated:
            raise Refusal(400, f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique")
        writes, errors = _each(inputs, prepare)
        updated = self.portal.store.update(writes, by="api")
        results = [
            self._written(record, write.values, write.trace_id) for record, write in zip(updated, writes, strict=True)
        ]
        return JSONResponse(answers.batch(results, errors, started, _now_ms()))

    async def batch_create(self, request: Request) -> Response:
        answers.check_path(request)
        started = _now_ms()
        inputs, _ = await answers.read_inputs(request)
        taken: set[str] = set()

        def prepare(item: Mapping[str, Any]) -> tuple[dict[str, str], str | None]:
            values = self._accept(item)
            self._refuse_taken(values, taken)
            return values, _trace(item)

        creations, errors = _each(inputs, prepare)
        created = self.portal.store.create(creations, by="api")
        results = [
            self._written(record, values, trace) for record, (values, trace) in zip(created, creations, strict=True)
        ]
        return JSONResponse(answers.batch(results, errors, started, _now_ms()), 207 if errors else 201)

    async def list_records(self, request: Request) -> Response:
        answers.check_path(request)
        after, limit = request.query_params.get("after", "0"), request.query_params.get("limit", "10")
        if not after.isdigit() or not limit.isdigit() or int(limit) > 100:
            raise Refusal(400, "after and limit must be numbers, limit at most 100.")
        found = self.portal.store.page(int(after), int(limit) + 1)
        names = answers.wanted_properties(answers.listed(request, "properties"))
        types = self.portal.definitions.types()
        page = found[: int(limit)]
        answer: dict[str, Any] = {"results": [answers.shown_record(record, names, types) for record in page]}
        if len(found) > len(page):
            answer["paging"] = {"next": {"after": str(page[-1].id)}}
        return JSONResponse(answer)

    async def get(self, request: Request) -> Response:
        record = self._one(request)
        names = answers.wanted_properties(answers.listed(request, "properties"))
        return JSONResponse(answers.shown_record(record, names, self.portal.definitions.types()))

    async def patch(self, request: Request) -> Response:
        record = self._one(request)
        body, _ = await answers.read_object(request)
        write = Write(record.id, self._accept(body), _trace(body))
        (updated,) = self.portal.store.update([write], by="api")
        return JSONResponse(self._written(updated, write.values, write.trace_id))

    async def create(self, request: Request) -> Response:
        answers.check_path(request)
        body, _ = await answers.read_object(request)
        values = self._accept(body)
        self._refuse_taken(values, set())
        (record,) = self.portal.store.create([(values, _trace(body))], by="api")
        return JSONResponse(self._written(record, values, _trace(body)), 201)

    async def delete(self, request: Request) -> Response:
        self.portal.store.archive(self._one(request))
        return Response(status_code=204)

    def _find(self, key: str, *, by_email: bool) -> Record | None:
        return self.portal.store.by_email(key) if by_email else self.portal.store.get(key)

    def _one(self, request: Request) -> Record:
        answers.check_path(request)
        key = request.path_params["object_id"]
        record = self._find(key, by_email=request.query_params.get("idProperty") == "email")
        if record is None:
            raise not_found(key)
        return record

    def _accept(self, item: Mapping[str, Any]) -> dict[str, str]:
        given = item.get("properties")
        if not isinstance(given, dict):
            raise Refusal(400, "Invalid input JSON: some required fields were not set: [properties]")
        return self.portal.definitions.accept(given)

    def _refuse_taken(self, values: Mapping[str, str], taken: set[str]) -> None:
        email = values.get("email")
        if not email:
            return
        existing = self.portal.store.by_email(email)
        if existing is not None or email in taken:
            known = f" Existing ID: {existing.id}" if existing else ""
            raise Refusal(409, f"Contact already exists.{known}", category="CONFLICT")
        taken.add(email)

    def _written(self, record: Record, values: Mapping[str, str], trace_id: str | None) -> dict[str, Any]:
        shown = answers.shown_record(record, (*values, *_WRITE_SHOWS), self.portal.definitions.types())
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


def _unknown(ids: list[str]) -> Refusal:
    return Refusal(
        400,
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
        category="OBJECT_NOT_FOUND",
        context={"ids": ids},
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
