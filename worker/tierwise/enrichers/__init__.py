"""Enrichers that ship, registered through the same hook as anybody's. None runs until the settings name it."""

from __future__ import annotations

from tierwise import sdk
from tierwise.enrichers import http_lookup, local


@sdk.hookimpl
def tierwise_enrichers() -> list[sdk.EnricherType]:
    """Three that need no network, and one for any HTTP service."""
    return [
        sdk.EnricherType(
            "mailbox", "Free, disposable or business e-mail, with domains of your own", local.Mailbox, local.Domains
        ),
        sdk.EnricherType(
            "phone_country", "Country from an international phone number", local.PhoneCountry, local.NoOptions
        ),
        sdk.EnricherType("company_name", "Company name in normal form", local.CompanyName, local.NoOptions),
        sdk.EnricherType("http", "Any HTTP service that answers in JSON", http_lookup.Lookup, http_lookup.Settings),
    ]
