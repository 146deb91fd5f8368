"""The OAuth token endpoint: JWT bearer and client credentials, as an External Client App allows them. No SOAP login.

The audience of an assertion is the My Domain URL: the generic login hosts are refused, as they are since Spring '26.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any

import jwt

from tierwise_sandbox.salesforce.org import API_USER, MY_DOMAIN, ORG_ID, Org

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST = 180 + 30  # seconds that an assertion may last, with some drift of clocks


class TokenError(Exception):
    """An OAuth error; `body()` goes over the wire with status 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": str(self)}


def grant(org: Org, form: Mapping[str, str]) -> dict[str, Any]:
    """A new session for what the form proves. There is no `expires_in`: a session ends when it ends."""
    kind = form.get("grant_type", "")
    if kind == JWT_BEARER:
        _check_assertion(org, form.get("assertion", ""))
    elif kind == "client_credentials":
        if not hmac.compare_digest(form.get("client_id", ""), org.client_id):
            raise TokenError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(form.get("client_secret", ""), org.client_secret):
            raise TokenError("invalid_client", "invalid client credentials")
    elif kind == "password":
        raise TokenError("invalid_grant", "authentication failure")
    else:
        raise TokenError("unsupported_grant_type", "grant type not supported")
    return {
        "access_token": org.new_session(),
        "scope": "api",
        "instance_url": org.url,
        "id": f"{org.url}/id/{ORG_ID}/{API_USER}",
        "token_type": "Bearer",
        "issued_at": str(int(org.time() * 1000)),
    }


def _check_assertion(org: Org, assertion: str) -> None:
    # The clock of the check is the org's, not that of this machine: both times are compared below.
    options: Any = {
        "require": ["iss", "sub", "aud", "exp"],
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
    }
    try:
        claims = jwt.decode(assertion, org.key.public_key(), algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise TokenError("invalid_grant", "invalid assertion") from None
    if claims["iss"] != org.client_id:
        raise TokenError("invalid_client_id", "client identifier invalid")
    audience = str(claims["aud"]).rstrip("/")
    if audience in {"https://login.salesforce.com", "https://test.salesforce.com"}:
        raise TokenError("app_not_found", "External client app is not installed in this org")
    if audience not in {org.url, MY_DOMAIN}:
        raise TokenError("invalid_grant", "audience is invalid")
    if claims["sub"] != org.username:
        raise TokenError("invalid_grant", "user hasn't approved this consumer")
    now = org.time()
    ends = str(claims["exp"])  # some clients send the number as text
    if not re.fullmatch(r"\d+(\.\d+)?", ends) or not now <= float(ends) <= now + _LONGEST:
        raise TokenError("invalid_grant", "expired authorization code")
