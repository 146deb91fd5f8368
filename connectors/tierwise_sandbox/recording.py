"""What was asked of a CRM and what it answered, as JSON lines: to be held against a vendor's description of its API.

Headers are left out, and the bodies of what has to do with logins: no line holds a credential.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OURS = ("/_sandbox", "/contacts", "/static")
_SECRET = ("/token", "/access-token-info")


def recorded(app: ASGIApp, file: Path | None, *, vendor: str) -> ASGIApp:
    """`app`, of which every exchange is appended to `file`; `app` itself where there is none."""
    if file is None:
        return app

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or path == "/" or path.startswith(_OURS):
            await app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        status = 0

        async def receiving() -> Message:
            message = await receive()
            asked.extend(message.get("body") or b"")
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body") or b"")
            await send(message)

        await app(scope, receiving, sending)
        secret = path.endswith(_SECRET)
        line = {
            "vendor": vendor,
            "method": scope["method"],
            "path": path,
            "query": scope.get("query_string", b"").decode(),
            "request": None if secret else _read(bytes(asked)),
            "status": status,
            "response": None if secret else _read(bytes(answered)),
        }
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")

    return wrapped


def _read(body: bytes) -> Any:
    """JSON, or the text that it is; None for nothing."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
