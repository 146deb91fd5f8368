"""One token for each account, renewed once however many find it expired, and never hammered for."""

from __future__ import annotations

import threading

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tierwise import sdk
from tierwise_salesforce import tokens
from tierwise_salesforce.settings import Settings

SETTINGS = Settings(my_domain="https://acme.my.salesforce.com", client_id="id", username="jo@acme.com")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Logins:
    """Gives a new token each time; `gate` holds a login up."""

    def __init__(self) -> None:
        self.made = 0
        self.gate: threading.Barrier | None = None

    def __call__(self) -> str:
        self.made += 1
        return f"token {self.made}"


def test_a_token_is_fetched_once_and_kept() -> None:
    held, logins = tokens.Tokens(), Logins()
    assert [held.current(logins) for _ in range(3)] == ["token 1"] * 3


def test_many_threads_with_one_stale_token_renew_it_once() -> None:
    """Fault 12: each of them logging in would be a login storm, and each login may end another's session."""
    held, logins = tokens.Tokens(), Logins()
    stale = held.current(logins)
    start = threading.Barrier(12)
    got: list[str] = []

    def late() -> None:
        start.wait(10)
        got.append(held.renewed(stale, logins))

    threads = [threading.Thread(target=late) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == ["token 2"] * 12
    assert logins.made == 2


def test_renewing_without_end_is_stopped_and_tried_again_later() -> None:
    clock = Clock()
    held, logins = tokens.Tokens(clock), Logins()
    token = held.current(logins)
    for _ in range(2):
        token = held.renewed(token, logins)
    with pytest.raises(sdk.RetryLater) as caught:
        held.renewed(token, logins)
    assert caught.value.after == tokens.WINDOW
    assert logins.made == 3
    clock.now += tokens.WINDOW
    assert held.current(logins) == "token 4"


def test_a_login_that_fails_leaves_no_token_behind() -> None:
    held, logins = tokens.Tokens(), Logins()
    stale = held.current(logins)

    def refused() -> str:
        raise sdk.PauseConnection("no")

    with pytest.raises(sdk.PauseConnection):
        held.renewed(stale, refused)
    assert held.current(logins) == "token 2"


def test_accounts_have_tokens_of_their_own() -> None:
    other = SETTINGS.model_copy(update={"username": "ann@acme.com"})
    assert tokens.of(SETTINGS, "s") is tokens.of(SETTINGS, "s")
    assert len({id(tokens.of(SETTINGS, "s")), id(tokens.of(SETTINGS, "t")), id(tokens.of(other, "s"))}) == 3


def test_an_assertion_names_user_app_and_the_orgs_own_address() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    form = tokens.form(SETTINGS, pem, now=1_795_000_000.9, place="connections.org")
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience=SETTINGS.my_domain,
        options={"verify_exp": False},
    )  # fmt: skip
    assert claims == {"iss": "id", "sub": "jo@acme.com", "aud": SETTINGS.my_domain, "exp": 1_795_000_180}


@pytest.mark.parametrize("secret", ["not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_a_setting_to_correct(secret: str) -> None:
    with pytest.raises(sdk.Misconfigured, match="no RSA private key") as caught:
        tokens.form(SETTINGS, secret, now=0.0, place="connections.org")
    assert secret not in str(caught.value)


def test_client_credentials_send_the_secret_in_the_body() -> None:
    settings = SETTINGS.model_copy(update={"auth": "client_credentials"})
    form = tokens.form(settings, "s3cret", now=0.0, place="p")
    assert form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret"}
