from __future__ import annotations

import pydantic
import pytest

from tierwise_hubspot.settings import Settings


@pytest.mark.parametrize("tier", ["free", "starter", "professional", "enterprise", "capacity_pack", "oauth"])
@pytest.mark.parametrize("share", [5, 80, 100])
def test_no_ten_seconds_have_more_calls_than_the_share_of_the_tier(tier: str, share: int) -> None:
    allowed = {"free": 100, "starter": 100, "capacity_pack": 250, "oauth": 110}.get(tier, 190)
    rate, burst = Settings.model_validate({"tier": tier, "share_percent": share}).calls
    assert burst + 10 * rate <= allowed * share / 100 + 1e-9 or burst == 1.0
    assert burst >= 1.0, "or nothing would ever be sent"


def test_no_second_has_more_searches_than_hubspot_allows_an_account() -> None:
    rate, burst = Settings().searches
    assert rate + burst <= 5


def test_an_own_allowance_replaces_that_of_the_tier() -> None:
    assert Settings(calls_per_10_seconds=1000, share_percent=100).calls == (80.0, 200.0)


@pytest.mark.parametrize(
    "address",
    [
        "api.hubapi.com",
        "ftp://api.hubapi.com",
        "http://api.hubapi.com",  # the token would travel in the clear
        "https://user:pw@api.hubapi.com",
        "https://api.hubapi.com?hapikey=1",
        "https://",
        "",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings(base_url=address)


@pytest.mark.parametrize("address", ["https://api.hubapi.com/", "http://127.0.0.1:8401", "http://sandbox:8401/prefix/"])
def test_an_address_ends_without_a_slash(address: str) -> None:
    assert Settings(base_url=address).base_url == address.rstrip("/")


@pytest.mark.parametrize(
    "options",
    [
        {"page_size": 201},
        {"page_size": 0},
        {"api_version": "v3"},
        {"object_type": "contacts/../x"},
        {"tier": "gold"},
        {"share_percent": 101},
        {"read_timeout": 0},
        {"index_lag_seconds": -1},
        {"pagesize": 10},
    ],
)
def test_what_hubspot_does_not_take_is_refused_here(options: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings.model_validate(options)


@pytest.mark.parametrize(
    ("given", "kind", "modified"),
    [
        ("contacts", "contacts", "lastmodifieddate"),
        ("0-1", "contacts", "lastmodifieddate"),
        ("Company", "companies", "hs_lastmodifieddate"),
        ("0-136", "leads", "hs_lastmodifieddate"),
        ("2-123", "custom", "hs_lastmodifieddate"),
        ("p_order", "custom", "hs_lastmodifieddate"),
    ],
)
def test_an_object_type_under_each_of_its_names(given: str, kind: str, modified: str) -> None:
    settings = Settings(object_type=given)
    assert (settings.kind, settings.modified) == (kind, modified)
