"""Logins, expired sessions, the day's allowance, and what errors become."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import quota, tokens


def body(code: str, message: str = "no") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


def test_a_session_is_shared_by_the_connections_of_an_account(crm: Any) -> None:
    for _ in range(4):
        crm.client().call("GET", "limits")
    assert crm.count("oauth2/token") == 1


def test_client_credentials_log_in_too(crm: Any) -> None:
    client = crm.client(auth="client_credentials", username="", token=crm.org.client_secret)
    assert client.call("GET", "limits")["DailyApiRequests"]


def test_an_ended_session_is_renewed_once_and_the_call_repeated(crm: Any) -> None:
    client = crm.client()
    client.call("GET", "limits")
    crm.org.expire_sessions()
    assert client.call("GET", "limits")
    assert crm.count("oauth2/token") == 2
    assert crm.count("/limits") == 3


def test_a_storm_of_401_ends_after_two_calls_and_a_few_logins(crm: Any) -> None:
    """Fault 12: the vendor's record classes made 1,944 calls of it."""
    crm.org.switches.set({"session_storm": 10_000})
    for _ in range(20):
        with pytest.raises(sdk.RetryLater) as caught:
            crm.client().call("GET", "limits")
        assert caught.value.after == tokens.WINDOW
    assert crm.count("oauth2/token") == 3
    assert crm.count("/limits") <= 2 + 20


def test_a_session_that_ends_after_every_call_still_gets_work_done(crm: Any) -> None:
    crm.org.switches.set({"session_calls": 1})
    client = crm.client()
    assert [bool(client.call("GET", "limits")) for _ in range(3)] == [True] * 3
    assert crm.count("oauth2/token") == 3


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"client_id": "other"}, "client_id"),
        ({"username": "nobody@example.org"}, "pre-authorize"),
        ({"auth": "client_credentials"}, "client secret"),
    ],
)
def test_a_refused_login_pauses_and_says_what_to_correct(crm: Any, changed: dict[str, str], remedy: str) -> None:
    with pytest.raises(sdk.PauseConnection, match="refuses the login") as caught:
        crm.client(**changed).call("GET", "limits")
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_login_goes_by_the_orgs_clock(crm: Any, skew: int) -> None:
    """An assertion that is signed by a clock a few minutes off is refused as expired."""
    crm.org.switches.set({"clock_skew_seconds": skew})
    client = crm.client()
    assert client.call("GET", "limits")
    assert client.server_time() is not None
    assert client.server_time().timestamp() == int(crm.clock.now) + skew


def test_a_fifth_of_the_days_calls_is_left_for_people(crm: Any) -> None:
    crm.org.switches.set({"daily_requests": 10, "per_app_usage": True})
    client = crm.client()
    for _ in range(8):
        client.call("GET", "limits")
    with pytest.raises(sdk.RetryLater, match="8 of 10 API calls of the day are used, and 20 % are left") as caught:
        crm.client().call("GET", "limits")
    assert crm.count("/limits") == 8
    assert 0 < (caught.value.after or 0) <= quota.LOOK_AGAIN
    assert len(crm.limiter.blocked) == 1, "other processes are told"


def test_without_a_reserve_the_last_call_is_ours(crm: Any) -> None:
    crm.org.switches.set({"daily_requests": 3})
    client = crm.client(reserve_percent=0.0)
    for _ in range(3):
        client.call("GET", "limits")
    with pytest.raises(sdk.RetryLater):
        client.call("GET", "limits")
    assert crm.org.used == 3


@pytest.mark.parametrize(
    ("status", "answer", "family", "after"),
    [
        (403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), sdk.RetryLater, quota.LOOK_AGAIN),
        (403, body("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), sdk.RetryLater, 20.0),
        (403, body("API_DISABLED_FOR_ORG"), sdk.PauseConnection, None),
        (404, body("NOT_FOUND"), http.HttpRefused, None),
        (400, body("MALFORMED_QUERY"), http.HttpRefused, None),
        (429, {"error": "too_many"}, sdk.RetryLater, None),
    ],
)
def test_errors_become_what_happens_next(
    crm: Any, status: int, answer: Any, family: type[Exception], after: float | None
) -> None:
    """403 says two things: no calls left (passes by itself) and no right (needs a person)."""
    crm.client().call("GET", "limits")
    crm.instead = lambda method, path, sent: (status, answer) if "limits" in path else None
    with pytest.raises(family) as caught:
        crm.client().call("GET", "limits")
    assert type(caught.value) is family
    assert getattr(caught.value, "after", None) == after
    assert all(seconds >= (after or 0) for seconds in crm.slept)


@pytest.mark.parametrize("answer", ["<html>", "[1", ""])
def test_what_is_not_json_is_asked_again_later(crm: Any, answer: str) -> None:
    crm.instead = lambda method, path, sent: (200, answer) if "query" in path else None
    with pytest.raises(sdk.RetryLater, match="not JSON"):
        crm.client().query("SELECT Id FROM Lead")


@pytest.mark.parametrize("answer", [{}, [], {"records": None}])
def test_an_answer_without_records_is_asked_again_later(crm: Any, answer: Any) -> None:
    crm.instead = lambda method, path, sent: (200, answer) if "query" in path else None
    with pytest.raises(sdk.RetryLater, match="no records"):
        crm.client().query("SELECT Id FROM Lead")


@pytest.mark.parametrize("answer", [{}, [], {"access_token": None}, {"access_token": ""}])
def test_a_login_without_a_token_is_asked_again_later(crm: Any, answer: Any) -> None:
    crm.instead = lambda method, path, sent: (200, answer) if "token" in path else None
    with pytest.raises(sdk.RetryLater, match="no access_token"):
        crm.client().call("GET", "limits")


def test_no_error_tells_the_token_of_the_session(crm: Any) -> None:
    """Not even one that has not the look of a secret."""
    token = "plain words"

    def quoting(method: str, path: str, sent: Any) -> tuple[int, Any] | None:
        if path.endswith("/token"):
            return 200, {"access_token": token}
        return (400, body("MALFORMED_QUERY", f"about {token} of jane.doe@example.org")) if "query" in path else None

    crm.instead = quoting
    with pytest.raises(http.HttpRefused) as caught:
        crm.client().query("SELECT Id FROM Lead")
    text = f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.remedy}"
    assert "about" in text
    assert token not in text
    assert "jane.doe" not in text
    assert caught.value.category == "MALFORMED_QUERY"


def test_a_connection_without_a_secret_says_what_to_set(crm: Any) -> None:
    from tierwise_salesforce.client import Client
    from tierwise_salesforce.settings import Settings

    connection = crm.connection()._replace(token=" ")
    with pytest.raises(sdk.Misconfigured, match="no token") as caught:
        Client(connection, Settings.model_validate(connection.options))
    assert "token_file" in caught.value.remedy


def test_calls_have_names_and_draw_on_one_bucket(crm: Any) -> None:
    client = crm.client()
    client.call("GET", "sobjects/Lead/describe")
    assert len(set(crm.limiter.taken)) == 1
    route = client._route
    root = f"{crm.url}/services/data/v66.0"
    assert route("GET", f"{root}/query/?q=SELECT+Id").operation == "salesforce GET query"
    assert route("POST", f"{root}/composite").operation == "salesforce POST composite"
    assert route("GET", f"{root}/sobjects/Lead/describe").operation == "salesforce GET sobjects Lead describe"
    assert route("POST", f"{crm.url}/services/oauth2/token").operation == "salesforce login"
    assert route("POST", f"{root}/composite").idempotent


def test_the_versions_newest_and_the_clock_cost_no_api_call(crm: Any) -> None:
    assert crm.client().server_time() is not None
    assert crm.org.used == 0


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 21 Nov 2026 08:00:00"])
def test_a_clock_that_cannot_be_read_is_none(crm: Any, date: str) -> None:
    crm.date = date
    assert crm.client().server_time() is None
