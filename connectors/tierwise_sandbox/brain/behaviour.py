"""How a model behaves, as data: how often it is right, how sure it says it is, and how it fails. Parsed and checked.

Everything is a share between 0 and 1 unless it says otherwise. What a behaviour leaves out, it does not do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tierwise_sandbox.latency import Latency

FAILURES = ("429", "500", "503", "timeout", "reset")
ENDINGS = ("malformed", "truncated", "refusal", "empty", "context_overflow")
_PER_CRITERION = ("accuracy", "auroc")
_STEPS = ("text", "answer", "status", "ending", "reset", "headers", "seconds")


@dataclass
class Behaviour:
    """One model. `accuracy` None = it says what the lexicon says."""

    accuracy: float | Mapping[str, float] | None = None
    """Right per criterion; by criterion, with "*" for the others."""
    auroc: float | Mapping[str, float] = 0.5
    """How well the probabilities tell right from wrong; 0.5 = whatever the truth."""
    stated: tuple[float, float] = (0.8, 0.99)
    """The probabilities are uniform in here, over all answers."""
    wrong: str = "any"
    """`any` other answer that the question allows, or an `adjacent` level."""
    errors: Mapping[str, float] = field(default_factory=dict)
    malformed: float = 0.0
    truncated: float = 0.0
    refusal: float = 0.0
    empty: float = 0.0
    context_overflow: float = 0.0
    context_tokens: int | None = None
    """Prompts longer than that are refused."""
    injected: float = 0.0
    """How often it obeys a lead that tells it what to answer."""
    latency: Latency | None = None
    timeout_seconds: float = 60.0
    """How long a `timeout` stays silent."""
    retry_after: float | None = None
    """Header of its 429."""
    seed: int = 1
    script: list[Mapping[str, Any]] = field(default_factory=list)
    """Answers to come first, one a call: text, answer (an object), status, ending, reset; headers and seconds."""

    def share(self, name: str, criterion: str) -> float:
        """`accuracy` or `auroc` of one criterion."""
        given = getattr(self, name)
        if isinstance(given, Mapping):
            given = given.get(criterion, given.get("*", 1.0 if name == "accuracy" else 0.5))
        return float(given)


class Behaviours:
    """What each model does: the longest name that is part of the model's name counts, `*` for all others."""

    def __init__(self) -> None:
        self._known: dict[str, Behaviour] = {}

    def of(self, model: str) -> Behaviour | None:
        """The behaviour of that model, None where nobody set one."""
        found = [name for name in self._known if name in model]
        name = max(found, key=len) if found else "*"
        return self._known.get(name)

    def replace(self, given: Any) -> None:
        """Set all of them: an object of name -> behaviour. ValueError says what is wrong and what is allowed."""
        if not isinstance(given, Mapping):
            raise ValueError("models: an object of model name -> behaviour is expected")
        self._known = {str(name): parse(item, f"models.{name}") for name, item in given.items()}


def parse(given: Any, place: str) -> Behaviour:
    """One behaviour from JSON."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: an object is expected, not {type(given).__name__}")
    known = {item.name for item in fields(Behaviour)} - {"latency"} | {"latency_ms", "latency_lognormal"}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"{place}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    rest: dict[str, Any] = dict(given)
    for name in (*_PER_CRITERION, *ENDINGS, "injected"):
        if rest.get(name) is not None:
            _check_share(rest[name], f"{place}.{name}", by_criterion=name in _PER_CRITERION)
    if rest.get("wrong", "any") not in {"any", "adjacent"}:
        raise ValueError(f"{place}.wrong: any or adjacent")
    rest["errors"] = _errors(rest.get("errors", {}), f"{place}.errors")
    rest["stated"] = _range(rest.get("stated", (0.8, 0.99)), f"{place}.stated")
    rest["script"] = _script(rest.get("script", []), f"{place}.script")
    for name in ("timeout_seconds", "retry_after", "context_tokens", "seed"):
        value = rest.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
            raise ValueError(f"{place}.{name}: a number of 0 or more is expected")
    rest["latency"] = _latency(rest, place)
    return Behaviour(**{name: value for name, value in rest.items() if value is not None})


def _check_share(value: Any, place: str, *, by_criterion: bool = False) -> None:
    if by_criterion and isinstance(value, Mapping):
        for name, item in value.items():
            _check_share(item, f"{place}.{name}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{place}: a share from 0 to 1 is expected, was {value!r}")


def _errors(given: Any, place: str) -> dict[str, float]:
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        given = {name: given / len(FAILURES[:2]) for name in FAILURES[:2]}  # half rate limits, half crashes
    if not isinstance(given, Mapping) or not set(given) <= set(FAILURES):
        raise ValueError(f"{place}: a share, or an object of {', '.join(FAILURES)}")
    for name, value in given.items():
        _check_share(value, f"{place}.{name}")
    return dict(given)


def _range(given: Any, place: str) -> tuple[float, float]:
    try:
        low, high = given
    except (TypeError, ValueError):
        raise ValueError(f"{place}: [low, high] is expected") from None
    _check_share(low, place)
    _check_share(high, place)
    if low > high:
        raise ValueError(f"{place}: low must not exceed high")
    return float(low), float(high)


def _script(given: Any, place: str) -> list[Mapping[str, Any]]:
    if not isinstance(given, list):
        raise ValueError(f"{place}: a list of answers is expected")
    for number, step in enumerate(given):
        if not isinstance(step, Mapping) or not set(step) <= set(_STEPS):
            raise ValueError(f"{place}[{number}]: an object of {', '.join(_STEPS)} is expected")
        if step.get("ending") not in (None, *ENDINGS):
            raise ValueError(f"{place}[{number}].ending: one of {', '.join(ENDINGS)}")
    return list(given)


def _latency(rest: dict[str, Any], place: str) -> Latency | None:
    fixed, drawn = rest.pop("latency_ms", None), rest.pop("latency_lognormal", None)
    if fixed is None and drawn is None:
        return None
    try:
        if drawn is not None:
            drawn = ",".join(map(str, drawn)) if isinstance(drawn, (list, tuple)) else str(drawn)
        latency = Latency.parse(fixed, drawn, seed=int(rest.get("seed", 1)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {str(error).replace('--', '').replace('-', '_')}") from None
    return latency


def dice(seed: int, *parts: object) -> random.Random:
    """A generator that is the same for the same parts, on every machine and in every run."""
    return random.Random("\x1f".join(map(str, (seed, *parts))))  # noqa: S311 - behaviour, nothing secret
