"""The HTTP application of the console, and the server it runs in."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import fastapi
import uvicorn
from fastapi import responses

from tierwise import errors, ports, telemetry
from tierwise.console import health, levels, page

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": page.POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
SHUTDOWN = 5
"""Seconds that open requests get to end."""


def create_app(
    store: ports.Store,
    *,
    broker: health.Broker | None = None,
    schema: health.Schema | None = None,
    clock: ports.Clock = lambda: datetime.now(UTC),
    budgets: ports.Budgets = ports.UNLIMITED,
) -> fastapi.FastAPI:
    """The application. `broker` and `schema` are asked by /readyz; what is None is not looked at."""
    app = fastapi.FastAPI(title="Tierwise", docs_url=None, redoc_url=None, openapi_url=None)

    # Plain functions: FastAPI runs them in threads, so that a slow database does not hold up /healthz.
    def look() -> list[health.Finding]:
        return health.look(store, broker=broker, schema=schema, now=clock())

    @app.get("/healthz")
    async def healthz() -> responses.PlainTextResponse:
        """This process answers; says nothing about anything else."""
        return responses.PlainTextResponse("ok\n", headers=_HEADERS)

    @app.get("/readyz")
    def readyz() -> responses.JSONResponse:
        """200 where the whole works, else 503 with what is missing."""
        answer = health.as_json(look(), health.accounts(store))
        return responses.JSONResponse(answer, status_code=200 if answer["ready"] else 503, headers=_HEADERS)

    @app.get("/metrics")
    def metrics() -> responses.Response:
        """Prometheus text; also while the database is away."""
        text, content_type = telemetry.exposition(levels.read(store, now=clock(), budgets=budgets))
        return responses.Response(text, headers={**_HEADERS, "Content-Type": content_type})

    @app.get("/")
    def status() -> responses.HTMLResponse:
        """The page of status."""
        return responses.HTMLResponse(page.render(store, look(), now=clock(), budgets=budgets), headers=_HEADERS)

    return app


def serve(app: fastapi.FastAPI, *, host: str, port: int) -> None:
    """Answer on that address until SIGTERM or SIGINT. Misconfigured where it cannot be taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise errors.Misconfigured(
            f"the console cannot listen there: {reason}",
            place=f"{host}:{port}",
            remedy="stop what listens there, or set TIERWISE_CONSOLE__HOST and TIERWISE_CONSOLE__PORT",
        ) from None
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=SHUTDOWN, lifespan="off"
    )
    with listener:
        address = listener.getsockname()
        telemetry.log(__name__).info("console listens", host=address[0], port=address[1])
        uvicorn.Server(config).run(sockets=[listener])
