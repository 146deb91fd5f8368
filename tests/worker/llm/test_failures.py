from __future__ import annotations

import email.utils
import time
from typing import Any

import aiohttp
import pytest

from tierwise import errors
from tierwise.llm import client, failures

SECRET = "sk-live-abcdef"
ECHO = f"Incorrect key {SECRET} in request of anna@acme.com"


@pytest.fixture(scope="module")
def litellm() -> Any:
    return client.load()


def _failure(litellm: Any, name: str, **more: Any) -> Exception:
    made: Exception = getattr(litellm, name)(message=ECHO, llm_provider="openai", model="gpt", **more)
    return made


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("RateLimitError", errors.RetryLater),
        ("ServiceUnavailableError", errors.RetryLater),
        ("InternalServerError", errors.RetryLater),
        ("BadGatewayError", errors.RetryLater),
        ("Timeout", errors.Unreachable),
        ("APIConnectionError", errors.Unreachable),
        ("AuthenticationError", errors.PauseConnection),
        ("NotFoundError", errors.PauseConnection),
        ("BadRequestError", errors.RejectRecord),
        ("ContextWindowExceededError", errors.RejectRecord),
        ("ContentPolicyViolationError", errors.RejectRecord),
        ("UnsupportedParamsError", errors.Misconfigured),
    ],
)
def test_every_failure_is_one_of_our_families_without_the_providers_words(
    litellm: Any, name: str, family: type[errors.TierwiseError]
) -> None:
    told = failures.translate(_failure(litellm, name), "openai/gpt")
    assert type(told) is family
    said = f"{told} {told!r} {told.remedy} {told.args}"
    assert SECRET not in said
    assert "anna" not in said
    assert str(told).startswith("openai/gpt: ")
    assert name in str(told)


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (402, errors.PauseConnection),
        (403, errors.PauseConnection),
        (408, errors.RetryLater),
        (409, errors.RetryLater),
        (422, errors.RejectRecord),
        (503, errors.RetryLater),
        (529, errors.RetryLater),
    ],
)
def test_other_statuses(litellm: Any, status: int, family: type[errors.TierwiseError]) -> None:
    error = litellm.APIError(status_code=status, message=ECHO, llm_provider="openai", model="gpt")
    assert type(failures.translate(error, "openai/gpt")) is family


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("7", 7, 7), ("0.5", 0.5, 0.5), ("-3", 0, 0), ("in a while", None, None), (None, None, None)],
)
def test_retry_after_is_read(litellm: Any, header: str | None, least: float | None, most: float | None) -> None:
    import httpx

    response = httpx.Response(429, headers={"retry-after": header} if header else {})
    told = failures.translate(_failure(litellm, "RateLimitError", response=response), "openai/gpt")
    assert isinstance(told, errors.RetryLater)
    assert told.after == least == most


def test_retry_after_may_be_a_date(litellm: Any) -> None:
    import httpx

    later = email.utils.formatdate(time.time() + 60, usegmt=True)
    response = httpx.Response(429, headers={"retry-after": later})
    told = failures.translate(_failure(litellm, "RateLimitError", response=response), "openai/gpt")
    assert isinstance(told, errors.RetryLater)
    assert told.after is not None
    assert 55 < told.after <= 60


def test_a_broken_connection_is_told_whatever_litellm_makes_of_it(litellm: Any) -> None:
    try:
        try:
            raise ConnectionRefusedError(ECHO)
        except ConnectionRefusedError as cause:
            raise _failure(litellm, "InternalServerError") from cause
    except litellm.InternalServerError as error:
        told = failures.translate(error, "openai/gpt", missing_keys=lambda _: ["NOT_ASKED"])
    assert type(told) is errors.Unreachable
    assert "NOT_ASKED" not in str(told)


@pytest.mark.parametrize(
    ("cause", "sent"),
    [
        (ConnectionRefusedError(ECHO), False),
        (ConnectionResetError(ECHO), True),
        (aiohttp.ServerDisconnectedError(), True),
        (OSError("no such host"), False),
    ],
)
def test_what_went_out_without_an_answer_may_be_billed(litellm: Any, cause: Exception, sent: bool) -> None:
    error = _failure(litellm, "InternalServerError")
    error.__cause__ = cause
    told = failures.translate(error, "openai/gpt")
    assert isinstance(told, errors.RetryLater)
    assert told.sent is sent


def test_a_call_that_timed_out_may_be_billed_and_one_that_was_refused_is_not(litellm: Any) -> None:
    assert failures.timed_out("openai/gpt", 30).sent
    (late, busy) = (failures.translate(_failure(litellm, name), "openai/gpt") for name in ("Timeout", "RateLimitError"))
    assert isinstance(late, errors.RetryLater)
    assert isinstance(busy, errors.RetryLater)
    assert (late.sent, busy.sent) == (True, False)


def test_a_missing_key_is_named_where_nothing_was_sent(litellm: Any) -> None:
    error = _failure(litellm, "InternalServerError")
    told = failures.translate(error, "openai/gpt", missing_keys=lambda _: ["OPENAI_API_KEY"])
    assert type(told) is errors.PauseConnection
    assert str(told) == "openai/gpt: the provider's key is missing (set OPENAI_API_KEY)"
    busy = _failure(litellm, "RateLimitError")
    assert type(failures.translate(busy, "openai/gpt", missing_keys=lambda _: ["X"])) is errors.RetryLater
