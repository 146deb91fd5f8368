"""What a provider's failure means for us. Class and status are told, never a word that the provider wrote: error bodies
echo keys and what the lead said.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from tierwise import errors

_LONGEST_CHAIN = 12  # exceptions that litellm and the clients below it wrap around each other
_PASSING = frozenset({408, 409, 425, 429})


@lru_cache(maxsize=1)
def raised() -> tuple[type[Exception], ...]:
    """Everything that litellm raises: its exceptions extend the openai package's, its custom providers' stand apart."""
    import litellm
    import openai
    from litellm.llms.base_llm.chat.transformation import BaseLLMException
    from litellm.llms.custom_llm import CustomLLMError

    return (openai.OpenAIError, BaseLLMException, CustomLLMError, litellm.BudgetExceededError, ValueError)


def translate(
    error: Exception, model: str, *, missing_keys: Callable[[str], Sequence[str]] = lambda _: ()
) -> errors.TierwiseError:
    """Our family of a failure, with its `fault`. `missing_keys` names the settings that the model's provider lacks."""
    status = getattr(error, "status_code", None)
    said = f"{type(error).__name__}, status {status}" if status else type(error).__name__
    after = retry_after(error)
    made = (
        _unsent(error, model, said=said, after=after, missing_keys=missing_keys)
        or _refused(error, model, said=said)
        or errors.RetryLater(f"the provider cannot answer now ({said})", place=model, after=after)
    )
    made.fault = _kind(error, made)
    if isinstance(made, errors.RetryLater):
        made.sent = made.fault == "timeout" or _broke_off(error)
    return made


def timed_out(model: str, seconds: float) -> errors.Unreachable:
    """No answer came within our own limit."""
    made = errors.Unreachable(f"no answer within {seconds:g} s", place=model)
    made.fault, made.sent = "timeout", True
    return made


def refusal(model: str) -> errors.RejectRecord:
    """The model would not answer. Asking again brings the same."""
    made = errors.RejectRecord("the model refuses to answer", place=model)
    made.fault = "refusal"
    return made


def _kind(error: Exception, made: errors.TierwiseError) -> str:
    import litellm

    by_class: tuple[tuple[type, str], ...] = (
        (litellm.ContextWindowExceededError, "context_overflow"),
        (litellm.ContentPolicyViolationError, "refusal"),
        (litellm.Timeout, "timeout"),
    )
    by_family: tuple[tuple[type, str], ...] = (
        (errors.Unreachable, "unreachable"),
        (errors.PauseConnection, "unauthorised"),
        (errors.RejectRecord, "refused"),
        (errors.Misconfigured, "refused"),
    )
    found = next((kind for class_, kind in by_class if isinstance(error, class_)), None)
    by_status = {429: "rate_limited", 404: "unknown_model"}.get(getattr(error, "status_code", None) or 0)
    family = next((kind for class_, kind in by_family if isinstance(made, class_)), "unavailable")
    return found or by_status or family


def retry_after(error: Exception) -> float | None:
    """Seconds that the other side asks for, None where it says nothing readable."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    stated = headers.get("retry-after") or (getattr(error, "litellm_response_headers", None) or {}).get("retry-after")
    if not stated:
        return None
    try:
        return max(0.0, float(stated))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(str(stated))
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _unsent(
    error: Exception, model: str, *, said: str, after: float | None, missing_keys: Callable[[str], Sequence[str]]
) -> errors.TierwiseError | None:
    import litellm

    if _never_answered(error):
        return errors.Unreachable(f"no answer ({said})", place=model, after=after)
    # litellm makes a status 500 of a missing key for some providers, though nothing was sent.
    missing = missing_keys(model) if getattr(error, "status_code", None) in (401, 403, 500) else ()
    if missing:
        return errors.PauseConnection("the provider's key is missing", place=model, remedy=f"set {', '.join(missing)}")
    if isinstance(error, litellm.Timeout | litellm.APIConnectionError):
        return errors.Unreachable(f"no answer ({said})", place=model, after=after)
    return None


def _refused(error: Exception, model: str, *, said: str) -> errors.TierwiseError | None:
    import litellm

    status = getattr(error, "status_code", None)
    if status in (401, 402, 403):
        return errors.PauseConnection(
            f"the provider refuses the key ({said})", place=model, remedy="check the provider's key and its rights"
        )
    if status == 404:
        return errors.PauseConnection(
            f"the provider does not know the model ({said})", place=model, remedy="check the model's name and address"
        )
    if isinstance(error, litellm.UnsupportedParamsError):
        return errors.Misconfigured(f"the model does not take our parameters ({said})", place=model)
    if status is not None and 400 <= int(status) < 500 and status not in _PASSING:
        return errors.RejectRecord(f"the provider refuses this request ({said})", place=model)
    return None


def _never_answered(error: BaseException) -> bool:
    """litellm makes a status 500 of a refused or broken connection; what it came from tells."""
    import aiohttp

    return _stems_from(error, (OSError, aiohttp.ClientConnectionError))


def _broke_off(error: BaseException) -> bool:
    """The connection stood and ended before an answer did, so that the question may have been worked on."""
    import aiohttp

    broken = (ConnectionResetError, BrokenPipeError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)
    return _stems_from(error, broken)


def _stems_from(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    cause: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if isinstance(cause, kinds):
            return True
        cause = cause and (cause.__cause__ or cause.__context__)
    return False
