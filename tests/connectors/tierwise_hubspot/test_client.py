from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import hubspot
import pytest

from tierwise import errors, limits
from tierwise.sdk import http
from tierwise_hubspot import client
from tierwise_hubspot.settings import Settings


def test_requests_are_the_vendors_sent_by_our_session(crm: Any) -> None:
    made = crm.client()
    made.call("POST", made.objects("search"), {"limit": 1})
    request = crm.web.calls[0].request
    assert request.url.endswith("/crm/objects/2026-09/contacts/search")
    assert request.headers["Authorization"] == f"Bearer {crm.portal.token}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "tierwise"
    assert request.req_kwargs["timeout"] == (5.0, 30.0)


def test_why_the_vendors_own_sending_is_not_used() -> None:
    """When this fails, look again: hubspot-api-client may have learnt timeouts and dated versions."""
    source = inspect.getsource(client.Request.send)
    assert "timeout" not in source
    assert "print(" in source
    assert "2026" not in inspect.getsource(hubspot.Client)


@pytest.mark.parametrize(
    ("path", "bucket"),
    [
        ("/crm/objects/2026-09/contacts/search", "search"),
        ("/crm/objects/2026-09/contacts/batch/update", "calls"),
        ("/crm/properties/2026-09/contacts", "account"),
        ("/account-info/2026-09/details", "account"),
        # A property called search is none.
        ("/crm/properties/2026-09/contacts/search_term", "account"),
    ],
)
def test_search_has_a_budget_of_its_own(crm: Any, path: str, bucket: str) -> None:
    made = crm.client()
    crm.instead = lambda method, path, body: (200, {})
    made.call("GET", path)
    name = made.place.removeprefix("connections.")
    assert crm.limiter.taken == [f"hubspot:{name}:{bucket}"]


def test_names_of_operations_hold_no_ids_and_no_names(crm: Any) -> None:
    made = crm.client()
    route = made._route(
        "GET", "https://portal.example.test/crm/objects/2026-09/contacts/15123?idProperty=jane%40acme.com"
    )
    assert route.operation == "hubspot GET objects"


@pytest.mark.parametrize(
    ("status", "body", "family", "told"),
    [
        (
            401,
            {"category": "INVALID_AUTHENTICATION"},
            errors.PauseConnection,
            ("does not accept the token", "renew it"),
        ),
        (530, {}, errors.PauseConnection, ("does not accept the token", "renew it")),
        (
            403,
            {"errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}]},
            client.Denied,
            (
                "scope crm.objects.contacts.write is missing",
                "grant the app or service key scope crm.objects.contacts.write",
            ),
        ),
        (
            403,
            {"context": {"requiredScopes": ["b", "a", "b"]}},
            client.Denied,
            ("scope a, b is missing", "a, b"),
        ),
        (403, {"message": "no"}, client.Denied, ("denies access", "the missing scope")),
        (403, None, client.Denied, ("denies access", "the missing scope")),
        (400, {"message": "bad"}, http.HttpRefused, ("refuses this", "")),
        (404, {}, http.HttpRefused, ("does not have this", "check object_type")),
    ],
)
def test_what_a_refusal_means(crm: Any, status: int, body: Any, family: type[Exception], told: tuple[str, str]) -> None:
    crm.instead = lambda method, path, sent: (status, body)
    with pytest.raises(family) as caught:
        crm.client().call("GET", "/x")
    assert type(caught.value) is family
    assert told[0] in caught.value.message
    assert told[1] in caught.value.remedy


@pytest.mark.parametrize(
    ("policy", "seconds"), [("SECONDLY", 1.0), ("TEN_SECONDLY_ROLLING", 3.0), ("DAILY", 900.0), (None, 1.0)]
)
def test_each_policy_of_limits_has_its_pause(crm: Any, policy: str | None, seconds: float) -> None:
    made = crm.client()
    answers = iter([(429, {"category": "RATE_LIMITS", "policyName": policy})])
    crm.instead = lambda method, path, body: next(answers, (200, {}))
    if policy == "DAILY":
        with pytest.raises(errors.RetryLater, match="no calls left for today") as caught:
            made.call("GET", "/x")
        assert caught.value.after == 900.0
    else:
        made._session._sleep = lambda slept: None
        assert made.call("GET", "/x") == {}
    assert [block for _, block in crm.limiter.blocked] == [seconds]


class Clock:
    """Seconds that pass only when somebody sleeps."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("tier", ["free", "professional"])
def test_the_budget_keeps_below_hubspots_limits_by_its_own_count(crm: Any, tier: str) -> None:
    """Both count by one clock, which moves only when the limiter waits: two minutes in a moment."""
    clock = Clock()
    limiter = limits.LocalLimiter(clock=clock, sleep=clock.sleep)
    crm.portal.limits.now = clock
    crm.portal.limits.set({"search_per_second": 5, "burst": 100 if tier == "free" else 190})
    connection = crm.connection(tier=tier, share_percent=100)._replace(limiter=limiter)
    made = client.Client(connection, Settings.model_validate(connection.options))
    for number in range(600):
        made.call("GET", made.account("details"))
        if number % 4 == 0:
            made.call("POST", made.objects("search"), {"limit": 1})
    assert crm.portal.limits.refused == 0
    assert clock.now < 90, "and the allowance is used"


def test_without_a_token_nothing_is_tried(crm: Any) -> None:
    crm.portal.token = " "
    with pytest.raises(errors.Misconfigured, match=r"connections\.portal-\d+\.token: there is no token"):
        crm.client()


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 21 Nov 2026 08:15:30 GMT", datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 08:15:30 -0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_servers_time_is_read_from_its_answers(date: str, moment: datetime | None) -> None:
    assert client.server_time({"Date": date}) == moment
