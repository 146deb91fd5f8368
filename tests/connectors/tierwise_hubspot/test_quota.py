"""The day's calls: what HubSpot tells, what we count, and how long the reserve is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tierwise.sdk import RetryLater
from tierwise_hubspot import quota

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


def told(limit: object, left: object) -> dict[str, str]:
    return {"X-HubSpot-RateLimit-Daily": str(limit), "X-HubSpot-RateLimit-Daily-Remaining": str(left)}


def daily(percent: int = 20) -> quota.Daily:
    return quota.Daily(reserve_percent=percent, now=lambda: NOW)


@pytest.mark.parametrize(("left", "spent"), [(1000, False), (201, False), (200, True), (0, True)])
def test_the_reserve_is_a_part_of_the_limit(left: int, spent: bool) -> None:
    made = daily()
    assert not made.spent(), "nothing is known yet"
    made.hear(told(1000, left))
    assert made.spent() is spent


def test_answers_that_tell_nothing_are_counted() -> None:
    made = daily()
    made.hear({})
    assert made.known is None
    made.hear(told(1000, 202))
    made.hear({})
    assert not made.spent()
    made.hear(told("many", "few"))
    assert made.spent()


def test_without_a_reserve_all_calls_are_ours() -> None:
    made = daily(0)
    made.hear(told(1000, 1))
    assert not made.spent()


def test_it_waits_until_the_calls_are_counted_anew() -> None:
    made = daily()
    made.learn({"usageLimit": 1000, "currentUsage": 900, "resetsAt": "2026-11-21T20:00:00Z"})
    assert (made.spent(), made.wait()) == (True, 7200.0)
    made.hear(told(1000, 90))
    assert made.wait() == 7200.0, "a header does not make it forget"
    made.learn({"usageLimit": 1000, "currentUsage": 1200, "resetsAt": "soon"})
    assert made.known is not None
    assert (made.known.left, made.wait()) == (0, 6 * 3600.0)


@pytest.mark.parametrize("answer", [{}, [], None, {"results": []}, {"results": [{"name": "x"}]}])
def test_an_answer_without_a_limit_says_nothing(answer: Any) -> None:
    assert quota.entry(answer) is None


def test_reading_and_writing_stop_and_every_worker_knows(crm: Any) -> None:
    crm.portal.limits.set({"daily": 100})
    crm.portal.limits.used_today = 85
    made = crm.connector()
    made.now()
    with pytest.raises(RetryLater) as caught:
        made.read(["1"], properties=["email"])
    assert caught.value.after
    assert caught.value.after <= 86_400
    assert [bucket.rpartition(":")[2] for bucket, _ in crm.limiter.blocked] == ["search", "calls"]
    assert crm.count("batch/read") == 0
    assert made.describe(), "what a person asks for is answered"


def test_only_the_reserve_of_the_setting_is_kept(crm: Any) -> None:
    crm.portal.limits.set({"daily": 100})
    crm.portal.limits.used_today = 85
    made = crm.connector(reserve_percent=5)
    made.now()
    assert made.read(["1"], properties=["email"]) == []
