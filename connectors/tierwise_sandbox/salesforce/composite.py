"""POST /composite: up to 25 subrequests for the price of one call, at most 5 of them queries or collections.

Headers of the outer request are not handed down: a subrequest says itself that assignment rules must not run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.org import Org
from tierwise_sandbox.salesforce.refusals import Refusal

MAX_REQUESTS, MAX_HEAVY = 25, 5
_FORBIDDEN = {"accept", "authorization", "content-type"}


def answer(org: Org, call: Call, dispatch: Callable[[Call], Answer]) -> Answer:
    """Carry out the subrequests in order. Refusal for a request that breaks a limit."""
    body = call.object()
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise Refusal("JSON_PARSER_ERROR", "Can not deserialize: compositeRequest must be a list of objects")
    if len(parts) > MAX_REQUESTS:
        raise Refusal("LIMIT_EXCEEDED", f"Cannot submit more than {MAX_REQUESTS} subrequests in a composite request")
    names = [part.get("referenceId") for part in parts]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise Refusal("INVALID_INPUT", "Each subrequest needs a referenceId of its own")
    calls = [_call(call, part) for part in parts]
    heavy = sum(inner.path.startswith(("/query", "/composite/sobjects")) for inner in calls)
    if heavy > MAX_HEAVY:
        message = f"Cannot submit more than {MAX_HEAVY} query or sObject Collections subrequests"
        raise Refusal("LIMIT_EXCEEDED", message)
    every = body.get("allOrNone") is True
    with org.records.transaction() as roll_back:
        results = _carried_out(calls, dispatch, stop=every)
        if every and any(result.status >= 400 for result in results):
            roll_back()
    return Answer(200, {"compositeResponse": _shown(results, names)})


def _carried_out(calls: Sequence[Call], dispatch: Callable[[Call], Answer], *, stop: bool) -> list[Answer]:
    halted = Refusal("PROCESSING_HALTED", "The transaction was rolled back since another operation in the same "
                     "transaction failed.")  # fmt: skip
    results: list[Answer] = []
    for inner in calls:
        try:
            results.append(dispatch(inner))
        except Refusal as refusal:
            results.append(Answer(refusal.status, refusal.body()))
            if stop:
                return [
                    *(Answer(400, halted.body()) for _ in results[:-1]),
                    results[-1],
                    *(Answer(400, halted.body()) for _ in calls[len(results) :]),
                ]
    return results


def _shown(results: Sequence[Answer], names: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"body": result.content, "httpHeaders": {}, "httpStatusCode": result.status, "referenceId": name}
        for result, name in zip(results, names, strict=True)
    ]


def _call(outer: Call, part: Mapping[str, Any]) -> Call:
    url = urlsplit(str(part.get("url", "")))
    headers = part.get("httpHeaders") or {}
    if not isinstance(headers, dict) or {name.lower() for name in headers} & _FORBIDDEN:
        raise Refusal("INVALID_INPUT", f"httpHeaders of a subrequest may not set {', '.join(sorted(_FORBIDDEN))}")
    if not url.path.startswith(f"{outer.root}/"):
        raise Refusal("INVALID_INPUT", f"The url of a subrequest must begin with {outer.root}/, was {url.path}")
    path = url.path.removeprefix(outer.root)
    if path == "/composite" or path.startswith("/jobs"):
        raise Refusal("INVALID_INPUT", f"{path} cannot be a subrequest")
    body = part.get("body")
    return Call(
        str(part.get("method", "GET")).upper(),
        outer.version,
        path,
        query=dict(parse_qsl(url.query)),
        headers={name.lower(): str(value) for name, value in headers.items()},
        body=b"" if body is None else json.dumps(body).encode(),
    )
