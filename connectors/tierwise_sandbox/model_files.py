"""Files as OpenAI's API keeps them: uploaded by form, listed, read and deleted."""

from __future__ import annotations

import email.parser
import email.policy
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tierwise_sandbox.model_requests import BadAsk

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


@dataclass(frozen=True)
class File:
    """One file; `made` in seconds since 1970."""

    id: str
    name: str
    purpose: str
    content: bytes
    made: int

    def shown(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.made,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
            "expires_at": None,
        }


class Files:
    """What was uploaded or written by a batch, and not deleted."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._files: dict[str, File] = {}

    def add(self, name: str, purpose: str, content: bytes) -> File:
        """A new file under an id of its own."""
        made = File(f"file-{secrets.token_hex(12)}", name, purpose, content, int(self._now()))
        self._files[made.id] = made
        return made

    def get(self, key: str) -> File | None:
        """None where there is none, or none any more."""
        return self._files.get(key)

    def delete(self, key: str) -> bool:
        """Whether there was one."""
        return self._files.pop(key, None) is not None

    def listed(self) -> list[dict[str, Any]]:
        """The newest first."""
        return [held.shown() for held in reversed(self._files.values())]


def upload(kind: str, body: bytes) -> tuple[str, str, bytes]:
    """Name, purpose and content of an upload form; `kind` is its Content-Type. Raises BadAsk as the provider would."""
    parts = _parts(kind, body)
    if "file" not in parts:
        raise BadAsk("'file' is a required property")
    purpose = parts.get("purpose", ("", b""))[1].decode("utf-8", "replace")
    if purpose not in PURPOSES:
        raise BadAsk(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'")
    name, content = parts["file"]
    if not content:
        raise BadAsk("The file is empty.")
    if purpose in {"batch", "fine-tune"} and not name.endswith(".jsonl"):
        raise BadAsk(f"Invalid file format for {purpose}: .jsonl is required")
    return name, purpose, content


def _parts(kind: str, body: bytes) -> Mapping[str, tuple[str, bytes]]:
    if not kind.startswith("multipart/form-data"):
        raise BadAsk("a multipart/form-data body is required")
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    found = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        named = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(named, str) and isinstance(content, bytes):
            found[named] = (part.get_filename() or "", content)
    return found
