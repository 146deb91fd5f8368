from __future__ import annotations

import pytest

from tierwise import errors
from tierwise.sdk import verdicts


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (301, "misconfigured"),
        (400, "refused"),
        (401, "unauthorised"),
        (403, "unauthorised"),
        (404, "refused"),
        (407, "unauthorised"),
        (408, "timeout"),
        (423, "unavailable"),
        (429, "rate_limited"),
        (500, "unavailable"),
        (504, "timeout"),
    ],
)
def test_every_status_has_a_fault_that_is_a_declared_one(status: int, fault: str) -> None:
    assert verdicts.verdict(status).named(status).fault == fault
    assert fault in errors.FAULTS


def test_a_connector_knows_better() -> None:
    told = verdicts.Verdict(errors.RetryLater, "has no calls left for today", fault="quota")
    assert told.named(429).fault == "quota"


def test_the_token_that_only_the_caller_can_renew_is_still_about_the_login() -> None:
    assert verdicts.Verdict(verdicts.HttpRefused, "does not accept the token").named(401).fault == "unauthorised"


@pytest.mark.parametrize("family", [errors.RetryLater, errors.PauseConnection, errors.Misconfigured, errors.LeaseLost])
def test_every_family_has_a_declared_fault(family: type[errors.TierwiseError]) -> None:
    assert family("x").fault in errors.FAULTS
