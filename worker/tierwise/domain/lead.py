"""The canonical lead, its field catalogue and its fingerprint.

Everything Tierwise knows about a lead's input is declared once, here; rules, prompts, maps, documents and
`tierwise schema` are all readings of `CATALOGUE`. A new field or meaning raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

SCHEMA_VERSION = 2

Kind = Literal["text", "integer", "decimal", "boolean", "timestamp", "choice"]
Source = Literal[
    "demo_request", "contact_sales", "pricing_page", "trial", "referral", "partner", "event", "webinar",
    "content", "newsletter", "chat", "advertisement", "list_import", "other",
]  # fmt: skip
Region = Literal["emea", "na", "latam", "apac"]
Lifecycle = Literal[
    "subscriber", "lead", "marketing_qualified", "sales_qualified", "opportunity", "customer", "evangelist",
    "disqualified", "other",
]  # fmt: skip
EmailKind = Literal["business", "free", "disposable"]

SOURCES: tuple[str, ...] = get_args(Source)
REGIONS: tuple[str, ...] = get_args(Region)
LIFECYCLES: tuple[str, ...] = get_args(Lifecycle)
EMAIL_KINDS: tuple[str, ...] = get_args(EmailKind)

MAX_TEXT = 10_000  # characters of free text kept; longer messages are cut by the mapping, which says so


def _field(
    description: str,
    *,
    personal: bool = False,
    free_text: bool = False,
    unit: str = "",
    derived: bool = False,
    quantity: bool = False,
) -> Any:
    """`quantity`: a number of something, never below 0."""
    bounds: dict[str, Any] = {"ge": 0, "allow_inf_nan": False} if quantity else {}
    return Field(
        default=None,
        **bounds,
        description=description,
        json_schema_extra={"personal": personal, "free_text": free_text, "unit": unit, "derived": derived},
    )


class Lead(BaseModel):
    """One lead as every part of Tierwise sees it. Frozen; an absent value is None, never "" or 0."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    email: str | None = _field("E-mail address in normal form (lower case, no tags removed).", personal=True)
    email_kind: EmailKind | None = _field("What kind of mailbox the address is.", derived=True)
    phone: str | None = _field("Phone number in E.164 form (+4930123456).", personal=True)
    first_name: str | None = _field("Given name.", personal=True)
    last_name: str | None = _field("Family name.", personal=True)
    job_title: str | None = _field("Job title as stated.", free_text=True)
    company: str | None = _field("Company name as stated.")
    company_key: str | None = _field(
        "Company name in normal form: small letters, no accents, no legal form.", derived=True
    )
    company_domain: str | None = _field("Registrable domain of the company (acme.co.uk).")
    employee_count: int | None = _field(
        "Number of employees; a range becomes its middle.", unit="people", quantity=True
    )
    industry: str | None = _field("Industry or category, lower case snake (financial_services).")
    annual_revenue: float | None = _field("Annual revenue.", unit="USD", quantity=True)
    monthly_volume: float | None = _field(
        "Monthly volume that the lead states, in the unit the capture form asks for.", unit="per month", quantity=True
    )
    source: Source | None = _field("Touchpoint that the lead came through.")
    country: str | None = _field("Country, ISO 3166-1 alpha-2 upper case (DE).")
    region: Region | None = _field("Sales region, from the country when not given.")
    message: str | None = _field("What the lead wrote.", free_text=True)
    submitted_at: datetime | None = _field("When the lead was submitted, UTC.", unit="RFC 3339")
    owner: str | None = _field("Identifier of the CRM's owner of the record.")
    lifecycle: Lifecycle | None = _field("Lifecycle stage in the CRM.")
    is_duplicate: bool | None = _field(
        "True when an earlier record of the connection has the same identity.", derived=True
    )

    @field_validator("submitted_at")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp needs a time zone")
        return value.astimezone(UTC)

    def signals(self) -> dict[str, Any]:
        """Plain values (str, int, float, bool) of the fields that are present: what rules and prompts see.

        Absent fields are left out, so that an expression over one is unknown instead of silently false.
        """
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the schema version and all signals: equal means nothing to decide anew."""
        return fingerprint_of(self.signals())


def fingerprint_of(signals: Mapping[str, Any]) -> str:
    """Fingerprint of the lead that has these signals."""
    return digest({"schema": SCHEMA_VERSION, "signals": signals})


class FieldInfo(NamedTuple):
    """One entry of the catalogue."""

    name: str
    kind: Kind
    description: str
    values: tuple[str, ...]
    """Allowed values of a `choice`, else empty."""
    unit: str
    personal: bool
    free_text: bool
    derived: bool
    """Computed by Tierwise; a map cannot set it."""


_KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "email_kind": ("choice", EMAIL_KINDS),
    "source": ("choice", SOURCES),
    "region": ("choice", REGIONS),
    "lifecycle": ("choice", LIFECYCLES),
    "employee_count": ("integer", ()),
    "annual_revenue": ("decimal", ()),
    "monthly_volume": ("decimal", ()),
    "submitted_at": ("timestamp", ()),
    "is_duplicate": ("boolean", ()),
}


def _catalogue() -> dict[str, FieldInfo]:
    entries: dict[str, FieldInfo] = {}
    for name, info in Lead.model_fields.items():
        kind, values = _KINDS.get(name, ("text", ()))
        extra = info.json_schema_extra
        assert isinstance(extra, dict)
        entries[name] = FieldInfo(
            name=name,
            kind=kind,
            description=info.description or "",
            values=values,
            unit=str(extra["unit"]),
            personal=bool(extra["personal"]),
            free_text=bool(extra["free_text"]),
            derived=bool(extra["derived"]),
        )
    return entries


CATALOGUE: dict[str, FieldInfo] = _catalogue()


# Held: made anew with every call it would cost as much as many a value does. What we write holds no circles.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN. All our digests are over this."""
    return _CANONICAL.encode(value)


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
