"""What was asked and answered is kept word for word, without headers, logins, and what is the sandbox's own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from tierwise_sandbox.app import hubspot
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.recording import recorded

SEARCH = "/crm/objects/2026-09/contacts/search"
CALLS: list[tuple[str, str, Any]] = [
    ("POST", f"{SEARCH}?a=b", {"limit": 1}),
    ("POST", SEARCH, b"no JSON"),
    ("GET", "/nowhere", None),
    ("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "TOKEN"}),
    ("GET", "/_sandbox/stats", None),
    ("GET", "/", None),
]


def test_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    portal = Portal(token="TOKEN")
    app = recorded(hubspot(portal), file, vendor="hubspot")

    async def call() -> list[Any]:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": "Bearer TOKEN"}
        async with httpx.AsyncClient(transport=transport, base_url="http://portal", headers=headers) as client:
            answers = []
            for method, path, body in CALLS:
                content = body if isinstance(body, bytes) else json.dumps(body) if body is not None else None
                answers.append(await client.request(method, path, content=content))
            return answers

    answers = asyncio.run(call())
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["method"], line["path"]) for line in found] == [(one[0], one[1].split("?")[0]) for one in CALLS[:4]]
    assert [line["status"] for line in found] == [answer.status_code for answer in answers[:4]]
    first, wrong, _, login = found
    assert (first["query"], first["request"], first["response"]) == ("a=b", {"limit": 1}, answers[0].json())
    assert wrong["request"] == "no JSON"
    assert (login["request"], login["response"]) == (None, None)
    assert "TOKEN" not in file.read_text(encoding="utf-8")


def test_nothing_stands_between_where_nothing_is_recorded() -> None:
    app = hubspot(Portal())
    assert recorded(app, None, vendor="hubspot") is app
