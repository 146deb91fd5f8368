from __future__ import annotations

import pytest
from starlette.requests import Request

from tierwise_sandbox.loopback import is_local


def request(client: str | None, **headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (client, 1) if client else None})


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("testclient", True), ("192.0.2.7", False), ("evil", False), (None, False)],
)
def test_only_this_machine_is_local(host: str | None, local: bool) -> None:
    assert is_local(request(host)) is local


def test_a_web_page_of_another_site_is_not_local() -> None:
    assert not is_local(request("127.0.0.1", origin="http://elsewhere.example", host="127.0.0.1:80"))
    assert is_local(request("127.0.0.1", origin="http://127.0.0.1:80", host="127.0.0.1:80"))
