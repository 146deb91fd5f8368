"""Notices over HTTP: as Slack's incoming webhooks take them, and as signed JSON for anybody.

The address of a Slack webhook is its only secret, so it is the notifier's token and is told to nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

import pydantic

from tierwise import errors
from tierwise.sdk import Limiter, Notice, Notifying, http

SIGNATURE = "X-Tierwise-Signature"
"""`t=EPOCH SECONDS,v1=HEX`: HMAC-SHA256 with the token as key over `EPOCH SECONDS.BODY`."""
_MARKS = {"info": "[i]", "warning": "[!]", "critical": "[!!]", "resolved": "[ok]"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackSettings(pydantic.BaseModel):
    """Options of a Slack notifier. Its token is the address of the incoming webhook."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    timeout_seconds: float = pydantic.Field(10, gt=0, le=60, description="Longest wait for an answer.")


class WebhookSettings(pydantic.BaseModel):
    """Options of a webhook. Its token, where one is set, signs every notice."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    url: str = pydantic.Field(description="Address that takes a POST of JSON.")
    timeout_seconds: float = pydantic.Field(10, gt=0, le=60, description="Longest wait for an answer.")


class Slack:
    """One channel."""

    def __init__(self, notifying: Notifying) -> None:
        settings = SlackSettings.model_validate(dict(notifying.options))
        if not notifying.token:
            raise errors.Misconfigured(
                "there is no token", place=f"notifiers.{notifying.name}", remedy="set it to the webhook's address"
            )
        self._url = _address(notifying.token, f"notifiers.{notifying.name}.token")
        self._session = _session(notifying, settings.timeout_seconds, secrets=(self._url, urlsplit(self._url).path))

    def notify(self, notice: Notice) -> None:
        """One message. Raises what `sdk.http.Session` raises."""
        title, text, link = (part.translate(_ESCAPES) for part in (notice.title, notice.text, notice.link))
        lines = [f"{_MARKS[notice.severity]} *{title}*", text, f"<{link}>" if link else ""]
        self._session.request("POST", self._url, json={"text": "\n".join(filter(None, lines))})

    def close(self) -> None:
        """Release sockets."""
        self._session.close()


class Webhook:
    """One address."""

    def __init__(self, notifying: Notifying) -> None:
        settings = WebhookSettings.model_validate(dict(notifying.options))
        self._url = _address(settings.url, f"notifiers.{notifying.name}.url")
        self._key = notifying.token.encode()
        self._session = _session(notifying, settings.timeout_seconds, secrets=(notifying.token,) if self._key else ())

    def notify(self, notice: Notice) -> None:
        """The notice as JSON. A repeat has the same `key` and `at`. Raises what `sdk.http.Session` raises."""
        body = json.dumps({**notice._asdict(), "at": notice.at.isoformat()}).encode()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers[SIGNATURE] = sign(body, key=self._key, at=int(notice.at.timestamp()))
        self._session.request("POST", self._url, data=body, headers=headers)

    def close(self) -> None:
        """Release sockets."""
        self._session.close()


def sign(body: bytes, *, key: bytes, at: int) -> str:
    """The value of the header, for whoever checks it. `at` is the notice's own time, so that repeats are equal."""
    digest = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class _Unlimited:
    """A few notices an hour: nobody's budget is touched."""

    def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
        del bucket, rate, burst, timeout

    def block(self, bucket: str, *, seconds: float) -> None:
        del bucket, seconds


def _session(notifying: Notifying, seconds: float, *, secrets: tuple[str, ...]) -> http.Session:
    place = f"notifiers.{notifying.name}"
    limiter: Limiter = _Unlimited()
    # A notice that comes twice does less harm than one that does not come.
    route = http.Route(f"notify {notifying.name}", place, 1.0, 1.0, idempotent=True)

    def judge(refusal: http.Refusal) -> http.Verdict | None:
        # Bodies of such services repeat the address at times; what they say of our message helps nobody.
        return None if refusal.status in http.STATUSES or refusal.status >= 500 else _REFUSED

    options: dict[str, Any] = {"attempts": 3, "patience": 2 * seconds, "read_timeout": seconds}
    return http.Session(place, limiter=limiter, route=lambda *_: route, judge=judge, secrets=secrets, **options)


_REFUSED = http.Verdict(http.HttpRefused, "refuses the notice", "check the address, and whether it still exists")


def _address(url: str, place: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme != "https" and not (parts.scheme == "http" and _inside(parts.hostname or "")):
        raise errors.Misconfigured("must be an https address", place=place, remedy="http is for this machine only")
    return url.strip()


def _inside(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host  # a neighbour in the same network of containers
