"""The console over HTTP."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from typing import Any, cast

import pytest
from prometheus_client import parser

from tierwise import console, errors, ports

SERVER = """
import sys
from tierwise import console, telemetry
telemetry.configure("json", "info")
console.serve(console.create_app(None), host="127.0.0.1", port=0)
"""


def test_alive_needs_nothing(fake: Any, client: Any) -> None:
    fake.down = errors.Unreachable("gone")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_ready(busy: Any, client: Any) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["missing"] == []


def test_not_ready_names_what_is_missing(busy: Any, client: Any) -> None:
    busy.beats = [beat for beat in busy.beats if beat.role != "beat"]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["missing"] == ["beat"]
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert checks["beat"]["detail"] == "no sign of life yet"


@pytest.mark.parametrize("down", [False, True])
def test_metrics_are_prometheus_text(busy: Any, client: Any, down: bool) -> None:
    busy.down = errors.Unreachable("gone") if down else None
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in parser.text_string_to_metric_families(answer.text)}
    assert families["tierwise_database_up"].samples[0].value == (0 if down else 1)
    assert "process_cpu_seconds" in families
    assert ("tierwise_leads" in families) is not down
    assert all(family.documentation for family in families.values())


@pytest.mark.parametrize("path", ["/", "/readyz", "/metrics", "/healthz"])
def test_answers_are_never_kept_and_never_run_code(busy: Any, client: Any, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_nothing_else_is_there_and_nothing_can_be_changed(client: Any) -> None:
    for path in ("/docs", "/openapi.json", "/redoc", "/metrics/"):
        assert client.get(path).status_code in {404, 307}
    for path in ("/", "/readyz"):
        assert client.request("POST", path).status_code == 405


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app = console.create_app(cast(ports.Store, None))
        with pytest.raises(errors.Misconfigured, match="cannot listen") as caught:
            console.serve(app, host="127.0.0.1", port=port)
    assert caught.value.place == f"127.0.0.1:{port}"
    assert "TIERWISE_CONSOLE__PORT" in caught.value.remedy


def test_it_serves_until_it_is_told_to_end() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            port = json.loads(server.stderr.readline())["port"]
            deadline = time.monotonic() + 20
            while True:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                try:
                    connection.request("GET", "/healthz")
                    answer = connection.getresponse()
                    break
                except ConnectionError:
                    assert time.monotonic() < deadline
                finally:
                    connection.close()
            assert answer.status == 200
            assert answer.getheader("server") is None
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) in {0, -signal.SIGTERM}
            assert "Traceback" not in server.stderr.read()
        finally:
            server.kill()
