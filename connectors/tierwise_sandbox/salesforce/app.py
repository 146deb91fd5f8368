"""The Salesforce-shaped server put together: sessions and allowance before the API, token endpoint, pages, doors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tierwise_sandbox import gate
from tierwise_sandbox.salesforce import refusals, spelling, tokens
from tierwise_sandbox.salesforce.api import NEWEST, OLDEST, Api, is_version
from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.org import Org
from tierwise_sandbox.salesforce.pages import Pages
from tierwise_sandbox.salesforce.refusals import Refusal

MAX_URI = 16_384
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path


def salesforce(org: Org, doors: Sequence[Route] = ()) -> ASGIApp:
    """The ASGI application of one org."""
    server = _Server(org)
    inner = Starlette(
        routes=[
            Route(TOKEN_PATH, server.token, methods=["POST"]),
            Route("/services/data", server.versions, methods=["GET"]),
            Route("/services/data/{version}{path:path}", server.data, methods=_METHODS),
            *Pages(org).routes(),
            *doors,
        ],
    )
    return _dated(gate.faulty(inner, org.faults, unauthorized=refusals.session_invalid().body()), org)


_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class _Server:
    def __init__(self, org: Org) -> None:
        self.org = org
        self.api = Api(org)

    async def token(self, request: Request) -> Response:
        self.org.count("token")
        form = dict(_pairs(await request.body()))
        try:
            return JSONResponse(tokens.grant(self.org, form), headers={"Cache-Control": "no-store"})
        except tokens.TokenError as error:
            return JSONResponse(error.body(), 400)

    async def versions(self, _request: Request) -> Response:
        self.org.count("versions")
        found = [
            {"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in range(OLDEST, NEWEST)
        ]
        return JSONResponse(found)

    async def data(self, request: Request) -> Response:
        """Any call of the API: session, allowance, then the handler."""
        path = request.path_params["path"].rstrip("/")
        self.org.count(self.api.name(request.method, path))
        try:
            if len(str(request.url)) > MAX_URI:
                raise Refusal("URI_TOO_LONG", "URI Too Long", status=414)
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() not in {"bearer", "oauth"} or not self.org.use_session(token.strip()):
                raise refusals.session_invalid()
            if not self.org.use_request():
                raise refusals.too_many_requests()
            if not is_version(request.path_params["version"]):
                raise refusals.not_found()
            call = Call(
                request.method,
                request.path_params["version"].removeprefix("v"),
                path,
                query=dict(request.query_params),
                headers=dict(request.headers),
                body=await request.body(),
            )
            answer = self.api.answer(call)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body())
        return _response(answer, self.org.usage())


def _response(answer: Answer, usage: str) -> Response:
    headers = {"Sforce-Limit-Info": usage}
    if answer.content is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.content, str):
        return Response(answer.content, answer.status, headers, media_type="text/csv")
    body = json.dumps(answer.content, ensure_ascii=False, separators=(",", ":"))
    return Response(body, answer.status, headers, media_type="application/json;charset=UTF-8")


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _dated(app: ASGIApp, org: Org) -> ASGIApp:
    """`app` with the Date header of the org's own clock."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", spelling.http_date(org.time()).encode())
                message = {**message, "headers": [*message.get("headers", []), date]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped
