"""What can be set for a HubSpot connection, each with the reason for its default."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

Tier = Literal["free", "starter", "professional", "enterprise", "capacity_pack", "oauth"]

# Calls in ten seconds that HubSpot allows one app, by the account's tier (usage guidelines, 2026).
_BURSTS: dict[Tier, int] = {
    "free": 100,
    "starter": 100,
    "professional": 190,
    "enterprise": 190,
    "capacity_pack": 250,
    "oauth": 110,
}


# Every spelling that paths take -> the one of scopes.
_KINDS = {
    "contact": "contacts", "0-1": "contacts",
    "company": "companies", "0-2": "companies",
    "lead": "leads", "0-136": "leads",
}  # fmt: skip


class Budget(NamedTuple):
    """A token bucket: tokens a second, and the most it holds."""

    rate: float
    burst: float


class Settings(BaseModel):
    """Options of a HubSpot connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field("https://api.hubapi.com", description="Address of the API; another for a proxy or a sandbox.")
    api_version: str = Field("2026-09", pattern=r"^\d{4}-\d{2}$", description="Dated API version, YYYY-MM.")
    object_type: str = Field(
        "contacts",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Object that holds the leads: contacts, companies, leads (0-136), or a custom object's type id"
        " (2-123). Each needs a field map of its own: rules/maps/hubspot-leads.yaml.",
    )
    tier: Tier = Field("free", description="Tier of the account, which sets how many calls HubSpot allows.")
    calls_per_10_seconds: int | None = Field(
        None, ge=10, description="Calls in ten seconds, where the account's allowance is not that of its tier."
    )
    share_percent: int = Field(
        80, ge=5, le=100, description="Part of the allowance that Tierwise uses; the rest is for people and other apps."
    )
    reserve_percent: int = Field(
        20, ge=0, le=90, description="Part of the day's calls that is left to people and other apps."
    )
    searches_per_second: float = Field(
        4.0, gt=0, description="Search requests a second. HubSpot allows the whole account 5."
    )
    page_size: int = Field(200, ge=1, le=200, description="Records to a search page; 200 is HubSpot's most.")
    index_lag_seconds: float = Field(
        30.0,
        ge=0,
        le=7200,
        description="Search shows a change only some moments later: every poll reads this many seconds again.",
    )
    connect_timeout: float = Field(5.0, gt=0, le=60, description="Seconds to wait for a connection.")
    read_timeout: float = Field(30.0, gt=0, le=300, description="Seconds to wait for an answer.")

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address like https://api.hubapi.com")
        if parts.username or parts.password:
            raise ValueError("must not hold a login; the token is a setting of its own")
        if parts.scheme == "http" and parts.hostname.endswith((".hubapi.com", ".hubspot.com")):
            raise ValueError("must be https, or the token would travel in the clear")
        return value.strip().rstrip("/")

    @property
    def calls(self) -> Budget:
        """For all but search: in no ten seconds more than the allowance, counted from a full bucket."""
        allowed = (self.calls_per_10_seconds or _BURSTS[self.tier]) * self.share_percent / 100
        return Budget(rate=allowed * 0.08, burst=max(1.0, allowed * 0.2))

    @property
    def searches(self) -> Budget:
        """For search, which HubSpot counts apart and by the second: evenly spaced."""
        return Budget(rate=self.searches_per_second, burst=max(1.0, self.searches_per_second / 5))

    @property
    def modified(self) -> str:
        """The property that moves with every change. Contacts alone have one without the prefix."""
        return "lastmodifieddate" if self.kind == "contacts" else "hs_lastmodifieddate"

    @property
    def kind(self) -> str:
        """The object type under the name that scopes use: contacts, companies, leads, custom."""
        given = self.object_type.lower()
        return _KINDS.get(given, "custom" if given[:1].isdigit() or given.startswith("p_") else given)

    @property
    def map_word(self) -> str:
        """How the field map of a connection with another object than contacts is called: hubspot-WORD."""
        return self.object_type.lower() if self.kind == "custom" else self.kind
