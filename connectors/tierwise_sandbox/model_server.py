"""Language models as far as HTTP goes: OpenAI's chat, decisions and batches, Anthropic's messages, Ollama's chat and
generate.

What answers is `brain`, which is no model; how it behaves is data (`model_replies`). Keys are not checked, only that
there is one where the provider wants one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tierwise_sandbox import connection, gate, model_batch_routes, model_decisions, model_replies, model_shapes
from tierwise_sandbox.latency import Latency
from tierwise_sandbox.model_requests import Ask, BadAsk, anthropic_ask, ollama_ask, openai_ask
from tierwise_sandbox.model_shapes import Shape
from tierwise_sandbox.portal import Portal

Reader = Callable[[Mapping[str, Any]], Ask]


class Models:
    """Handlers; counts go to the portal's statistics."""

    def __init__(self, portal: Portal, latency: Latency) -> None:
        self.portal = portal
        self.latency = latency
        self._decisions = model_decisions.shape(portal.replies)

    async def openai(self, request: Request) -> Response:
        return await self._keyed(request, openai_ask, model_shapes.OPENAI)

    async def decisions(self, request: Request) -> Response:
        return await self._keyed(request, model_decisions.ask, self._decisions)

    async def anthropic(self, request: Request) -> Response:
        if not request.headers.get("x-api-key") and not request.headers.get("authorization"):
            return _refused(model_shapes.ANTHROPIC, 401, "x-api-key header is required", "authentication_error")
        return await self._answered(request, anthropic_ask, model_shapes.ANTHROPIC)

    async def ollama_chat(self, request: Request) -> Response:
        return await self._answered(request, ollama_ask, model_shapes.OLLAMA_CHAT)

    async def ollama_generate(self, request: Request) -> Response:
        return await self._answered(request, ollama_ask, model_shapes.OLLAMA_GENERATE)

    async def ollama_show(self, _request: Request) -> Response:
        """What a client asks to learn whether a model can call tools: this one cannot."""
        return JSONResponse({"model_info": {}, "template": "", "capabilities": ["completion"], "details": {}})

    async def ollama_tags(self, _request: Request) -> Response:
        return JSONResponse({"models": []})

    async def listed(self, _request: Request) -> Response:
        return JSONResponse({"object": "list", "data": []})

    async def _keyed(self, request: Request, reader: Reader, shape: Shape) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _refused(shape, 401, "You didn't provide an API key.", "invalid_request_error")
        return await self._answered(request, reader, shape)

    async def _answered(self, request: Request, reader: Reader, shape: Shape) -> Response:
        try:
            ask = reader(await _body(request))
        except BadAsk as error:
            return _refused(shape, 400, str(error), "invalid_request_error")
        counts = self.portal.model
        counts.calls[ask.model] += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        try:
            started = time.perf_counter()
            reply = self.portal.replies.to(ask)
            seconds = model_replies.latency(reply, self.latency)
            counts.waited_seconds += seconds
            body = shape.answer(ask, reply) if reply.status == 200 else model_shapes.failure(shape, reply, ask)
            await asyncio.sleep(max(0.0, seconds - (time.perf_counter() - started)))
        finally:
            counts.in_flight -= 1
        if reply.reset:
            await connection.abort(request.scope)
        return JSONResponse(body, reply.status, dict(reply.headers))


def models(portal: Portal, latency: Latency) -> ASGIApp:
    """The ASGI application of all providers; faults of the portal apply here too."""
    handlers = Models(portal, latency)
    routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
        ("/v1/chat/completions", handlers.openai),
        ("/chat/completions", handlers.openai),
        ("/v1/decisions", handlers.decisions),
        ("/v1/messages", handlers.anthropic),
        ("/messages", handlers.anthropic),
        ("/api/chat", handlers.ollama_chat),
        ("/api/generate", handlers.ollama_generate),
        ("/api/show", handlers.ollama_show),
    ]
    app = Starlette(
        routes=[
            *(Route(path, handler, methods=["POST"]) for path, handler in routes),
            *model_batch_routes.routes(portal),
            Route("/v1/models", handlers.listed, methods=["GET"]),
            Route("/api/tags", handlers.ollama_tags, methods=["GET"]),
        ]
    )
    return gate.faulty(app, portal.faults)


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise BadAsk(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict):
        raise BadAsk("The body of the request must be a JSON object.")
    return body


def _refused(shape: Shape, status: int, message: str, kind: str) -> Response:
    return JSONResponse(shape.error(status, message, kind, None), status)
