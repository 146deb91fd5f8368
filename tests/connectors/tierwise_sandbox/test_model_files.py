from __future__ import annotations

import httpx
import pytest

from tierwise_sandbox import model_files
from tierwise_sandbox.model_files import Files
from tierwise_sandbox.model_requests import BadAsk


def form(name: str, content: bytes, **fields: str) -> tuple[str, bytes]:
    """Content-Type and body as a client sends them."""
    request = httpx.Request("POST", "http://x/", files={"file": (name, content)}, data=fields)
    return request.headers["content-type"], request.read()


@pytest.mark.parametrize(
    "content", [b'{"a": 1}\n{"a": 2}\n', "Grüße – ok\n".encode(), b"\r\n--x\r\n\x00\xff", b"x"], ids=repr
)
def test_what_is_uploaded_is_kept_byte_for_byte(content: bytes) -> None:
    assert model_files.upload(*form("in.jsonl", content, purpose="batch")) == ("in.jsonl", "batch", content)


@pytest.mark.parametrize(
    ("name", "content", "purpose", "word"),
    [
        ("in.txt", b"x", "batch", "jsonl"),
        ("in.jsonl", b"", "batch", "empty"),
        ("in.jsonl", b"x", "fun", "purpose"),
    ],
)
def test_a_form_that_the_provider_would_refuse(name: str, content: bytes, purpose: str, word: str) -> None:
    with pytest.raises(BadAsk, match=word):
        model_files.upload(*form(name, content, purpose=purpose))


def test_a_body_that_is_no_form_is_refused() -> None:
    with pytest.raises(BadAsk, match="multipart"):
        model_files.upload("application/json", b"{}")
    with pytest.raises(BadAsk, match="file"):
        model_files.upload("multipart/form-data; boundary=x", b"--x--\r\n")


def test_files_are_listed_newest_first_and_deleted_once() -> None:
    files = Files(now=lambda: 1000.0)
    first, second = files.add("a.jsonl", "batch", b"1"), files.add("b.jsonl", "batch", b"22")
    assert [item["id"] for item in files.listed()] == [second.id, first.id]
    assert second.shown()["bytes"] == 2
    assert files.delete(first.id)
    assert not files.delete(first.id)
    assert files.get(first.id) is None
