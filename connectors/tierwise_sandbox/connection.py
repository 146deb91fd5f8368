"""Cutting a client off in the middle of HTTP, which ASGI has no word for.

uvicorn's protocol notes its transport under the client's address; a fault finds it there and closes it.
"""

from __future__ import annotations

import asyncio

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORTS: dict[tuple[str, int], asyncio.Transport] = {}


class Cuttable(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, findable by `abort`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client:
            _TRANSPORTS[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            _TRANSPORTS.pop(self.client, None)
        super().connection_lost(exc)


async def abort(scope: Scope, *, gently: bool = False) -> None:
    """Close the request's connection: at once, or gently (what was written still goes out)."""
    client = scope.get("client")
    transport = _TRANSPORTS.get(tuple(client)) if client else None
    if transport is None:  # in-process test clients have no connection to cut
        raise ConnectionResetError("the sandbox dropped the connection")
    if gently:
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0)  # let uvicorn see the loss, or it answers for us
