"""The endpoints that tie objects together: associations in batches, and the stages of pipelines."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox import answers, kinds
from tierwise_sandbox.associations import TYPES
from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.other_objects import PIPELINES
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal

MOST_INPUTS = 1_000  # since February 2025
PER_ANSWER = 500
"""Ties of one record that one answer shows."""


class AssociationRoutes:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        return [
            Route(
                "/crm/associations/{version}/{object_type}/{to_object_type}/batch/read",
                self.batch_read,
                methods=["POST"],
            ),
            Route("/crm/pipelines/{version}/{object_type}", self.pipelines, methods=["GET"]),
        ]

    async def batch_read(self, request: Request) -> Response:
        """`{"inputs": [{"id", "after"?}]}`; who has none is an error of its own."""
        kind, to = answers.check_path(request), _to(request)
        if (kind.name, to.name) not in TYPES:
            raise Refusal(400, f"There are no associations from {kind.singular} to {to.singular}.")
        started = int(time.time() * 1000)
        inputs, _ = await answers.read_inputs(request, most=MOST_INPUTS)
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for item in inputs:
            key, after = str(item.get("id", "")), str(item.get("after") or "0")
            if set(item) - {"id", "after"} or not after.isdigit():
                raise Refusal(400, "Invalid input JSON: an input takes id and after.")
            if not key.isascii() or not key.isdigit():
                raise Refusal(400, f"Invalid input JSON: {key!r} is not a record id.")
            record = self.portal.shelf(kind).store.get(key)
            ties = self.portal.associations.of(kind, record, to) if record is not None else []
            if not ties:
                errors.append(_none(kind, to, key))
                continue
            page = ties[int(after) : int(after) + PER_ANSWER]
            result: dict[str, Any] = {"from": {"id": key}, "to": page}
            if int(after) + len(page) < len(ties):
                result["paging"] = {"next": {"after": str(int(after) + len(page))}}
            results.append(result)
        body = answers.batch(results, errors, started, int(time.time() * 1000))
        return JSONResponse(body, answers.status(request, errors))

    async def pipelines(self, request: Request) -> Response:
        kind = answers.check_path(request)
        if kind.name not in PIPELINES:
            raise Refusal(400, f"{kind.title} have no pipelines.")
        key, label, stages = PIPELINES[kind.name]
        shown = [
            {
                "id": value,
                "label": text,
                "displayOrder": place,
                "metadata": {"isClosed": str(closed).lower(), "probability": _probability(closed=closed, won=won)},
                "archived": False,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                **_MADE,
            }
            for place, (value, text, closed, won) in enumerate(stages)
        ]  # fmt: skip
        held = {"id": key, "label": label, "displayOrder": 0, "stages": shown, "archived": False, **_MADE}
        return JSONResponse({"results": [held]})


_MADE = dict.fromkeys(("createdAt", "updatedAt"), "2024-01-15T09:00:00Z")


def _probability(*, closed: bool, won: bool) -> str:
    return "1.0" if won else "0.0" if closed else "0.4"


def _to(request: Request) -> Kind:
    spelling = request.path_params["to_object_type"]
    kind = kinds.find(spelling)
    if kind is None:
        raise Refusal(400, f"Unable to infer object type from: {spelling}")
    return kind


def _none(kind: Kind, to: Kind, key: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {to.singular} is associated with {kind.singular} {key}.",
        "context": {"fromObjectId": [key], "fromObjectType": [kind.singular], "toObjectType": [to.singular]},
        "errors": [],
        "links": {},
    }
