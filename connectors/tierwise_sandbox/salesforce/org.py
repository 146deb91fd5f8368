"""One org: its schema, records, sessions, usage and switches, shared by everything that answers for it."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tierwise_sandbox.faults import Faults
from tierwise_sandbox.salesforce import spelling
from tierwise_sandbox.salesforce.records import Records
from tierwise_sandbox.salesforce.schema import Schema
from tierwise_sandbox.salesforce.switches import Switches

MY_DOMAIN = "https://tierwise-sandbox.my.salesforce.com"
ORG_ID = spelling.record_id("00D", 1)
API_USER, ADMIN = spelling.record_id("005", 1), spelling.record_id("005", 2)
REPS = tuple(spelling.record_id("005", number) for number in range(3, 9))
APP = "Tierwise"
ALLOWANCE = 100_000


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@dataclass
class Org:
    """`url` is where it answers; it is known once the port is."""

    now: Callable[[], float] = time.time
    url: str = MY_DOMAIN
    username: str = "integration@tierwise-sandbox.example"
    client_id: str = field(default_factory=lambda: f"3MVG9{secrets.token_hex(20)}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(32))
    key: rsa.RSAPrivateKey = field(default_factory=_new_key)
    schema: Schema = field(default_factory=Schema)
    switches: Switches = field(default_factory=Switches)
    faults: Faults = field(default_factory=Faults)
    calls: Counter[str] = field(default_factory=Counter)
    sessions: dict[str, int] = field(default_factory=dict)
    """Access token -> calls made with it."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Lead id -> what the generator meant it to be; never visible through the API."""
    locators: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._assigned = 0
        self.used = 0
        self.records = Records(self.time)
        names = ("Integration User", "Admin", *(f"Rep {number}" for number in range(1, len(REPS) + 1)))
        for key, name in zip((API_USER, ADMIN, *REPS), names, strict=True):
            login = self.username if key == API_USER else f"{name.lower().replace(' ', '.')}@tierwise-sandbox.example"
            values = {"Id": key, "Name": name, "Username": login, "Email": login, "IsActive": True}
            self.records.load("User", values, by=ADMIN)

    def time(self) -> float:
        """The org's own clock: not always that of the client."""
        return self.now() + self.switches.clock_skew_seconds

    def private_key(self) -> str:
        """The client's private key, PEM (PKCS 8)."""
        form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
        return self.key.private_bytes(encoding, form, serialization.NoEncryption()).decode()

    def credentials(self) -> dict[str, str]:
        """What a client needs, as the ready line gives it."""
        return {
            "url": self.url,
            "token_url": f"{self.url}/services/oauth2/token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "username": self.username,
            "private_key": self.private_key(),
        }

    def new_session(self) -> str:
        with self._lock:
            token = f"{ORG_ID[:15]}!{secrets.token_urlsafe(60)}"
            self.sessions[token] = 0
            return token

    def use_session(self, token: str) -> bool:
        """Count a call of this session; False when it is unknown or used up."""
        with self._lock:
            used = self.sessions.get(token)
            limit = self.switches.session_calls
            if used is None or (limit is not None and used >= limit):
                self.sessions.pop(token, None)
                return False
            self.sessions[token] = used + 1
            return not self.switches.take("session_storm")

    def expire_sessions(self) -> None:
        with self._lock:
            self.sessions.clear()

    def use_request(self) -> bool:
        """Count one API request; False when the day's allowance is used up."""
        with self._lock:
            if self.used >= self.allowance:
                return False
            self.used += 1
            return True

    @property
    def allowance(self) -> int:
        wanted = self.switches.daily_requests
        return ALLOWANCE if wanted is None else wanted

    def usage(self) -> str:
        """The Sforce-Limit-Info header, in the form with the app's own part if that is switched on."""
        total = f"api-usage={self.used}/{self.allowance}"
        own = f"; per-app-api-usage={self.used}/{self.allowance}(appName={APP})"
        return total + own if self.switches.per_app_usage else total

    def next_owner(self) -> str:
        """Whom the assignment rule gives the next lead to."""
        with self._lock:
            self._assigned += 1
            return REPS[self._assigned % len(REPS)]

    def count(self, kind: str) -> None:
        with self._lock:
            self.calls[kind] += 1

    def stats(self) -> dict[str, Any]:
        """Counts since the start or the last reset; `api_calls` is what the org's allowance was charged."""
        return {
            "calls": dict(self.calls),
            "api_calls": self.used,
            "writes": self.records.writes,
            "edits": self.records.edits,
            "leads": self.records.count("Lead"),
            "faults_fired": self.faults.fired,
        }

    def reset_stats(self) -> None:
        with self._lock:
            self.calls.clear()
            self.used = 0
            self.faults.fired = 0
        self.records.reset_tally()
