"""One setting, two spellings."""

from __future__ import annotations

import pytest

from tierwise.settings import names


def test_a_dash_becomes_an_underscore_in_the_environment() -> None:
    assert names.token_variable("hubspot-emea") == "TIERWISE_CONNECTIONS__HUBSPOT_EMEA__TOKEN"
    assert names.same("hubspot_emea", "HubSpot-EMEA")
    assert not names.same("hubspot_emea", "hubspot-apac")


@pytest.mark.parametrize("key", ["token", "access_token", "client_secret", "password", "api_key", "private_key"])
def test_keys_that_hold_secrets_are_known_by_their_name(key: str) -> None:
    assert names.secret(key)


@pytest.mark.parametrize("key", ["base_url", "token_file", "token_url", "object_type", "username"])
def test_other_keys_are_shown(key: str) -> None:
    assert not names.secret(key)


def test_only_a_near_word_is_suggested() -> None:
    assert names.closest("databse_url", ["database_url", "broker_url"]) == "database_url"
    assert names.closest("colour", ["database_url", "broker_url"]) is None
