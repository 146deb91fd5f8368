"""Options of a connection: what is refused, and with which words."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from tierwise_salesforce.settings import Settings

LEAST: dict[str, Any] = {"my_domain": "https://acme.my.salesforce.com", "client_id": "3MVG9", "username": "jo@acme.com"}


def test_the_least_that_must_be_set_is_enough() -> None:
    settings = Settings.model_validate(LEAST)
    assert (settings.auth, settings.object_type, settings.page_size) == ("jwt_bearer", "Lead", 2000)
    assert settings.late_commit_seconds == 600
    assert settings.reserve_percent == 20


@pytest.mark.parametrize("given", ["https://acme.my.salesforce.com/", " https://acme.my.salesforce.com "])
def test_an_address_is_tidied(given: str) -> None:
    assert Settings.model_validate({**LEAST, "my_domain": given}).my_domain == "https://acme.my.salesforce.com"


@pytest.mark.parametrize("given", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:2"])
def test_a_sandbox_on_this_machine_needs_no_tls(given: str) -> None:
    assert Settings.model_validate({**LEAST, "my_domain": given}).my_domain == given


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"my_domain": "acme.my.salesforce.com"}, "must be an address"),
        ({"my_domain": "http://acme.my.salesforce.com"}, "must be https"),
        ({"my_domain": "http://10.0.0.1"}, "must be https"),
        ({"my_domain": "https://login.salesforce.com"}, "My Domain"),
        ({"my_domain": "https://jo:secret@acme.my.salesforce.com"}, "must be an address"),
        ({"my_domain": "https://acme.my.salesforce.com/services"}, "must be an address"),
        ({"username": ""}, "username is needed"),
        ({"client_id": ""}, "at least 1"),
        ({"object_type": "Account"}, "'Lead' or 'Contact'"),
        ({"api_version": "v66"}, "pattern"),
        ({"page_size": 2001}, "2000"),
        ({"auth": "password"}, "jwt_bearer"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        Settings.model_validate({**LEAST, **changed})


def test_client_credentials_need_no_user() -> None:
    assert Settings.model_validate({**LEAST, "auth": "client_credentials", "username": ""}).username == ""


def test_every_option_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
