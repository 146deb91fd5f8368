"""The door to requests: the one HTTP session that connectors and the vendors' clients send through.

Adds what neither has: timeouts, bounded retry with jitter, the account's shared budget, a breaker, a span for each
attempt, and errors of our families without headers, tokens or personal data. Knows no CRM.
"""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry import trace
from requests import Response, adapters, exceptions

from tierwise import errors
from tierwise.sdk import breaker as breakers
from tierwise.sdk import calls
from tierwise.sdk.connector import Limiter
from tierwise.sdk.scrub import scrub
from tierwise.sdk.verdicts import STATUSES, HttpRefused, Refusal, Route, Verdict, no_opinion, verdict

__all__ = ["STATUSES", "HttpRefused", "Refusal", "Response", "Route", "Session", "Verdict", "document", "verdict"]

_TRACER = trace.get_tracer("tierwise.sdk.http")
_POOL = 16  # connections kept to one host; more threads than that open one of their own and drop it
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.5, 20.0  # seconds
_LONGEST_BLOCK = 86_400.0  # seconds: no quota is longer than a day, and a wrong date must not stop an account for ever
_REMEMBERED = 8  # later secrets: a token that is renewed every hour must not make the list endless
_UNASKED_BLOCK = 1.0  # seconds without calls when a 429 names no time


class Session(requests.Session):
    """One account's connection pool. Made once and not changed after, it may be used by several threads at a time.

    Every request that goes through (also a vendor client's: only `send` differs) either returns an answer below 300
    or raises one of our families; HttpRefused where the caller may know what to do.
    """

    def __init__(
        self,
        account: str,
        *,
        limiter: Limiter,
        route: Callable[[str, str], Route],
        judge: Callable[[Refusal], Verdict | None] = no_opinion,
        secrets: Collection[str] = (),
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        attempts: int = 4,
        patience: float = 60.0,
        breaker: breakers.Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = calls.wait,
        jitter: Callable[[float, float], float] = random.uniform,
        tracer: trace.Tracer = _TRACER,
    ) -> None:
        """`route` names each (method, URL); `judge` may overrule the table. `patience` bounds all waiting, seconds."""
        super().__init__()
        self.account = account
        self._limiter = limiter
        self._route = route
        self._judge = judge
        self._secrets = tuple(secrets)
        self._given = len(self._secrets)
        self._timeout = (connect_timeout, read_timeout)
        self._attempts = attempts
        self._patience = patience
        self._breaker = breaker
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._tracer = tracer
        # Without an `auth` of its own requests looks into ~/.netrc, and what it finds there replaces our token.
        self.auth = _as_it_is
        # No cookie is kept: nothing in the session changes after this, which is what makes threads safe.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapters.HTTPAdapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0))

    def conceal(self, secret: str) -> None:
        """Leave this out of every error from now on too: a token that was made after the session."""
        if secret not in self._secrets:
            given, later = self._secrets[: self._given], self._secrets[self._given :]
            self._secrets = (*given, *(*later, secret)[-_REMEMBERED:])

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does, but Misconfigured without the offending value, which may be the token."""
        try:
            return super().prepare_request(request)
        except (exceptions.RequestException, UnicodeError):
            raise self._unsendable() from None

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        """Attempts until one is answered, refused for good, or patience ends. Raises the families only."""
        options |= {"timeout": options.get("timeout") or self._timeout, "allow_redirects": False}
        method, url = str(request.method), str(request.url)
        route = self._route(method, url)
        breaker = self._breaker or breakers.of(f"{self.account} {urlsplit(url).netloc}")
        started = self._clock()
        for attempt in range(self._attempts):
            breaker.admit(place=self.account)
            left = max(0.0, self._patience - (self._clock() - started))
            self._limiter.acquire(route.bucket, rate=route.rate, burst=route.burst, timeout=left)
            began = self._clock()
            try:
                answer = self._attempt(request, options, route=route, number=attempt)
            except _Failure as failure:
                _report(breaker, failure)
                self._tell(route, failure.error.fault, began)
                if failure.block is not None:
                    self._limiter.block(route.bucket, seconds=failure.block)
                delay = self._delay(failure.error, attempt)
                spent = self._clock() - started
                last = attempt + 1 >= self._attempts or spent + delay > self._patience
                if last or not failure.again or not (route.idempotent or failure.unprocessed):
                    raise failure.error from None
                self._sleep(delay)
            else:
                breaker.succeeded()
                self._tell(route, calls.RETRIED if attempt else calls.OK, began)
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _tell(self, route: Route, outcome: str, began: float) -> None:
        calls.tell(calls.Call(self.account, route.operation, outcome, self._clock() - began))

    def _attempt(
        self, request: requests.PreparedRequest, options: Mapping[str, Any], *, route: Route, number: int
    ) -> Response:
        place = urlsplit(str(request.url))
        attributes: dict[str, str | int] = {
            "http.request.method": str(request.method),
            "server.address": place.hostname or "",
            "tierwise.account": self.account,
            "http.request.resend_count": number,
        }
        # Exceptions are not recorded on the span: those of requests hold the whole request, headers included.
        with self._tracer.start_as_current_span(
            route.operation,
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                answer = super().send(request, **options)
            except UnicodeError:
                raise _Failure(self._unsendable(), again=False) from None
            except exceptions.RequestException as error:
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise self._broken(error, place.netloc) from None
            span.set_attribute("http.response.status_code", answer.status_code)
            if answer.status_code < 300:
                return answer
            span.set_status(trace.StatusCode.ERROR, str(answer.status_code))
            raise self._refused(answer, route)

    def _unsendable(self) -> errors.Misconfigured:
        return errors.Misconfigured(
            "the address or the token has a character that cannot be sent",
            place=self.account,
            remedy="copy both anew into the connection's settings",
        )

    def _broken(self, error: exceptions.RequestException, host: str) -> _Failure:
        if _stopped_coming(error):
            text = f"the answer of {host} stopped coming for {self._timeout[1]:g} s"
            return _Failure(errors.RetryLater(text, place=self.account), counts=True, fault="timeout")
        match error:
            case exceptions.ReadTimeout():
                text = f"no answer from {host} within {self._timeout[1]:g} s"
                return _Failure(errors.RetryLater(text, place=self.account), counts=True, fault="timeout")
            case exceptions.SSLError():
                told = errors.Unreachable(
                    f"no trusted TLS connection to {host}",
                    place=self.account,
                    remedy="check the address, the machine's certificates (REQUESTS_CA_BUNDLE) and any proxy between",
                )
                return _Failure(told, counts=True, unprocessed=True)
            case exceptions.ConnectTimeout() | exceptions.ProxyError() | exceptions.ConnectionError():
                told = errors.Unreachable(
                    f"{host} cannot be reached",
                    place=self.account,
                    remedy="check the address in the connection's settings, the network and any proxy between",
                )
                # Only these never got the request out; a dropped connection may have.
                never_sent = isinstance(error, exceptions.ConnectTimeout | exceptions.ProxyError)
                return _Failure(told, counts=True, unprocessed=never_sent or _refused_to_connect(error))
            case exceptions.InvalidSchema() | exceptions.InvalidURL():
                return _Failure(self._unsendable(), again=False)
        cut = errors.RetryLater(f"the answer of {host} was cut off", place=self.account)
        return _Failure(cut, counts=True, fault="bad_answer")

    def _refused(self, answer: Response, route: Route) -> _Failure:
        refusal = _read(answer)
        found = (self._judge(refusal) or verdict(refusal.status)).named(refusal.status)
        detail = scrub(refusal.message, self._secrets)
        text = f"{route.operation}: the server {found.sentence} (HTTP {refusal.status})"
        text = f"{text}: {detail}" if detail else text
        if issubclass(found.family, errors.RetryLater):
            asked = _retry_after(refusal.headers)
            after = asked if asked is not None else found.after
            error = found.family(text, after=after, place=self.account, remedy=found.remedy)
            slow_down = refusal.status == 429 or after is not None
            block = (_UNASKED_BLOCK if after is None else after) if slow_down else None
            return _Failure(
                error, block=block, counts=refusal.status >= 500, unprocessed=refusal.status == 429, fault=found.fault
            )
        if issubclass(found.family, HttpRefused):
            category = scrub(refusal.category, self._secrets, limit=80)
            return _Failure(
                found.family(
                    refusal.status,
                    category,
                    message=text,
                    document=refusal.document,
                    place=self.account,
                    remedy=found.remedy,
                ),
                again=False,
                fault=found.fault,
            )
        return _Failure(found.family(text, place=self.account, remedy=found.remedy), again=False, fault=found.fault)

    def _delay(self, error: errors.TierwiseError, attempt: int) -> float:
        """Full jitter (a random part of the whole backoff), but never less than the other side asked for."""
        asked = getattr(error, "after", None) or 0.0
        return max(asked, self._jitter(0.0, min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2**attempt)))


class _Failure(Exception):
    """One attempt that brought no answer: what to raise, and what may be done instead."""

    def __init__(
        self,
        error: errors.TierwiseError,
        *,
        again: bool = True,
        counts: bool = False,
        unprocessed: bool = False,
        block: float | None = None,
        fault: str = "",
    ) -> None:
        super().__init__()
        self.error = error
        error.fault = fault or error.fault
        self.again = again
        self.counts = counts
        """The breaker counts it: the fault is theirs, not the request's."""
        self.unprocessed = unprocessed
        """Certainly without effect, so that even a request that is not idempotent may be sent again."""
        self.block = block


def document(answer: Response) -> Any:
    """The JSON of an answer; RetryLater where it is none (a proxy's page, an answer cut in half)."""
    try:
        return json.loads(answer.content)  # by itself it takes the bytes for Latin-1 where a proxy calls them text
    except ValueError:
        host = urlsplit(str(answer.url)).netloc
        told = errors.RetryLater(
            f"the answer of {host} is not JSON", remedy="if it stays so, check the address in the connection's settings"
        )
        told.fault = "bad_answer"
        raise told from None


def _report(breaker: breakers.Breaker, failure: _Failure) -> None:
    if failure.counts:
        breaker.failed()
    else:
        breaker.succeeded()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _stopped_coming(error: exceptions.RequestException) -> bool:
    """A read timeout in the middle of a body is no ReadTimeout to requests, but a ConnectionError around urllib3's."""
    inner = type(error.args[0]).__name__ if error.args else ""
    return inner == "ReadTimeoutError" and not isinstance(error, exceptions.ReadTimeout)


def _refused_to_connect(error: exceptions.RequestException) -> bool:
    """urllib3 says so only inside: ConnectionError(MaxRetryError(reason=NewConnectionError))."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}


def _read(answer: Response) -> Refusal:
    """Status, category and message, as HubSpot (an object) and Salesforce (a list of objects) spell them."""
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    first = found[0] if isinstance(found, list) and found else found
    first = first if isinstance(first, dict) else {}
    category = next((first[k] for k in ("category", "errorCode", "errorType", "error") if first.get(k)), "")
    message = next((first[k] for k in ("message", "error_description") if first.get(k)), "")
    return Refusal(answer.status_code, str(category), str(message), found, answer.headers)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now; None where the header is missing or unreadable."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text):
        return min(_LONGEST_BLOCK, float(text))
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(_LONGEST_BLOCK, max(0.0, (moment - datetime.now(UTC)).total_seconds()))
