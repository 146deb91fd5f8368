"""A policy with three criteria that a model decides, and a model that says what it is told to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rubric import Criterion, Knockout, Models, Rubric, Thresholds
from tierwise.domain.rules import Answer
from tierwise.llm import prompt
from tierwise.llm.client import Completion

CRITERIA: tuple[dict[str, Any], ...] = (
    {
        "id": "purchase_timing",
        "dimension": "intent",
        "question": "When do they want to start?",
        "weight": 30,
        "decide": "model",
        "fields": ("message",),
        "levels": [
            {"id": "now", "points": 1, "reason": "SOON", "cues": ("this month", "asap", "urgent*")},
            {"id": "later", "points": 0.5, "description": "This year.", "cues": ("this year", "q4")},
            {"id": "none", "points": 0, "description": "No time is named."},
        ],
    },
    {
        "id": "buying_role",
        "dimension": "fit",
        "question": "Can the person decide?",
        "weight": 20,
        "decide": "model",
        "fields": ("job_title", "message"),
        "levels": [
            {"id": "decides", "points": 1, "cues": ("chief", "head of", "i decide")},
            {"id": "influences", "points": 0.6, "cues": ("manager",)},
            {"id": "neither", "points": 0, "cues": ("student", "intern")},
        ],
    },
    {
        "id": "legitimate",
        "dimension": "fit",
        "question": "Is it a real request?",
        "weight": 10,
        "decide": "model",
        "fields": ("message",),
        "levels": [
            {"id": "real", "points": 1, "cues": ("we need",)},
            {"id": "spam", "points": 0, "cues": ("backlinks", "casino")},
        ],
    },
    {
        "id": "size",
        "dimension": "fit",
        "question": "Large enough?",
        "weight": 40,
        "decide": "rule",
        "levels": [
            {"id": "large", "points": 1, "when": "lead.employee_count >= 50"},
            {"id": "small", "points": 0, "when": "lead.employee_count < 50"},
        ],
    },
)


def _large(facts: Mapping[str, Any]) -> Answer:
    count = facts["lead"].get("employee_count")
    return Answer("unknown") if count is None else Answer("match" if count >= 50 else "no_match")


def _small(facts: Mapping[str, Any]) -> Answer:
    count = facts["lead"].get("employee_count")
    return Answer("unknown") if count is None else Answer("match" if count < 50 else "no_match")


@pytest.fixture
def make_runnable() -> Callable[..., Runnable]:
    """`make_runnable(primary=..., secondary=..., criteria=..., weights...)`: a policy ready to judge by."""

    def make(
        *,
        primary: str = "test/one",
        secondary: str | None = None,
        escalate_below: float = 0.7,
        review_below: float = 0.5,
        criteria: Sequence[Mapping[str, Any]] = CRITERIA,
        body: str = "You qualify leads for {{ rubric }}.",
        tiers: Mapping[str, int] | None = None,
    ) -> Runnable:
        rubric = Rubric(
            name="sample",
            version="1",
            owner="ops",
            criteria=tuple(Criterion.model_validate(item) for item in criteria),
            knockouts=(Knockout(criterion="legitimate", level="spam"),),
            tiers=tiers or {"A": 75, "B": 55, "C": 30, "D": 0},
            thresholds=Thresholds(escalate_below=escalate_below, review_below=review_below),
            models=Models(primary=primary, secondary=secondary),
            free_text_cap=60,
        )
        policy = Policy(name="sample", version="1", owner="ops", rubric=rubric, prompt=body)
        levels = {("size", "large"): _large, ("size", "small"): _small}
        return Runnable(policy=policy, digest=policy.digest(), rules={}, levels=levels)

    return make


@pytest.fixture
def sample() -> tuple[dict[str, Any], ...]:
    """The criteria of the sample policy as plain data."""
    return CRITERIA


@pytest.fixture
def runnable(make_runnable: Callable[..., Runnable]) -> Runnable:
    """The sample policy as it is."""
    return make_runnable()


@pytest.fixture
def criteria(runnable: Runnable) -> tuple[Criterion, ...]:
    """The criteria of the sample policy that a model decides."""
    return runnable.policy.rubric.asked


@pytest.fixture
def answered() -> Callable[..., str]:
    """`answered(purchase_timing=("now", 0.9, "asap", "message"), ...)`: the JSON of an answer."""

    def write(**items: tuple[Any, ...]) -> str:
        keys = ("level", "probability", "quote", "field")
        return json.dumps({name: dict(zip(keys, item, strict=False)) for name, item in items.items()})

    return write


class Scripted:
    """A `Complete` that plays a script per model: texts, errors to raise, or functions of the shown fields."""

    def __init__(self, **scripts: Sequence[Any]) -> None:
        self.scripts = {f"test/{name}": list(script) for name, script in scripts.items()}
        self.calls: list[tuple[str, tuple[Mapping[str, str], ...]]] = []
        self.timeouts: list[float] = []
        self.cues: list[str] = []

    async def __call__(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str,
        timeout_seconds: float,
    ) -> Completion:
        self.calls.append((model, tuple(messages)))
        self.timeouts.append(timeout_seconds)
        self.cues.append(cues)
        script = self.scripts[model]
        step = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(step, BaseException):
            raise step
        if callable(step):
            step = step(prompt.read_back(messages[1]["content"]))
            if hasattr(step, "__await__"):
                step = await step
        return Completion(
            text=step,
            model=model,
            tokens_in=100,
            tokens_out=10,
            cost_usd=None if "free" in model else 0.5,
            latency_ms=7,
        )

    def asked(self) -> list[str]:
        """Models in the order of calls."""
        return [model for model, _ in self.calls]


@pytest.fixture
def scripted() -> type[Scripted]:
    """The class: `scripted(one=[...], two=[...])` answers for `test/one` and `test/two`."""
    return Scripted
