"""The old paths of the API, served by the same handlers as the dated ones: generated clients know no others.

HubSpot keeps v3 until September 2027. Only paths and the status of partial success differ here; the real v3
checks less on writes.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from tierwise_sandbox.answers import OLD, VERSION

_OLD = re.compile(r"^/crm/(?:v3/(objects|properties|pipelines)|v4/(associations))(?=/|$)")


def dated(path: str) -> str:
    """/crm/v3/objects/contacts -> /crm/objects/2026-09/contacts; other paths as they are."""
    return _OLD.sub(lambda old: f"/crm/{old[1] or old[2]}/{VERSION}", path, count=1)


def aliased(app: ASGIApp) -> ASGIApp:
    """`app`, reached under old paths too."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (path := dated(scope["path"])) != scope["path"]:
            scope = {**scope, "path": path, "raw_path": path.encode(), OLD: True}
        await app(scope, receive, send)

    return wrapped
