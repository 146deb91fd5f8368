"""Real sockets: what in-process clients cannot show."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tierwise_sandbox.serving import listen

ROOT = "/crm/objects/2026-09/contacts"


def test_a_taken_port_is_an_error_and_a_listener_speaks_tcp() -> None:
    sock = listen("127.0.0.1", 0)
    try:
        assert sock.proto == socket.IPPROTO_TCP  # without it asyncio leaves Nagle's algorithm on
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", sock.getsockname()[1])
    finally:
        sock.close()


def test_both_servers_answer_quickly_on_one_connection(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=70, seed=3)
    with httpx.Client(base_url=box.hubspot_url, headers={"Authorization": f"Bearer {box.token}"}) as http:
        started = time.monotonic()
        for _ in range(20):
            assert http.post(f"{ROOT}/search", json={"limit": 1}).json()["total"] == 70
        assert time.monotonic() - started < 0.8  # 20 delayed acknowledgements alone would take that long
        asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        answer = http.post(f"{box.model_url}/v1/chat/completions", json=asked)
        assert "no model at all" in answer.json()["choices"][0]["message"]["content"]
    assert box.stats()["calls"] == {"search": 20}
    assert box.stats()["model_calls"] == 1
    assert set(box.kinds().values()) >= {"strong", "spam", "duplicate", "unreachable"}


@pytest.mark.parametrize(
    ("fault", "carried_out"),
    [
        ({"action": "drop"}, False),
        ({"action": "drop", "after": True}, True),
        ({"action": "truncate"}, True),
    ],
)
def test_a_cut_connection_reaches_the_client_as_one(
    sandbox: Callable[..., Any], fault: dict[str, Any], carried_out: bool
) -> None:
    box = sandbox(leads=1)
    box.faults([{**fault, "match": {"path": "/crm/"}}])
    (key,) = box.kinds()
    with httpx.Client(base_url=box.hubspot_url, headers={"Authorization": f"Bearer {box.token}"}) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.patch(f"{ROOT}/{key}", json={"properties": {"city": "Graz"}})
        assert (len(box.journal()) == 1) is carried_out
        answer = http.get(f"{ROOT}/{key}", params={"properties": "city"})
    assert (answer.json()["properties"]["city"] == "Graz") is carried_out


def test_the_model_waits_as_long_as_it_was_told(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=0, latency_ms=120)
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    started = time.monotonic()
    answer = httpx.post(
        f"{box.model_url}/v1/chat/completions", content=json.dumps(asked), headers={"Authorization": "Bearer x"}
    )
    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.12
    assert box.stats()["model_waited_seconds"] == pytest.approx(0.12)


def test_a_slow_body_outlasts_a_read_timeout_that_every_piece_keeps(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=40)
    box.faults([{"action": "drip", "seconds": 0.6, "match": {"path": "/search"}}])
    started = time.monotonic()
    with httpx.Client(base_url=box.hubspot_url, headers={"Authorization": f"Bearer {box.token}"}, timeout=0.3) as http:
        answer = http.post(f"{ROOT}/search", json={"limit": 40})
        assert len(answer.json()["results"]) == 40
        assert time.monotonic() - started >= 0.6
        assert len(http.get(ROOT).headers.get_list("date")) == 1
