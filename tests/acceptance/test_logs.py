"""What the processes of a run write down: JSON lines with their context, nobody's data and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tierwise.cli import demo

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("own_environment")]

ASKED = ("email", "phone", "message", "lastname", "jobtitle")


def _contacts(running: demo.Running) -> list[dict[str, Any]]:
    body = {"limit": 200, "properties": list(ASKED), "filterGroups": []}
    return list(running.crm._search(body)["results"])


def _personal(contacts: list[dict[str, Any]]) -> set[str]:
    """Texts that would tell who somebody is, long enough not to be met by chance."""
    found = set()
    for contact in contacts:
        shown = contact["properties"]
        found |= {shown.get("email") or "", (shown.get("message") or "")[:40], shown.get("phone") or ""}
    return {text for text in found if len(text) >= 9}


def test_no_line_holds_a_person_or_a_secret_and_every_line_has_its_context() -> None:
    options = demo.Options(leads="80")
    with demo.running(options) as running:
        demo.settle(running, quiet=True)
        contacts, token, home = _contacts(running), running.sandbox.token, running.home
        logs = {path.name: path.read_text() for path in home.glob("logs/*.log")}
    personal = _personal(contacts)
    assert len(personal) > 100
    for name, text in logs.items():
        assert token not in text, name
        lower = text.lower()
        told = [value for value in personal if value.lower() in lower]
        assert not told, (name, len(told))
    lines = [json.loads(line) for line in (logs["worker.log"] + logs["beat.log"]).splitlines()]
    assert all({"timestamp", "level", "event", "logger", "trace"} <= line.keys() for line in lines)
    decided = [line for line in lines if line["event"] == "lead decided"]
    assert len(decided) >= 70
    for line in decided:
        assert {"task", "connection", "lead", "policy", "status", "outcome", "reasons"} <= line.keys()
        assert line["connection"] == demo.NAME
        assert len(line["trace"]) == 32
    assert len({line["lead"] for line in decided}) == len(decided)
    assert not home.exists(), "a demo leaves nothing behind"
