"""What the sandbox records holds no credential, and what differs from a description is found."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tierwise_sandbox.app import hubspot
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.recording import recorded

SCRIPT = Path(__file__).with_name("conform.py")
PATH = "/crm/objects/2026-09/{objectType}/batch/read"
ASKED = {"inputs": [{"id": "1"}], "properties": ["email"]}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _description(**more: Any) -> dict[str, Any]:
    """A document as vendors publish them, of one call."""
    text, several = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
    inputs = {"type": "array", "items": _object(["id"], id=text)}
    schemas = {
        "Asked": _object(["inputs"], inputs=inputs, properties={"type": "array", "items": text}),
        "Told": _object(
            ["status", "results", "startedAt"], status=text, results=several, errors=several,
            numErrors={"type": "integer", "format": "int32"}, startedAt={"type": "string", "format": "date-time"},
            completedAt={"type": "string", "format": "date-time"},
        ),
        **more,
    }  # fmt: skip

    def of(name: str) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}

    return {
        "openapi": "3.0.1",
        "paths": {PATH: {"post": {"requestBody": of("Asked"), "responses": {"200": of("Told")}}}},
        "components": {"schemas": schemas},
    }


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "recording.jsonl"
    portal = Portal()
    app = recorded(hubspot(portal), file, vendor="hubspot")

    async def call() -> list[int]:
        headers = {"Authorization": f"Bearer {portal.token}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal", headers=headers) as client:
            read = await client.post(PATH.replace("{objectType}", "contacts"), json=ASKED)
            token = await client.post("/oauth/v2/private-apps/get/access-token-info", json={"tokenKey": portal.token})
            await client.get("/_sandbox/stats")
        return [read.status_code, token.status_code]

    assert asyncio.run(call()) == [200, 200]
    assert portal.token not in file.read_text()
    assert len(file.read_text().splitlines()) == 2
    return file


def _conform(recording: Path, description: dict[str, Any]) -> tuple[int, dict[str, dict[str, int]]]:
    folder = recording.parent / "described"
    folder.mkdir(exist_ok=True)
    (folder / "objects.json").write_text(json.dumps(description))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(recording), str(folder), "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_what_is_as_described_passes(recording: Path) -> None:
    code, told = _conform(recording, _description())
    assert (code, told["differences"]) == (0, {}), told
    assert sum(told["compared"].values()) == 1
    assert sum(told["not_described"].values()) == 1


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"Asked": _object(["inputs", "after"])}, "'after' is a required property"),
        ({"Asked": _object([], inputs={"type": "string"}, properties={"type": "array"})}, "is not of type 'string'"),
        ({"Told": _object([], status={"type": "string"})}, "were unexpected"),
        ({"Told": {**_object([]), "additionalProperties": {"type": "string", "nullable": True}}}, "is not of type"),
    ],
)
def test_what_differs_is_told_with_its_place(recording: Path, changed: dict[str, Any], word: str) -> None:
    code, told = _conform(recording, _description(**changed))
    assert code == 1
    assert any(word in text for text in told["differences"]), told


def test_nothing_to_compare_is_no_success(recording: Path) -> None:
    assert _conform(recording, {"openapi": "3.0.1", "paths": {}})[0] == 2
