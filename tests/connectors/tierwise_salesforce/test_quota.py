"""The day's allowance: both forms of the header, the reserve, and looking again."""

from __future__ import annotations

import pytest

from tierwise_salesforce import quota
from tierwise_salesforce.quota import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=18/5000", (Usage(18, 5000),)),
        # With the app's own part: an anchored pattern finds neither, and the guard is off.
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", (Usage(25, 5000), Usage(17, 250))),
        ("per-app-api-usage=17/250(appName=x),api-usage=25/5000", (Usage(17, 250), Usage(25, 5000))),
        ("per-app-api-usage=17/250(appName=api-usage=1/2)", (Usage(17, 250), Usage(1, 2))),
        ("", ()),
        ("api-usage=many/5000", ()),
        ("my-api-usage=1/2", ()),
    ],
)
def test_both_forms_are_understood(header: str, expected: tuple[Usage, ...]) -> None:
    assert quota.parse(header) == expected


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ("api-usage=79/100", False),
        ("api-usage=80/100", True),
        ("api-usage=10/100; per-app-api-usage=200/250(appName=x)", True),
        ("api-usage=90/100; per-app-api-usage=1/250(appName=x)", True),
        ("api-usage=90/0", False),
        ("nonsense", False),
    ],
)
def test_a_fifth_is_left_for_people(header: str, waits: bool) -> None:
    held = quota.Quota(Clock())
    held.learn(header)
    assert (held.wait(reserve_percent=20) > 0) == waits


def test_after_a_while_one_call_is_spent_to_look_again() -> None:
    clock = Clock()
    held = quota.Quota(clock)
    held.learn("api-usage=95/100")
    assert held.wait(reserve_percent=20) == quota.LOOK_AGAIN
    clock.now += quota.LOOK_AGAIN - 1
    assert held.wait(reserve_percent=20) == 1
    clock.now += 1
    assert held.wait(reserve_percent=20) == 0
    held.learn("api-usage=95/100")
    assert held.wait(reserve_percent=20) == quota.LOOK_AGAIN
    held.learn("api-usage=10/100")
    assert held.wait(reserve_percent=20) == 0
    assert held.last() == Usage(10, 100)


def test_an_answer_without_the_header_teaches_nothing() -> None:
    held = quota.Quota(Clock())
    assert held.last() is None
    held.learn("api-usage=95/100")
    held.learn("")
    assert held.last() == Usage(95, 100)


def test_one_for_each_org() -> None:
    assert quota.of("a") is quota.of("a")
    assert quota.of("a") is not quota.of("b")
