"""Salesforce's REST API: paths, tokens, the day's allowance and what its errors mean; sent through the SDK's session.

The vendor's client builds the requests. Of its ways only `restful` and `query` are used: its record classes renew a
token without end, and its own renewal forgets the headers, of which one keeps leads with their owners.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import simple_salesforce

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import quota, tokens
from tierwise_salesforce.settings import Settings

AUTO_ASSIGN = {"Sforce-Auto-Assign": "FALSE"}
"""On every request: without it an update runs the lead assignment rules, and leads change their owners."""
_CONCURRENT = 20.0  # seconds; the limit on long requests at a time is over when they are
_LOGIN_REMEDIES = {
    "invalid_client_id": "correct client_id: the consumer key of the External Client App",
    "invalid_client": "correct client_id and the client secret, and enable the client credentials flow",
    "invalid_grant": "let an admin pre-authorize the user for the app, and check username, certificate and the clock",
    "app_not_found": "check my_domain and client_id: the app must be installed in this org",
    "invalid_app_access": "give the user access to the app by a permission set",
    "inactive_user": "activate the user, or name another",
}
_STATUSES = {
    401: http.Verdict(http.HttpRefused, "does not accept the token"),
    403: http.Verdict(
        sdk.PauseConnection, "denies access", "grant the user API access and the permission set of ops/salesforce"
    ),
    404: http.Verdict(http.HttpRefused, "does not have this", "check my_domain and api_version"),
    406: http.Verdict(sdk.RetryLater, "cannot answer now"),
    420: http.Verdict(sdk.RetryLater, "cannot answer now"),
}
_BUSY = dict.fromkeys(("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"), http.Verdict(sdk.RetryLater, "is busy"))
_LIMITED = http.Verdict(
    sdk.RetryLater,
    "has no API calls left for today",
    "buy more, or find who uses them up (Setup, System Overview)",
    after=quota.LOOK_AGAIN,
    fault="quota",
)


class Client:
    """One org. `call` and `query` are all there is: JSON in, JSON out."""

    def __init__(
        self, connection: sdk.Connection, settings: Settings, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.settings = settings
        self.place = f"connections.{connection.name}"
        self._name = connection.name
        self._secret = connection.token.strip()
        if not self._secret:
            raise sdk.Misconfigured(
                "there is no token",
                place=f"{self.place}.token",
                remedy="set token_file to the file with the private key (jwt_bearer) or the client secret",
            )
        self._limiter = connection.limiter
        self._quota = quota.of(settings.my_domain)
        self._tokens = tokens.of(settings, self._secret)
        self._session = http.Session(
            self.place,
            limiter=connection.limiter,
            route=self._route,
            judge=self._judge,
            secrets=(self._secret,),
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            sleep=sleep,
        )
        self._vendor = simple_salesforce.Salesforce(
            instance_url=settings.my_domain,
            session_id="given with every request",
            session=self._session,
            version=settings.api_version,
            object_pairs_hook=None,
        )
        # It writes https before every address; a sandbox on this machine has none.
        self._vendor.base_url = f"{settings.my_domain}{self.path('')}"
        self._vendor.headers = {"Content-Type": "application/json", **AUTO_ASSIGN}

    def path(self, tail: str) -> str:
        """Path of a resource, as Composite wants it."""
        return f"/services/data/v{self.settings.api_version}/{tail}"

    def call(self, method: Literal["GET", "POST", "PATCH"], tail: str, body: Any = None) -> Any:
        """The answer's JSON. Raises the families, HttpRefused for what only the caller can judge."""
        more = {} if body is None else {"data": json.dumps(body)}
        return self._with_token(lambda options: self._vendor.restful(tail, method=method, **more, **options))

    def send_table(self, tail: str, table: str) -> None:
        """Put CSV there; raises as `call`."""
        self._with_token(lambda options: self._table("PUT", tail, {**options, "data": table.encode()}))

    def table(self, tail: str) -> str:
        """The CSV that is there; raises as `call`."""
        return str(self._with_token(lambda options: self._table("GET", tail, options)))

    def _table(self, method: str, tail: str, options: dict[str, Any]) -> str:
        kind = {"PUT": "Content-Type", "GET": "Accept"}[method]
        headers = {**AUTO_ASSIGN, kind: "text/csv; charset=UTF-8", **options.pop("headers")}
        answer = self._session.request(
            method, f"{self.settings.my_domain}{self.path(tail)}", headers=headers, **options
        )
        return answer.content.decode("utf-8", "replace")

    def query(self, soql: str, *, deleted: bool = False) -> dict[str, Any]:
        """One page of records. `deleted` shows those in the recycle bin too, merged ones among them."""
        found = self._with_token(lambda options: self._vendor.query(soql, include_deleted=deleted, **options))
        if not isinstance(found, dict) or not isinstance(found.get("records"), list):
            raise sdk.RetryLater("query: the answer has no records", place=self.place)
        return found

    def server_time(self) -> datetime | None:
        """The org's clock by the Date header, whole seconds; None where it sends none. Costs no API call."""
        answer = self._session.request("GET", f"{self.settings.my_domain}/services/data")
        try:
            found = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return None
        return found.astimezone(UTC) if found.tzinfo else None

    def usage(self) -> quota.Usage | None:
        """Calls of the day, as the last answer told them."""
        return self._quota.last()

    def close(self) -> None:
        """Release sockets."""
        self._session.close()

    def _with_token(self, send: Callable[[dict[str, Any]], Any]) -> Any:
        """The answer; with an expired token once more with a new one, all headers included."""
        self._spare_people()
        token = self._token()
        try:
            return self._sent(send, token)
        except http.HttpRefused as refused:
            if refused.status != 401:
                raise
        try:
            return self._sent(send, self._token(stale=token))
        except http.HttpRefused as refused:
            if refused.status != 401:
                raise
            # Its own credentials were accepted just now: what is wrong is not ours, and may pass.
            stormy = sdk.RetryLater(
                "Salesforce does not accept a token that it has just given",
                after=tokens.WINDOW,
                place=self.place,
                remedy=tokens.REMEDY,
            )
            stormy.fault = "unauthorised"
            raise stormy from None

    def _sent(self, send: Callable[[dict[str, Any]], Any], token: str) -> Any:
        try:
            return send({"headers": {"Authorization": f"Bearer {token}"}, "hooks": {"response": self._learn}})
        except ValueError:  # of the vendor's `json()`
            raise sdk.RetryLater(
                "the answer is not JSON", place=self.place, remedy="if it stays so, check my_domain"
            ) from None

    def _token(self, stale: str | None = None) -> str:
        token = self._tokens.current(self._login) if stale is None else self._tokens.renewed(stale, self._login)
        self._session.conceal(token)
        return token

    def _login(self) -> str:
        # By the org's clock: an assertion that is signed a few minutes off is refused.
        now = self.server_time() or datetime.now(UTC)
        body = tokens.form(self.settings, self._secret, now=now.timestamp(), place=self.place)
        answer = self._session.request("POST", f"{self.settings.my_domain}/services/oauth2/token", data=body)
        found = http.document(answer)
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise sdk.RetryLater("login: the answer has no access_token", place=self.place)
        return token

    def _learn(self, answer: http.Response, *_args: Any, **_options: Any) -> None:
        """The day's allowance, from every answer, errors too."""
        self._quota.learn(answer.headers.get("Sforce-Limit-Info", ""))

    def _spare_people(self) -> None:
        wait = self._quota.wait(reserve_percent=self.settings.reserve_percent)
        if wait <= 0:
            return
        # Other processes have not heard of it.
        self._limiter.block(self._bucket, seconds=wait)
        usage = self._quota.last()
        told = f"{usage.used:,} of {usage.allowed:,} API calls of the day are used, " if usage else ""
        spent = sdk.RetryLater(
            f"{told}and {self.settings.reserve_percent:g} % are left for people",
            after=wait,
            place=self.place,
            remedy="find the app that uses them up (Setup, System Overview), or lower reserve_percent",
        )
        spent.fault = "quota"
        raise spent

    @property
    def _bucket(self) -> str:
        return f"salesforce:{self._name}:calls"

    def _route(self, method: str, url: str) -> http.Route:
        """Everything but the start of a bulk job may be sent again: reads, and writes of absolute values."""
        path = url.split("?", maxsplit=1)[0].removeprefix(self.settings.my_domain)
        tail = [part for part in path.split("/")[4:] if part.replace("_", "").isalpha()]
        operation = "salesforce login" if path.endswith("/oauth2/token") else " ".join(["salesforce", method, *tail])
        starts_a_job = method == "POST" and path.endswith("/jobs/ingest")
        rate = self.settings.calls_per_second
        return http.Route(operation, self._bucket, rate, max(1.0, rate), idempotent=not starts_a_job)

    def _judge(self, refusal: http.Refusal) -> http.Verdict | None:
        if isinstance(refusal.document, Mapping) and "error" in refusal.document:
            return self._judge_login(refusal)
        limited = (refusal.status, refusal.category) == (403, "REQUEST_LIMIT_EXCEEDED")
        if limited and "oncurrent" in refusal.message:
            return http.Verdict(sdk.RetryLater, "has too many long requests at a time", after=_CONCURRENT)
        return _LIMITED if limited else _BUSY.get(refusal.category) or _STATUSES.get(refusal.status)

    def _judge_login(self, refusal: http.Refusal) -> http.Verdict | None:
        if refusal.status >= 500 or refusal.status == 429:
            return None
        if "rate" in refusal.message.lower() and "exceeded" in refusal.message.lower():
            return http.Verdict(sdk.RetryLater, "has had too many logins", after=60.0)
        remedy = _LOGIN_REMEDIES.get(refusal.category, "check client_id, username, auth and token_file")
        return http.Verdict(sdk.PauseConnection, "refuses the login", remedy)
