"""What a line is about."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from io import StringIO

from opentelemetry import trace

from tierwise import telemetry
from tierwise.telemetry import context

log = telemetry.log("tierwise.test")
Configure = Callable[..., StringIO]


def _lines(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_bound_context_is_on_every_line_inside_and_on_none_outside(logs: Configure) -> None:
    stream = logs()
    with telemetry.bind(trace="a" * 32, connection="hubspot-emea", policy=None):
        log.info("one")
        with telemetry.bind(task="qualify", lead=telemetry.lead_ref("hubspot-emea", "7")):
            log.info("two")
        log.info("three")
    log.info("four")
    one, two, three, four = _lines(stream)
    assert (one["trace"], one["connection"]) == ("a" * 32, "hubspot-emea")
    assert "policy" not in one
    assert (two["task"], two["connection"]) == ("qualify", "hubspot-emea")
    assert two["lead"] == telemetry.lead_ref("hubspot-emea", "7")
    assert "task" not in three
    assert "connection" not in four


def test_coroutines_keep_their_own_context(logs: Configure) -> None:
    stream = logs()

    async def one(name: str) -> None:
        with telemetry.bind(lead=telemetry.lead_ref("c", name)):
            await asyncio.sleep(0)
            log.info("decided", name=name)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(name) for name in "abc"))

    asyncio.run(all_of_them())
    found = [line for line in _lines(stream) if line["event"] == "decided"]
    assert {line["name"]: line["lead"] for line in found} == {name: telemetry.lead_ref("c", name) for name in "abc"}


def test_every_line_has_a_trace(logs: Configure) -> None:
    stream = logs()
    log.info("one")
    log.info("two")
    first, second = (line["trace"] for line in _lines(stream))
    assert first == second, "lines outside any work share the trace of their process"
    assert re.fullmatch(r"[0-9a-f]{32}", str(first))


def test_a_reference_is_stable_short_and_not_the_id() -> None:
    assert telemetry.lead_ref("hubspot-emea", "51234567890") == telemetry.lead_ref("hubspot-emea", "51234567890")
    assert telemetry.lead_ref("a", "bc") != telemetry.lead_ref("ab", "c")
    assert re.fullmatch(r"L[0-9a-f]{12}", telemetry.lead_ref("c", "ada@example.com\ud800"))


def test_a_trace_is_that_of_the_current_span() -> None:
    assert telemetry.new_trace() != telemetry.new_trace()
    span = trace.NonRecordingSpan(trace.SpanContext(trace_id=0xABC, span_id=1, is_remote=False))
    with trace.use_span(span):
        assert telemetry.new_trace() == f"{0xABC:032x}"
        assert context.add_trace(None, "info", {})["trace"] == f"{0xABC:032x}"
    assert context.add_trace(None, "info", {"trace": "kept"})["trace"] == "kept"
