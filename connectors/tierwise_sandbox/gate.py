"""The ASGI layer in front of the routes: counts, injects faults, checks token, scope and rate limits.

Knows requests by path only; no route repeats any of this.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tierwise_sandbox import kinds
from tierwise_sandbox.connection import abort
from tierwise_sandbox.faults import Fault, Faults, fewer_inputs
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal, missing_scope, unauthenticated

_OPEN = ("/_sandbox", "/oauth/", *(f"/{kind.name}" for kind in kinds.PAGES))
_DRIPS = 20
_READ_POSTS = {"search", "batch_read"}


@dataclass(frozen=True)
class Call:
    """What a request is to the portal: the name it is counted under and the scope it needs."""

    kind: str
    scope: str | None = None
    also: str | None = None
    """A second scope that is needed too."""


def classify(method: str, path: str) -> Call | None:
    """None: not an API call (pages, the control door, anything unknown)."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["crm", "objects"] and len(parts) >= 4:
        tail = parts[4:]
        if tail[:1] == ["batch"]:
            kind = "batch_" + "_".join(tail[1:2])
        elif tail == ["search"]:
            kind = "search"
        elif tail:
            kind = {"PATCH": "patch", "DELETE": "delete"}.get(method, "get")
        else:
            kind = "create" if method == "POST" else "list"
        reads = method == "GET" or kind in _READ_POSTS
        return Call(f"{kind}{_of(parts[3])}", f"crm.objects.{_scope(parts[3])}.{'read' if reads else 'write'}")
    if parts[:2] == ["crm", "properties"] and len(parts) >= 4:
        reads = method == "GET" or parts[-2:] == ["batch", "read"]
        kind = "properties_read" if reads else "properties_write"
        return Call(f"{kind}{_of(parts[3])}", f"crm.schemas.{_scope(parts[3])}.{'read' if reads else 'write'}")
    if parts[:2] == ["crm", "associations"] and len(parts) >= 5:
        return Call("associations", *(f"crm.objects.{_scope(part)}.read" for part in parts[3:5]))
    if parts[:2] == ["crm", "pipelines"] and len(parts) >= 4:
        return Call("pipelines", f"crm.schemas.{_scope(parts[3])}.read")
    if parts[0] in {"account-info", "oauth"}:
        return Call(parts[0].replace("-", "_"))
    return None


def _of(spelling: str) -> str:
    """What is appended to the name of a call that is not about contacts."""
    found = kinds.find(spelling)
    return "" if found is None or found is kinds.CONTACTS else f"_{found.name}"


def _scope(spelling: str) -> str:
    found = kinds.find(spelling)
    return found.scope if found else "contacts"


def faulty(app: ASGIApp, faults: Faults, *, exempt: str = "/_sandbox", unauthorized: Any = None) -> ASGIApp:
    """`app` with the faults in front of it; the control door itself never fails.

    `unauthorized` is the body for a token that ran out (default: the portal's).
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith(exempt):
            fault = faults.take(scope["method"], scope["path"])
        if fault is None:
            await app(scope, receive, send)
        elif fault.action == "unauthorized":
            await JSONResponse(unauthorized or unauthenticated().body(), 401)(scope, receive, send)
        else:
            await _inject(fault, app, scope, receive, send)

    return wrapped


async def _inject(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.action == "delay":
        await asyncio.sleep(fault.seconds)
        await app(scope, receive, send)
    elif fault.action == "status":
        body = {"status": "error", "message": "injected"} if fault.body is None else fault.body
        await JSONResponse(body, fault.status, fault.headers)(scope, receive, send)
    elif fault.action == "partial":
        body_bytes = fewer_inputs(await _read(receive), fault.share)
        await app(_with_length(scope, len(body_bytes)), _replay(body_bytes), send)
    elif fault.action == "drip":
        await app(scope, receive, _dripping(send, fault.seconds))
    elif fault.action == "truncate":
        await app(scope, receive, _halving(send))
        await abort(scope, gently=True)
    else:
        if fault.after:
            await app(scope, receive, _swallow)
        await abort(scope)


async def _swallow(_message: Message) -> None:
    return


def _dripping(send: Send, seconds: float) -> Send:
    """Bodies in small pieces over `seconds`: each comes soon enough for a read timeout, the whole does not."""

    async def drip(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or not body:
            await send(message)
            return
        step = -(-len(body) // _DRIPS)
        pieces = [body[start : start + step] for start in range(0, len(body), step)]
        for piece in pieces:
            await asyncio.sleep(seconds / len(pieces))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)})

    return drip


def _halving(send: Send) -> Callable[[Message], Any]:
    async def half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return half


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _with_length(scope: Scope, length: int) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


def guarded(app: ASGIApp, portal: Portal) -> ASGIApp:
    """`app` behind the portal's token, scopes and rate limits; pages and the control door stay open."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith(_OPEN):
            await app(scope, receive, send)
            return
        try:
            _admit(portal, scope)
        except Refusal as refusal:
            await JSONResponse(refusal.body(), refusal.status)(scope, receive, send)
            return
        await app(scope, receive, _with_headers(send, portal) if scope["method"] == "GET" else send)

    return wrapped


def counted(app: ASGIApp, portal: Portal) -> ASGIApp:
    """`app` with every API call counted on arrival, whatever becomes of it."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (call := classify(scope["method"], scope["path"])):
            portal.count(call.kind)
        await app(scope, receive, send)

    return wrapped


def _admit(portal: Portal, scope: Scope) -> None:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip(), portal.token):
        raise unauthenticated()
    call = classify(scope["method"], scope["path"])
    for needed in (call.scope, call.also) if call is not None else ():
        if needed is not None and needed not in portal.scopes:
            raise missing_scope(needed)
    portal.limits.take(search=call is not None and call.kind.startswith("search"))


def _with_headers(send: Send, portal: Portal) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            limits = [(k.lower().encode(), v.encode()) for k, v in portal.limits.headers().items()]
            message = {**message, "headers": [*message.get("headers", []), *limits]}
        await send(message)

    return sending
