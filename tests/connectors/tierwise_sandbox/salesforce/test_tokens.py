from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tierwise_sandbox.salesforce import tokens
from tierwise_sandbox.salesforce.org import MY_DOMAIN, Org


def assertion(org: Org, *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> dict[str, str]:
    said = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": int(org.time()) + 120, **claims}
    said = {name: value for name, value in said.items() if value is not None}
    token = jwt.encode(said, org.key if key is None else key, algorithm=algorithm)
    return {"grant_type": tokens.JWT_BEARER, "assertion": token}


def test_a_good_assertion_opens_a_session_without_an_expiry(org: Org) -> None:
    answer = tokens.grant(org, assertion(org))
    assert "expires_in" not in answer
    assert answer["instance_url"] == org.url
    assert org.use_session(answer["access_token"])
    tokens.grant(org, assertion(org, aud=MY_DOMAIN, exp=str(int(org.time()) + 60)))


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": "https://login.salesforce.com"}, "app_not_found"),
        ({"aud": "https://test.salesforce.com"}, "app_not_found"),
        ({"aud": "https://other.my.salesforce.com"}, "invalid_grant"),
        ({"iss": "another"}, "invalid_client_id"),
        ({"sub": "nobody@example.com"}, "invalid_grant"),
        ({"exp": 1}, "invalid_grant"),
        ({"exp": 99_999_999_999}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
        ({"sub": None}, "invalid_grant"),
    ],
)
def test_what_an_assertion_gets_wrong_is_refused(org: Org, claims: dict[str, Any], error: str) -> None:
    with pytest.raises(tokens.TokenError) as refused:
        tokens.grant(org, assertion(org, **claims))
    assert refused.value.body()["error"] == error
    assert org.sessions == {}


def test_another_key_and_another_algorithm_open_nothing(org: Org) -> None:
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    for forged in (
        assertion(org, key=other),
        assertion(org, key="x" * 40, algorithm="HS256"),
        {"grant_type": tokens.JWT_BEARER, "assertion": "a.b.c"},
        {"grant_type": tokens.JWT_BEARER},
    ):
        with pytest.raises(tokens.TokenError, match="invalid assertion"):
            tokens.grant(org, forged)


def test_client_credentials_need_both(org: Org) -> None:
    good = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    assert org.use_session(tokens.grant(org, good)["access_token"])
    with pytest.raises(tokens.TokenError, match="client identifier invalid"):
        tokens.grant(org, {**good, "client_id": "x"})
    with pytest.raises(tokens.TokenError, match="invalid client credentials"):
        tokens.grant(org, {**good, "client_secret": "x"})


@pytest.mark.parametrize("kind", ["password", "", "refresh_token"])
def test_other_ways_in_are_closed(org: Org, kind: str) -> None:
    with pytest.raises(tokens.TokenError):
        tokens.grant(org, {"grant_type": kind, "username": org.username, "password": "x"})
