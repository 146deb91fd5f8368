"""Records and requests between JSON and the portal: reading a body, showing a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from tierwise_sandbox import kinds, moments
from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.refusals import Refusal
from tierwise_sandbox.store import Record

VERSION = "2026-09"


async def read_object(request: Request) -> tuple[dict[str, Any], int]:
    """The body, which must be a JSON object, and its length in characters."""
    raw = await request.body()
    try:
        text = raw.decode()
        body = json.loads(text)
    except ValueError as error:
        raise Refusal(400, f"Invalid input JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid input JSON: an object was expected.")
    return body, len(text)


async def read_inputs(request: Request, *, most: int = 100) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The inputs of a batch (at most `most` objects) and the whole body."""
    body, _ = await read_object(request)
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or any(not isinstance(item, dict) for item in inputs):
        raise Refusal(400, "Invalid input JSON: some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise Refusal(400, f"The maximum number of inputs in a batch is {most}, was {len(inputs)}.")
    return inputs, body


OLD = "tierwise.old"
"""In the scope of a request that came under an old path."""


def check_path(request: Request) -> Kind:
    """The object type of the path; refuses versions and object types that this portal does not have."""
    if request.path_params["version"] != VERSION:
        raise Refusal(404, f"No such version here; the sandbox speaks {VERSION}.", category="OBJECT_NOT_FOUND")
    object_type = request.path_params["object_type"]
    kind = kinds.find(object_type)
    if kind is None:
        raise Refusal(400, f"Unable to infer object type from: {object_type}")
    return kind


def wanted_properties(names: Iterable[str], kind: Kind = kinds.CONTACTS) -> tuple[str, ...]:
    """Those asked for and those that every answer carries; without any, HubSpot's default set."""
    asked = tuple(names)
    return tuple(dict.fromkeys((*(asked or kind.shown), *sorted(kind.system))))


def listed(request: Request, name: str) -> list[str]:
    """A query parameter given repeatedly or separated by commas."""
    return [part for value in request.query_params.getlist(name) for part in value.split(",") if part]


def shown(
    document: Mapping[str, str], names: Iterable[str], types: Mapping[str, str], kind: Kind = kinds.CONTACTS
) -> dict[str, Any]:
    """A record as the API returns it: known properties that were asked for, null where there is no value."""
    properties = {name: document.get(name) for name in names if name in types}
    return {
        "id": document["hs_object_id"],
        "properties": properties,
        "createdAt": document[kind.created],
        "updatedAt": document[kind.modified],
        "archived": False,
    }


def shown_record(
    record: Record, names: Iterable[str], types: Mapping[str, str], kind: Kind = kinds.CONTACTS
) -> dict[str, Any]:
    return shown(record.properties, names, types, kind)


def batch(results: list[dict[str, Any]], errors: list[dict[str, Any]], started_ms: int, now_ms: int) -> dict[str, Any]:
    """The envelope of a batch answer; `errors` only where there are some."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": moments.iso(started_ms),
        "completedAt": moments.iso(now_ms),
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return body


def status(request: Request, errors: Sequence[object], *, whole: int = 200) -> int:
    """Of a batch answer: partial success has one of its own under the old paths only."""
    return 207 if errors and OLD in request.scope else whole
