"""Language models as far as HTTP goes: OpenAI's chat completions and Anthropic's messages, with a set latency.

What answers is `brain`, which is no model. Keys are not checked, only that there is one.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tierwise_sandbox import gate
from tierwise_sandbox.brain import answering
from tierwise_sandbox.latency import Latency
from tierwise_sandbox.model_requests import Ask, BadAsk, anthropic_ask, openai_ask
from tierwise_sandbox.portal import Portal


class Models:
    """Handlers; counts go to the portal's statistics."""

    def __init__(self, portal: Portal, latency: Latency) -> None:
        self.portal = portal
        self.latency = latency

    async def openai(self, request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _openai_error(401, "You didn't provide an API key.", "invalid_request_error")
        try:
            ask = openai_ask(await _body(request))
        except BadAsk as error:
            return _openai_error(400, str(error), "invalid_request_error")
        return await self._answered(ask, _openai_answer)

    async def anthropic(self, request: Request) -> Response:
        if not request.headers.get("x-api-key") and not request.headers.get("authorization"):
            return _anthropic_error(401, "x-api-key header is required", "authentication_error")
        try:
            ask = anthropic_ask(await _body(request))
        except BadAsk as error:
            return _anthropic_error(400, str(error), "invalid_request_error")
        return await self._answered(ask, _anthropic_answer)

    async def listed(self, _request: Request) -> Response:
        return JSONResponse({"object": "list", "data": []})

    async def _answered(self, ask: Ask, shape: Callable[[Ask, str], dict[str, Any]]) -> Response:
        counts = self.portal.model
        counts.calls[ask.model] += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        seconds = self.latency.draw()
        try:
            started = time.perf_counter()
            content = answering.text(ask.schema, ask.prompt, ask.model, turn=ask.turn)
            counts.waited_seconds += seconds
            await asyncio.sleep(max(0.0, seconds - (time.perf_counter() - started)))
        finally:
            counts.in_flight -= 1
        return JSONResponse(shape(ask, content))


def models(portal: Portal, latency: Latency) -> ASGIApp:
    """The ASGI application of both providers; faults of the portal apply here too."""
    handlers = Models(portal, latency)
    openai, anthropic = handlers.openai, handlers.anthropic
    routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
        ("/v1/chat/completions", openai),
        ("/chat/completions", openai),
        ("/v1/messages", anthropic),
        ("/messages", anthropic),
    ]
    app = Starlette(
        routes=[
            *(Route(path, handler, methods=["POST"]) for path, handler in routes),
            Route("/v1/models", handlers.listed, methods=["GET"]),
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


def _tokens(text: str) -> int:
    return len(text) // 4 + 1


def _openai_answer(ask: Ask, content: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if ask.tool:
        call = {
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": ask.tool, "arguments": content},
        }
        message |= {"content": None, "tool_calls": [call]}
    given, made = _tokens(ask.prompt), _tokens(content)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if ask.tool else "stop"}
        ],
        "usage": {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made},
        "system_fingerprint": "fp_sandbox",
    }


def _anthropic_answer(ask: Ask, content: str) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": content}
    if ask.tool:
        block = {
            "type": "tool_use",
            "id": f"toolu_{uuid.uuid4().hex[:24]}",
            "name": ask.tool,
            "input": _object(content),
        }
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [block],
        "stop_reason": "tool_use" if ask.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": _tokens(ask.prompt),
            "output_tokens": _tokens(content),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _object(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return {"broken": content}


def _openai_error(status: int, message: str, kind: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)


def _anthropic_error(status: int, message: str, kind: str) -> Response:
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status)
