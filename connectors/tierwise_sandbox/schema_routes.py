"""The endpoints about the portal itself: properties, groups, account, usage, token."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import answers, moments
from tierwise_sandbox.definitions import Definitions
from tierwise_sandbox.portal import PORTAL_ID, Portal
from tierwise_sandbox.refusals import Refusal

_USER_ID, _APP_ID = 5_000_123, 7_700_001


class Schema:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        root = "/crm/properties/{version}/{object_type}"
        return [
            Route(f"{root}/groups", self.groups, methods=["GET", "POST"]),
            Route(f"{root}/groups/{{name}}", self.group, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{root}/batch/create", self.batch_create, methods=["POST"]),
            Route(f"{root}/batch/read", self.batch_read, methods=["POST"]),
            Route(root, self.properties, methods=["GET", "POST"]),
            Route(f"{root}/{{name}}", self.property, methods=["GET", "PATCH", "DELETE"]),
            Route("/account-info/{version}/details", self.details, methods=["GET"]),
            Route("/account-info/{version}/api-usage/daily/private-apps", self.usage, methods=["GET"]),
            Route("/oauth/v2/private-apps/get/access-token-info", self.token_info, methods=["POST"]),
        ]

    def _definitions(self, request: Request) -> Definitions:
        return self.portal.shelf(answers.check_path(request)).definitions

    async def properties(self, request: Request) -> Response:
        definitions = self._definitions(request)
        if request.method == "GET":
            return JSONResponse({"results": definitions.properties()})
        body, _ = await answers.read_object(request)
        return JSONResponse(definitions.create_property(body), 201)

    async def property(self, request: Request) -> Response:
        definitions = self._definitions(request)
        name = request.path_params["name"]
        if request.method == "DELETE":
            definitions.remove_property(name)
            return Response(status_code=204)
        if request.method == "PATCH":
            body, _ = await answers.read_object(request)
            return JSONResponse(definitions.change_property(name, body))
        return JSONResponse(definitions.property(name))

    async def batch_create(self, request: Request) -> Response:
        """Each property alone: those that are refused are in `errors`."""
        definitions = self._definitions(request)
        started = int(time.time() * 1000)
        inputs, _ = await answers.read_inputs(request)
        results: list[dict[str, Any]] = []
        errors = []
        for item in inputs:
            try:
                results.append(definitions.create_property(item))
            except Refusal as refusal:
                entry = refusal.entry(None)
                entry["context"] = {**entry["context"], "name": [str(item.get("name"))]}
                errors.append(entry)
        body = answers.batch(results, errors, started, int(time.time() * 1000))
        return JSONResponse(body, answers.status(request, errors, whole=201 if answers.OLD in request.scope else 200))

    async def batch_read(self, request: Request) -> Response:
        definitions = self._definitions(request)
        started = int(time.time() * 1000)
        inputs, _ = await answers.read_inputs(request)
        results, missing = [], []
        known = {held["name"]: held for held in definitions.properties()}
        for item in inputs:
            name = str(item.get("name"))
            if name in known:
                results.append(known[name])
            else:
                missing.append(name)
        refusal = Refusal(404, "Some properties do not exist.", category="OBJECT_NOT_FOUND", context={"name": missing})
        errors = [refusal.entry(None)] if missing else []
        body = answers.batch(results, errors, started, int(time.time() * 1000))
        return JSONResponse(body, answers.status(request, errors))

    async def groups(self, request: Request) -> Response:
        definitions = self._definitions(request)
        if request.method == "GET":
            return JSONResponse({"results": definitions.groups()})
        body, _ = await answers.read_object(request)
        return JSONResponse(definitions.create_group(body), 201)

    async def group(self, request: Request) -> Response:
        definitions = self._definitions(request)
        name = request.path_params["name"]
        if request.method == "DELETE":
            definitions.remove_group(name)
            return Response(status_code=204)
        if request.method == "PATCH":
            body, _ = await answers.read_object(request)
            return JSONResponse(definitions.change_group(name, body))
        return JSONResponse(definitions.group(name))

    async def details(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "portalId": PORTAL_ID,
                "accountType": "DEVELOPER_TEST",
                "timeZone": "Europe/Berlin",
                "companyCurrency": "EUR",
                "additionalCurrencies": [],
                "utcOffset": "+01:00",
                "utcOffsetMilliseconds": 3_600_000,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    async def usage(self, _request: Request) -> Response:
        limits = self.portal.limits
        now = int(time.time() * 1000)
        return JSONResponse(
            {
                "results": [
                    {
                        "name": "private-apps-api-calls-daily",
                        "usageLimit": limits.daily or 250_000,
                        "currentUsage": limits.used_today,
                        "collectedAt": moments.iso(now),
                        "fetchStatus": "SUCCESS",
                        "resetsAt": moments.iso(now - now % 86_400_000 + 86_400_000),
                    }
                ]
            }
        )

    async def token_info(self, request: Request) -> Response:
        body, _ = await answers.read_object(request)
        if body.get("tokenKey") != self.portal.token:
            raise Refusal(404, "The private app access token was not found.", category="OBJECT_NOT_FOUND")
        return JSONResponse(
            {
                "userId": _USER_ID,
                "hubId": PORTAL_ID,
                "appId": _APP_ID,
                "scopes": sorted(self.portal.scopes),
            }
        )
