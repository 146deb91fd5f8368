"""What a lead's own fields tell, from tables that ship with the libraries. No network, no state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tierwise.domain import identity
from tierwise.sdk import Enriching


class NoOptions(BaseModel):
    """No options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Domains(BaseModel):
    """Options of `mailbox`: e-mail domains that you know better than the tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    free: tuple[str, ...] = Field((), description="Domains at which anybody can open a mailbox.")
    disposable: tuple[str, ...] = Field((), description="Domains of throw-away addresses.")
    business: tuple[str, ...] = Field((), description="Domains of companies that the tables take for something else.")

    @field_validator("free", "disposable", "business")
    @classmethod
    def _normal(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        found = [identity.registrable_domain(domain) for domain in value]
        if None in found:
            raise ValueError("must be domains such as acme.com")
        return tuple(domain for domain in found if domain is not None)


class Mailbox:
    """`email_kind`: what the tables say, corrected by your own domains."""

    reads: ClassVar[tuple[str, ...]] = ("email",)
    gives: ClassVar[tuple[str, ...]] = ("email_kind",)

    def __init__(self, enriching: Enriching) -> None:
        options = Domains.model_validate(dict(enriching.options))
        kinds: tuple[str, ...] = ("free", "disposable", "business")
        self._known = {domain: kind for kind in kinds for domain in getattr(options, kind)}

    def enrich(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """{} for an address without a registrable domain."""
        domain = identity.registrable_domain(known["email"])
        kind = self._known.get(domain or "") or identity.email_kind(known["email"])
        return {"email_kind": kind} if kind else {}

    def close(self) -> None:
        """Nothing is open."""


class PhoneCountry:
    """`country`, and with it the region, where only a number tells it."""

    reads: ClassVar[tuple[str, ...]] = ("phone",)
    gives: ClassVar[tuple[str, ...]] = ("country",)

    def __init__(self, _enriching: Enriching) -> None:
        return

    def enrich(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """{} for a number of no country (satellite, universal)."""
        country = identity.phone_country(known["phone"])
        return {"country": country} if country else {}

    def close(self) -> None:
        """Nothing is open."""


class CompanyName:
    """`company_key`: "ACME, Inc." and "Acme Corp" are both "acme"."""

    reads: ClassVar[tuple[str, ...]] = ("company",)
    gives: ClassVar[tuple[str, ...]] = ("company_key",)

    def __init__(self, _enriching: Enriching) -> None:
        return

    def enrich(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """{} for a name without letters."""
        key = identity.company_key(known["company"])
        return {"company_key": key} if key else {}

    def close(self) -> None:
        """Nothing is open."""
