"""The HubSpot-shaped server put together: routes, refusals as JSON, and the layers in front."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tierwise_sandbox import gate, versions
from tierwise_sandbox.association_routes import AssociationRoutes
from tierwise_sandbox.control import Control
from tierwise_sandbox.objects import Objects
from tierwise_sandbox.pages import Pages
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal
from tierwise_sandbox.schema_routes import Schema


def hubspot(portal: Portal, doors: Sequence[Route] = ()) -> ASGIApp:
    """The ASGI application of one portal: API, pages and control door, and the doors of what is served beside it."""
    inner = Starlette(
        routes=[
            *Objects(portal).routes(),
            *AssociationRoutes(portal).routes(),
            *Schema(portal).routes(),
            *Pages(portal).routes(),
            *Control(portal).routes(),
            *doors,
            Route("/", _home, methods=["GET"]),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _missing},
    )
    return versions.aliased(gate.counted(gate.faulty(gate.guarded(inner, portal), portal.faults), portal))


async def _home(_request: Request) -> Response:
    return RedirectResponse("/contacts", 303)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.body(), error.status)


async def _missing(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    category = "METHOD_NOT_ALLOWED" if error.status_code == 405 else "OBJECT_NOT_FOUND"
    refusal = Refusal(error.status_code, "resource not found", category=category)
    return JSONResponse(refusal.body(), error.status_code, error.headers)
