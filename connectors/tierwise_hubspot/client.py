"""HubSpot's dated API: paths, budgets and what its errors mean; sent through the SDK's session.

The vendor's client builds the requests. Its own ways of sending are not used: no timeout, a new connection for each
call, errors printed, and resource classes that end with API v3 in September 2027.
"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from hubspot.utils.requests.http_request_builder import Request

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import quota
from tierwise_hubspot.settings import Settings

# Seconds to wait where a 429 names a policy; HubSpot sends no Retry-After with it.
_POLICIES = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 3.0, "DAILY": 900.0}
_SCOPES = ("requiredGranularScopes", "requiredScopes")
_USER_AGENT = "tierwise"


class Denied(sdk.PauseConnection):
    """The account lets us in, but not to this."""


class Client:
    """One portal. `call` is all there is: method, path, JSON in, JSON out."""

    def __init__(self, connection: sdk.Connection, settings: Settings) -> None:
        self.settings = settings
        self.place = f"connections.{connection.name}"
        self.token = connection.token.strip()
        if not self.token:
            raise sdk.Misconfigured(
                "there is no token",
                place=f"{self.place}.token",
                remedy="put a service key or the token of a private app into the settings",
            )
        self._name = connection.name
        self._limiter = connection.limiter
        self.daily = quota.Daily(reserve_percent=settings.reserve_percent)
        self._session = http.Session(
            self.place,
            limiter=connection.limiter,
            route=self._route,
            judge=self._judge,
            secrets=(self.token,),
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )

    def call(self, method: Literal["GET", "POST", "PATCH"], path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises the families, HttpRefused for what only the caller can judge."""
        return http.document(self._send(method, path, body))

    def headers(self, path: str) -> Mapping[str, str]:
        """Headers of the answer to a GET."""
        return self._send("GET", path, None).headers

    def objects(self, tail: str, object_type: str | None = None) -> str:
        """Path of something of an object type, by default the connection's."""
        return f"/crm/objects/{self.settings.api_version}/{quote(object_type or self.settings.object_type)}/{tail}"

    def properties(self, tail: str = "", object_type: str | None = None) -> str:
        """Path of an object type's property definitions."""
        path = f"/crm/properties/{self.settings.api_version}/{quote(object_type or self.settings.object_type)}"
        return f"{path}/{tail}" if tail else path

    def associations(self, to: str, object_type: str | None = None) -> str:
        """Path of what records of an object type are associated with, in batches."""
        kind = quote(object_type or self.settings.object_type)
        return f"/crm/associations/{self.settings.api_version}/{kind}/{quote(to)}/batch/read"

    def pipelines(self, object_type: str) -> str:
        """Path of an object type's pipelines with their stages."""
        return f"/crm/pipelines/{self.settings.api_version}/{quote(object_type)}"

    def account(self, tail: str) -> str:
        """Path of something about the account."""
        return f"/account-info/{self.settings.api_version}/{tail}"

    def close(self) -> None:
        """Release sockets."""
        self._session.close()

    def _send(self, method: str, path: str, body: Any) -> http.Response:
        options: dict[str, Any] = {"method": method, "path": path}
        if body is not None:
            options["body"] = spelled(body)
        built = Request(
            {"base_url": self.settings.base_url, "access_token": self.token, "user_agent": _USER_AGENT}, options
        )
        if self._shared(path):
            self._keep_reserve()
        answer = self._session.request(built.get_method(), built.get_url(), **built.get_options_for_sending())
        self.daily.hear(answer.headers)
        return answer

    def _shared(self, path: str) -> bool:
        """Whether the call is part of the work that goes on by itself, and ends where the reserve begins."""
        return path.startswith(("/crm/objects/", "/crm/associations/"))

    def _keep_reserve(self) -> None:
        """RetryLater where only the reserve is left of today's calls: until they are counted anew."""
        if not self.daily.spent():
            return
        found = quota.entry(self.call("GET", self.account("api-usage/daily/private-apps")))
        if found is not None:
            self.daily.learn(found)
        if not self.daily.spent():
            return
        seconds, known = self.daily.wait(), self.daily.known
        for bucket in (self._bucket("search"), self._bucket("calls")):
            self._limiter.block(bucket, seconds=seconds)
        left = f"{known.left:,} of {known.limit:,}" if known is not None else "few"
        told = sdk.RetryLater(
            f"{left} of today's calls are left, and {self.settings.reserve_percent} % are kept for people",
            after=seconds,
            place=self.place,
            remedy="it goes on by itself when HubSpot counts anew; set reserve_percent to keep less",
        )
        told.fault = "quota"
        raise told

    def _bucket(self, name: str) -> str:
        return f"hubspot:{self._name}:{name}"

    def _route(self, method: str, url: str) -> http.Route:
        """Everything we send may be sent again: reads, absolute values, and creations that a repeat finds existing."""
        path = url.removeprefix(self.settings.base_url).split("?")[0].rstrip("/")
        if path.endswith("/search"):
            return http.Route("hubspot search", self._bucket("search"), *self.settings.searches)
        parts = [part for part in path.split("/") if part and not part.isdigit()]
        known = [part for part in parts if part in _OPERATIONS]
        operation = " ".join(["hubspot", method, *known])
        # What a person asks for, and how much is left, is answered from the reserve too.
        bucket = "calls" if self._shared(path) else "account"
        return http.Route(operation, self._bucket(bucket), *self.settings.calls)

    def _judge(self, refusal: http.Refusal) -> http.Verdict | None:
        document = refusal.document if isinstance(refusal.document, dict) else {}
        match refusal.status:
            case 401 | 530:  # 530: the token has not even the form of one
                return http.Verdict(
                    sdk.PauseConnection,
                    "does not accept the token",
                    f"renew it in HubSpot and set it as {self.place}.token",
                )
            case 403:
                scopes = sorted(set(_scopes(document)))
                wanted = f"scope {', '.join(scopes)}" if scopes else "the missing scope"
                return http.Verdict(
                    Denied,
                    f"denies access; {wanted} is missing" if scopes else "denies access",
                    f"grant the app or service key {wanted}, then put its new token into the settings",
                )
            case 404:
                return http.Verdict(
                    http.HttpRefused, "does not have this", "check object_type, api_version and base_url"
                )
            case 429:
                after = _POLICIES.get(str(document.get("policyName", "")))
                sentence = "wants fewer calls" if after != _POLICIES["DAILY"] else "has no calls left for today"
                fault = "quota" if after == _POLICIES["DAILY"] else "rate_limited"
                return http.Verdict(sdk.RetryLater, sentence, after=after, fault=fault)
        return None


def spelled(body: Any) -> str:
    """JSON as it is sent, without spaces: a search takes 3,000 characters."""
    return json.dumps(body, separators=(",", ":"))


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The moment in a Date header; None where it is missing or unreadable."""
    try:
        found = email.utils.parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


_OPERATIONS = frozenset(
    {
        "objects",
        "properties",
        "groups",
        "associations",
        "pipelines",
        "batch",
        "read",
        "update",
        "create",
        "account-info",
        "details",
        "oauth",
    }
)


def _scopes(document: Any) -> Iterator[str]:
    """Every scope named anywhere in the body: which level it is on differs between endpoints."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in _SCOPES and isinstance(value, list):
                yield from (str(scope) for scope in value)
            else:
                yield from _scopes(value)
    elif isinstance(document, list):
        for value in document:
            yield from _scopes(value)
