"""Access tokens: one for each account and process, renewed once however many threads find it expired.

A token is asked for with every request and never kept by a caller; Salesforce does not tell when it ends.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

import jwt

from tierwise import sdk
from tierwise_salesforce.settings import Settings

_ASSERTION_SECONDS = 180  # Salesforce takes no assertion that ends later than in five minutes
_RENEWALS = 3  # more new tokens in a row mean that no token helps
WINDOW = 60.0
"""Seconds in which so many are fetched at most, and after which it is worth another try."""
REMEDY = "if it stays so, look at the user's login history and session settings in Salesforce"


class Tokens:
    """The token of one account. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._token = ""
        self._renewed: list[float] = []

    def current(self, fetch: Callable[[], str]) -> str:
        """The token; fetched if there is none yet."""
        with self._lock:
            if not self._token:
                self._token = self._fetched(fetch)
            return self._token

    def renewed(self, stale: str, fetch: Callable[[], str]) -> str:
        """Another token than `stale`. Who comes while one is fetched gets that one.

        RetryLater where several new tokens in a row were not accepted either: Salesforce limits logins.
        """
        with self._lock:
            if self._token == stale:
                self._token = ""
                self._token = self._fetched(fetch)
            return self._token

    def _fetched(self, fetch: Callable[[], str]) -> str:
        now = self._clock()
        self._renewed = [at for at in self._renewed if now - at < WINDOW]
        if len(self._renewed) >= _RENEWALS:
            told = sdk.RetryLater(
                f"{_RENEWALS} new tokens within {WINDOW:g} s, and none is accepted", after=WINDOW, remedy=REMEDY
            )
            told.fault = "unauthorised"
            raise told
        self._renewed.append(now)
        return fetch()


_held: dict[str, Tokens] = {}
_guard = threading.Lock()


def of(settings: Settings, secret: str) -> Tokens:
    """The process's tokens for an account: connections come and go with each task, a login for each would be many."""
    parts = (settings.my_domain, settings.client_id, settings.auth, settings.username, secret)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    with _guard:
        return _held.setdefault(key, Tokens())


def form(settings: Settings, secret: str, *, now: float, place: str) -> dict[str, str]:
    """The body of a token request at `now` (epoch seconds). Misconfigured where the key is none."""
    if settings.auth == "client_credentials":
        return {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": secret,
        }
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        # External Client Apps accept the org's own address only, and no longer login.salesforce.com.
        "aud": settings.my_domain,
        "exp": int(now) + _ASSERTION_SECONDS,
    }
    try:
        assertion = jwt.encode(claims, secret, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise sdk.Misconfigured(
            "the token is no RSA private key",
            place=f"{place}.token",
            remedy="set token_file to the PEM file of the key whose certificate the External Client App has",
        ) from None
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
