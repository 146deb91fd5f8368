"""What a lead's own fields tell."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise import errors, plugins
from tierwise.sdk import Enricher, Enriching, testing


def _open(kind: str, **options: Any) -> Enricher:
    enriching = Enriching("mine", "", options, testing.FreeLimiter(), 2.0)
    return plugins.installed().open_enricher(kind, enriching)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("jo@acme.com", "business"), ("jo@gmail.com", "free"), ("jo@mailinator.com", "disposable"),
        ("jo@throw.example.org", "disposable"), ("jo@sub.club.example.net", "free"), ("jo@gmx.de", "business"),
    ],
)  # fmt: skip
def test_a_mailbox_is_told_by_the_tables_and_by_your_own_domains(address: str, kind: str) -> None:
    mailbox = _open("mailbox", free=["example.net"], disposable=["https://example.org/x"], business=["gmx.de"])
    assert mailbox.enrich({"email": address}) == {"email_kind": kind}


def test_no_domain_no_answer() -> None:
    assert _open("mailbox").enrich({"email": "jo@localhost"}) == {}


def test_a_domain_that_is_none_is_refused() -> None:
    with pytest.raises(errors.Misconfigured, match="domains such as") as caught:
        _open("mailbox", free=["not a domain"])
    assert caught.value.place == "enrichers.mine.free"


@pytest.mark.parametrize(
    ("number", "answer"),
    [("+493012345678", {"country": "DE"}), ("+14165551234", {"country": "CA"}), ("+80012345678", {})],
)
def test_a_number_tells_its_country(number: str, answer: dict[str, str]) -> None:
    assert _open("phone_country").enrich({"phone": number}) == answer


def test_a_companys_name_in_normal_form() -> None:
    names = _open("company_name")
    assert {names.enrich({"company": name})["company_key"] for name in ("ACME, Inc.", "Acme Corp", "The Acme Co.")} == {
        "acme"
    }
    assert names.enrich({"company": "…"}) == {}


@pytest.mark.parametrize("kind", ["phone_country", "company_name"])
def test_what_has_no_options_takes_none(kind: str) -> None:
    with pytest.raises(errors.Misconfigured, match="no such option"):
        _open(kind, region="DE")
    _open(kind).close()
