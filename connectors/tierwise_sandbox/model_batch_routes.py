"""OpenAI's files and batches over HTTP: routes and refusals; what a batch does is `model_batches`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import model_files
from tierwise_sandbox.model_requests import BadAsk
from tierwise_sandbox.model_shapes import OPENAI
from tierwise_sandbox.portal import Portal

Handler = Callable[[Request], Awaitable[Response]]


class BatchRoutes:
    """Handlers over one portal's files and batches."""

    def __init__(self, portal: Portal) -> None:
        self._files, self._batches = portal.files, portal.batches

    async def upload(self, request: Request) -> Response:
        """A form with `file` and `purpose`."""
        name, purpose, content = model_files.upload(request.headers.get("content-type", ""), await request.body())
        return JSONResponse(self._files.add(name, purpose, content).shown())

    async def files(self, _request: Request) -> Response:
        """All of them."""
        return JSONResponse({"object": "list", "data": self._files.listed(), "has_more": False})

    async def file(self, request: Request) -> Response:
        """What is known of one."""
        held = self._files.get(request.path_params["key"])
        return _missing(request, "File") if held is None else JSONResponse(held.shown())

    async def content(self, request: Request) -> Response:
        """Its bytes."""
        held = self._files.get(request.path_params["key"])
        return _missing(request, "File") if held is None else Response(held.content, media_type="application/binary")

    async def delete(self, request: Request) -> Response:
        """For good."""
        key = request.path_params["key"]
        if not self._files.delete(key):
            return _missing(request, "File")
        return JSONResponse({"id": key, "object": "file", "deleted": True})

    async def create(self, request: Request) -> Response:
        """A batch over a file."""
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise BadAsk("We could not parse the JSON body of your request.")
        return JSONResponse(self._batches.create(body))

    async def batch(self, request: Request) -> Response:
        """How one stands."""
        held = self._batches.get(request.path_params["key"])
        return _missing(request, "Batch") if held is None else JSONResponse(held)

    async def cancel(self, request: Request) -> Response:
        """End one early."""
        held = self._batches.cancel(request.path_params["key"])
        return _missing(request, "Batch") if held is None else JSONResponse(held)

    async def batches(self, request: Request) -> Response:
        """`?after=ID&limit=N`, the newest first."""
        given = request.query_params.get("limit", "20")
        if not given.isdigit() or not 1 <= int(given) <= 100:
            raise BadAsk("limit: a number from 1 to 100 is expected")
        return JSONResponse(self._batches.listed(after=request.query_params.get("after"), limit=int(given)))


def routes(portal: Portal) -> list[Route]:
    """Those of the model server."""
    handlers = BatchRoutes(portal)
    listed: list[tuple[str, str, Handler]] = [
        ("POST", "/files", handlers.upload),
        ("GET", "/files", handlers.files),
        ("GET", "/files/{key}", handlers.file),
        ("DELETE", "/files/{key}", handlers.delete),
        ("GET", "/files/{key}/content", handlers.content),
        ("POST", "/batches", handlers.create),
        ("GET", "/batches", handlers.batches),
        ("GET", "/batches/{key}", handlers.batch),
        ("POST", "/batches/{key}/cancel", handlers.cancel),
    ]
    return [Route(f"/v1{path}", _keyed(handler), methods=[method]) for method, path, handler in listed]


def _keyed(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _refused(401, "You didn't provide an API key.")
        try:
            return await handler(request)
        except BadAsk as error:
            return _refused(400, str(error))

    return guarded


def _missing(request: Request, what: str) -> Response:
    return _refused(404, f"No such {what} object: {request.path_params['key']}")


def _refused(status: int, message: str) -> Response:
    body: dict[str, Any] = OPENAI.error(status, message, "invalid_request_error", None)
    return JSONResponse(body, status)
