"""What can be set for a Salesforce connection, each with the reason for its default.

The secret is none of these: a PEM private key (JWT bearer) or a client secret is the connection's `token` or
`token_file`, and is guarded like every token.
"""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Auth = Literal["jwt_bearer", "client_credentials"]


class Settings(BaseModel):
    """Options of a Salesforce connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    my_domain: str = Field(description="The org's My Domain URL, https://ACME.my.salesforce.com.")
    client_id: str = Field(min_length=1, description="Consumer key of the External Client App.")
    auth: Auth = Field(
        "jwt_bearer",
        description="jwt_bearer: the token is a PEM private key (RSA, 2048 bits or more); client_credentials: the "
        "token is the client secret. Best as token_file.",
    )
    username: str = Field("", description="User to act as; needed for jwt_bearer, set in the org for the other.")
    object_type: Literal["Lead", "Contact"] = Field("Lead", description="Object that holds the leads.")
    api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$", description="API version, 66.0 or another.")
    page_size: int = Field(2000, ge=1, le=2000, description="Records to a page; 2000 is Salesforce's most.")
    late_commit_seconds: float = Field(
        600.0,
        ge=0,
        le=7200,
        description="A record is stamped when it is saved and visible when its transaction ends, up to ten minutes "
        "later: every poll reads this many seconds again.",
    )
    bulk_above: int = Field(
        6000,
        ge=1000,
        description="A backlog of more records than this goes as one Bulk 2.0 job, which costs fewer API calls then.",
    )
    bulk_seconds: float = Field(
        600.0,
        gt=0,
        le=3600,
        description="Longest wait for such a job; then it is aborted, and what it had not come to is sent again.",
    )
    calls_per_second: float = Field(10.0, gt=0, le=100, description="Own pace; Salesforce counts by the day.")
    reserve_percent: float = Field(
        20.0, ge=0, le=95, description="Part of the day's API calls that is left for people and other apps."
    )
    connect_timeout: float = Field(5.0, gt=0, le=60, description="Seconds to wait for a connection.")
    read_timeout: float = Field(120.0, gt=0, le=600, description="Seconds to wait for an answer.")

    @field_validator("my_domain")
    @classmethod
    def _address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        parts = urlsplit(value)
        if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment or parts.path:
            raise ValueError("must be an address like https://acme.my.salesforce.com")
        if parts.hostname in {"login.salesforce.com", "test.salesforce.com"}:
            raise ValueError("must be the org's My Domain: External Client Apps know no other address")
        if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(parts.hostname)):
            raise ValueError("must be https, or the token would travel in the clear")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if self.auth == "jwt_bearer" and not self.username:
            raise ValueError("username is needed with auth = jwt_bearer: the user to act as")
        return self


def _loopback(host: str) -> bool:
    """This machine itself, where a sandbox answers without TLS."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
