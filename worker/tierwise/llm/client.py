"""The door to litellm: one call in, one completion out, every failure as one of our families.

litellm is imported with the first call (2 s, 165 MB) and never fetches anything by itself. No text of a provider's
error is passed on: providers echo keys and what the lead wrote.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import logging
import os
import threading
import time
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

from tierwise import errors
from tierwise.llm import cost, deciding, failures, offline

PARAMETERS: Mapping[str, Any] = {"temperature": 0, "max_tokens": 4000}
"""What every call asks for; `temperature` is left out where the model does not take it."""

_ENVIRONMENT = {
    # Otherwise the import fetches a price list and header list from the web, with retries.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
}
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "openai")
_PREPARES_ONLY = frozenset({"openai", "anthropic", offline.PROVIDER})
"""Providers for which litellm's part before the first await neither waits nor looks anything up elsewhere."""
_CACHES_ON_REQUEST = ("anthropic",)  # providers that cache a prefix only where it is marked


class Completion(NamedTuple):
    """One answer and what it took."""

    text: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    """None where the price is unknown."""
    latency_ms: int
    tokens_cached: int = 0
    """Of those in, what the provider had from an earlier prompt."""
    finish: Literal["stop", "length", "refusal"] = "stop"
    troubles: tuple[str, ...] = ()
    """Kinds of the failures that came before it."""
    quotes: bool = True
    """False for a decision model, which has nothing to quote with."""


class Complete(Protocol):
    """One call to one model."""

    async def __call__(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str,
        timeout_seconds: float,
    ) -> Completion:
        """`cues` is for the offline model only. Raises RetryLater, RejectRecord, PauseConnection, Misconfigured."""


class Client:
    """Calls models through `litellm.acompletion`. All calls of one client come from one event loop."""

    def __init__(self, prices: cost.Prices | None = None, *, decisions: Collection[str] = ()) -> None:
        """`prices` of the settings come before litellm's; `decisions` are models asked through `adecisions`."""
        self._prices = prices or cost.Prices()
        self._decisions = frozenset(decisions)

    async def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str = "",
        timeout_seconds: float = 30.0,
    ) -> Completion:
        """One call without retries. Raises RetryLater, Unreachable, RejectRecord, PauseConnection, Misconfigured."""
        if not _loaded.is_set():
            # Two seconds of import would hold up everything else on the loop.
            await asyncio.to_thread(load)
        failure: errors.TierwiseError
        decides = model in self._decisions
        call = _decide if decides else functools.partial(_chat, cues=cues)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await call(model, messages, schema, timeout_seconds)
        except TimeoutError:
            failure = failures.timed_out(model, timeout_seconds)
        except failures.raised() as error:
            failure = failures.translate(error, model, missing_keys=missing_keys)
        else:
            latency_ms = round((time.perf_counter() - started) * 1000)
            if not _settled.is_set():
                _settled.set()
                gc.freeze()  # what litellm builds with its first call stays, too
            read = _decided if decides else completion
            return read(response, model=model, latency_ms=latency_ms, prices=self._prices)
        # Raised out here so that the provider's own exception, with its body, is not even the context.
        raise failure

    async def close(self) -> None:
        """Close the sockets that litellm keeps open. To be awaited on the loop that made the calls."""
        if _loaded.is_set():
            await load().close_litellm_async_clients()


async def _chat(
    model: str,
    messages: Sequence[Mapping[str, str]],
    schema: Mapping[str, Any],
    timeout_seconds: float,
    *,
    cues: str,
) -> Any:
    sent = arguments(model)
    with _unlogged():
        return await load().acompletion(
            model=model,
            messages=conversation(messages, provider=sent.provider),
            response_format=answer_format(schema),
            timeout=timeout_seconds,
            num_retries=0,
            max_retries=0,
            **sent.parameters,
            **({offline.CUES: cues} if sent.provider == offline.PROVIDER else {}),
        )


@contextmanager
def _unlogged() -> Iterator[None]:
    """litellm writes a log record of every call for callbacks that Tierwise has none of: two tasks and a tenth of
    a millisecond. Only this mark of its own leaves it out."""
    mark = importlib.import_module("litellm._internal_context").is_internal_call
    token = mark.set(True)
    try:
        yield
    finally:
        mark.reset(token)


async def _decide(
    model: str, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], timeout_seconds: float
) -> Any:
    return await load().adecisions(
        model=model, input=deciding.text(messages), questions=deciding.questions(schema), timeout=timeout_seconds
    )


def check_model(model: str) -> None:
    """Raises Misconfigured where litellm knows no provider for the name. Imports litellm."""
    arguments(model)


def missing_keys(model: str) -> tuple[str, ...]:
    """Names of the environment variables that the model's provider needs and that are not set. Imports litellm."""
    try:
        found = load().validate_environment(model=model)
    except failures.raised():
        return ()
    return () if model.startswith(f"{offline.PROVIDER}/") else tuple(found["missing_keys"])


def price_list() -> Mapping[str, Any]:
    """litellm's map of prices, by model: its own look-up asks some local servers over the network. Imports litellm."""
    listed: Mapping[str, Any] = load().model_cost
    return listed


_loading = threading.Lock()
_loaded = threading.Event()
_settled = threading.Event()
"""A first call came back in this process."""
_YOUNG = 50_000
"""Objects more than at the last search for garbage, before the next."""


def load() -> Any:
    """litellm, imported and made quiet on the first call. Raises Misconfigured where its transport is turned off."""
    if _loaded.is_set():
        return importlib.import_module("litellm")
    with _loading:
        for name in _LOGGERS:
            # They write prompts and providers' bodies; our own errors say what failed.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
        with warnings.catch_warnings():
            # pydantic warns of litellm's own types, at the import or when the first of them is built.
            warnings.simplefilter("ignore")
            litellm = importlib.import_module("litellm")
            litellm.ModelResponse()
        if not _loaded.is_set():
            _prepare(litellm)
            # Its 400,000 objects are there for good. Searched for garbage again and again they took a seventh of all of
            # a pump's time, and each full search stood in every call's way for some tenths of a second.
            gc.collect()
            gc.freeze()
            # Of what is young nearly all is still in use while its lead is under way: rarer searches find as much.
            gc.set_threshold(max(_YOUNG, gc.get_threshold()[0]), *gc.get_threshold()[1:])
            _loaded.set()
        return litellm


def answer_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a chat is told about the form of its answer."""
    return {"type": "json_schema", "json_schema": {"name": "assessment", "schema": schema, "strict": True}}


class Arguments(NamedTuple):
    """What goes with every call of one model."""

    provider: str
    parameters: Mapping[str, Any]


@lru_cache(maxsize=64)
def arguments(model: str) -> Arguments:
    """By the provider's own rules. Raises Misconfigured where litellm knows no such model. Imports litellm."""
    litellm = load()
    try:
        name, provider, _, _ = litellm.get_llm_provider(model)
        # litellm's own mapping decides; what it would drop is not sent, so that nothing is dropped silently.
        taken = litellm.utils.get_optional_params(
            model=name, custom_llm_provider=provider, drop_params=True, **PARAMETERS
        )
    except failures.raised() as error:
        unknown = f"litellm knows no such model ({type(error).__name__})"
    else:
        sent = {key: value for key, value in PARAMETERS.items() if key != "temperature" or "temperature" in taken}
        return Arguments(provider, sent)
    raise errors.Misconfigured(unknown, place=model, remedy="write it as provider/model, for example openai/gpt-6-luna")


def only_prepares(work: Any) -> bool:
    """Whether this, which litellm wants run in a thread, is the part of a chat before its first await, and cannot wait.

    By its shape in the pinned version: the context's `run` of a `completion` that is to return its coroutine. What has
    any other shape goes to a thread.
    """
    inner = work.args[0] if isinstance(work, functools.partial) and len(work.args) == 1 else None
    if not isinstance(inner, functools.partial) or inner.keywords.get("acompletion") is not True:
        return False
    model = inner.keywords.get("model")
    return isinstance(model, str) and arguments(model).provider in _PREPARES_ONLY


def _prepare(litellm: Any) -> None:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    if not AsyncHTTPHandler.should_use_aiohttp_transport():
        raise errors.Misconfigured(
            "litellm's aiohttp transport is turned off; the other one takes 40 times the processor time",
            place="DISABLE_AIOHTTP_TRANSPORT or LITELLM_HTTP2",
            remedy="unset it",
        )
    # Some of litellm's types are built with the first call to their provider.
    warnings.filterwarnings("ignore", message=".*using the `ReadOnly` qualifier", category=UserWarning)
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    others = [item for item in litellm.custom_provider_map if item["provider"] != offline.PROVIDER]
    litellm.custom_provider_map = [*others, {"provider": offline.PROVIDER, "custom_handler": offline.handler()}]
    litellm.utils.custom_llm_setup()


def conversation(messages: Sequence[Mapping[str, str]], *, provider: str) -> list[dict[str, Any]]:
    """The messages, what is the same in all of them marked for the provider's cache where it wants that."""
    copies: list[dict[str, Any]] = [dict(message) for message in messages]
    if provider in _CACHES_ON_REQUEST and copies and copies[0]["role"] == "system":
        block = {"type": "text", "text": copies[0]["content"], "cache_control": {"type": "ephemeral"}}
        copies[0]["content"] = [block]
    return copies


def completion(response: Any, *, model: str, latency_ms: int, prices: cost.Prices) -> Completion:
    """Of what litellm returned."""
    usage = getattr(response, "usage", None)
    stated = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
    choice = response.choices[0] if response.choices else None
    details = getattr(usage, "prompt_tokens_details", None)
    tokens_in = int(getattr(usage, "prompt_tokens", 0) or 0)
    tokens_out = int(getattr(usage, "completion_tokens", 0) or 0)
    cached = int(getattr(details, "cached_tokens", 0) or 0)
    return Completion(
        text=(choice.message.content or "") if choice is not None else "",
        model=model,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=prices.of_call(model, stated, tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached),
        latency_ms=latency_ms,
        tokens_cached=cached,
        finish=_finish(choice),
    )


def _decided(response: Any, *, model: str, latency_ms: int, prices: cost.Prices) -> Completion:
    usage = response.usage
    tokens_in, tokens_out = int(getattr(usage, "input_tokens", 0) or 0), int(getattr(usage, "output_tokens", 0) or 0)
    details = getattr(usage, "input_tokens_details", None)
    cached = int(getattr(details, "cached_tokens", 0) or 0)
    stated = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
    return Completion(
        text=deciding.answer(response),
        model=model,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=prices.of_call(model, stated, tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached),
        latency_ms=latency_ms,
        tokens_cached=cached,
        finish="refusal" if deciding.refused(response) else "stop",
        quotes=False,
    )


def _finish(choice: Any) -> Literal["stop", "length", "refusal"]:
    if choice is None:
        return "stop"
    if choice.finish_reason in ("content_filter", "refusal") or (
        not choice.message.content and _refused(choice.message)
    ):
        return "refusal"
    return "length" if choice.finish_reason == "length" else "stop"


def _refused(message: Any) -> bool:
    specific = getattr(message, "provider_specific_fields", None) or {}
    return bool(getattr(message, "refusal", None) or specific.get("refusal"))
