"""The chain of models through LiteLLM's real HTTP path, against the sandbox's OpenAI- and Anthropic-shaped servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tierwise import policies
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.llm import offline
from tierwise.llm.cascade import Cascade
from tierwise.llm.loop import LoopThread

OPENAI, ANTHROPIC = "openai/gpt-6-luna", "anthropic/claude-haiku-4-5"
KEY = "sk-secret-0123456789"
LEAD = Lead(
    email="anna@acme.example",
    first_name="Anna",
    job_title="Head of Logistics",
    employee_count=240,
    message="We ship about 9000 orders per month by hand, printing labels one by one. The budget has been approved.",
)


@pytest.fixture(scope="module")
def runnable() -> Runnable:
    """The policy that ships with the repository."""
    return policies.compile(policies.read(Path(__file__).parents[2]))


@pytest.fixture
def box(sandbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sandbox that both providers' clients are pointed at, as an operator would do it."""
    started = sandbox()
    monkeypatch.setenv("OPENAI_API_BASE", f"{started.model_url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_BASE", started.model_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return started


def judge(runnable: Runnable, *leads: Lead, **options: Any) -> list[Judged]:
    async def main() -> list[Judged]:
        cascade = Cascade(**options)
        try:
            return [await cascade.judge(runnable, lead) for lead in leads]
        finally:
            await cascade.close()

    loop = LoopThread()
    try:
        return loop.submit(main()).result(60)
    finally:
        loop.stop()


def strict(runnable: Runnable) -> Runnable:
    """The same policy, never satisfied with one model."""
    thresholds = runnable.policy.rubric.thresholds.model_copy(update={"escalate_below": 1.0})
    rubric = runnable.policy.rubric.model_copy(update={"thresholds": thresholds})
    policy = runnable.policy.model_copy(update={"rubric": rubric})
    return runnable._replace(policy=policy, digest=policy.digest())


class Threads(ThreadPoolExecutor):
    """The loop's threads, and what they were given to do."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.given.append(fn)
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC, offline.MODEL])
def test_a_call_needs_no_thread(box: Any, runnable: Runnable, model: str) -> None:
    """What litellm hands over for these providers has the shape that the loop knows."""
    threads = Threads()

    async def main() -> list[Judged]:
        asyncio.get_running_loop().set_default_executor(threads)
        cascade = Cascade(primary=model)
        try:
            first = await cascade.judge(runnable, LEAD)
            threads.given.clear()  # a process's first call looks around
            return [first, await cascade.judge(runnable, LEAD)]
        finally:
            await cascade.close()

    loop = LoopThread()
    try:
        judged = loop.submit(main()).result(60)
    finally:
        loop.stop()
    assert [(item.errors, item.used) for item in judged] == [((), model)] * 2
    assert threads.given == []


def test_nothing_of_a_call_is_written_into_litellms_own_log(
    box: Any, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from litellm.litellm_core_utils import logging_worker

    worker = logging_worker.LoggingWorker()
    monkeypatch.setattr(logging_worker, "GLOBAL_LOGGING_WORKER", worker)
    [judged] = judge(runnable, LEAD, primary=OPENAI)
    assert judged.errors == ()
    assert worker._queue is None, "nobody has put anything in"


def test_two_providers_answer_with_verified_quotes_tokens_and_cost(box: Any, runnable: Runnable) -> None:
    [judged] = judge(strict(runnable), LEAD, primary=OPENAI, secondary=ANTHROPIC)
    assert judged.errors == ()
    assert [item.model for item in judged.assessments] == [OPENAI, ANTHROPIC]
    for assessment in judged.assessments:
        assert assessment.tokens_in > 0
        assert assessment.tokens_out > 0
        assert assessment.cost_usd is not None
        assert assessment.cost_usd > 0
        assert {verdict.criterion for verdict in assessment.verdicts} == {
            criterion.id for criterion in runnable.policy.rubric.asked
        }
    quotes = [verdict.quote for verdict in judged.verdicts if verdict.quote]
    assert quotes
    assert all(LEAD.message and quote in f"{LEAD.message} {LEAD.job_title}" for quote in quotes)
    assert box.stats()["model_calls"] == 2


def test_a_provider_that_echoes_key_and_lead_is_not_repeated_anywhere(
    box: Any, runnable: Runnable, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    body = {"error": {"message": f"Incorrect API key {KEY} for {LEAD.email}: {LEAD.message}", "type": "x", "code": "y"}}
    box.faults(
        [{"match": {"path": "/chat/completions"}, "action": "status", "status": 401, "body": body, "times": None}]
    )
    with caplog.at_level("DEBUG", logger="tierwise"):
        [judged] = judge(runnable, LEAD, primary=OPENAI)
    assert judged.fallback
    assert judged.used == offline.MODEL
    assert judged.errors == (
        f"{OPENAI}: the provider refuses the key (AuthenticationError, status 401) "
        "(check the provider's key and its rights)",
    )
    captured = capfd.readouterr()
    everything = captured.out + captured.err + caplog.text + judged.model_dump_json(exclude={"verdicts", "assessments"})
    assert KEY not in everything
    assert "anna@acme" not in everything
    assert "by hand" not in everything


def test_a_busy_provider_is_waited_for_as_long_as_it_asks(box: Any, runnable: Runnable) -> None:
    headers = {"Retry-After": "0.3"}
    box.faults([{"match": {"path": "/messages"}, "action": "status", "status": 429, "headers": headers, "times": 2}])
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    [judged] = judge(runnable, LEAD, primary=ANTHROPIC, sleep=sleep)
    assert (judged.used, judged.errors) == (ANTHROPIC, ())
    assert len(pauses) == 2
    assert all(pause >= 0.3 for pause in pauses)
    assert all(pause <= 1.3 for pause in pauses)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "delay", "seconds": 30},
        {"action": "drop"},
        {"action": "truncate"},
        {"action": "status", "status": 500},
        {"action": "status", "status": 529},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_whatever_happens_on_the_wire_the_other_provider_answers(
    box: Any, runnable: Runnable, fault: dict[str, Any]
) -> None:
    box.faults([{"match": {"path": "/chat/completions"}, "times": None, **fault}])
    [judged] = judge(runnable, LEAD, primary=OPENAI, secondary=ANTHROPIC, timeout_seconds=1.0, attempts=1)
    assert judged.used == ANTHROPIC
    assert not judged.fallback
    assert len(judged.errors) == 1
    assert judged.errors[0].startswith(f"{OPENAI}: ")


def test_an_address_where_nobody_listens(monkeypatch: pytest.MonkeyPatch, runnable: Runnable) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    [judged] = judge(runnable, LEAD, primary=OPENAI, attempts=1)
    assert judged.fallback
    assert judged.errors[0].startswith(f"{OPENAI}: no answer")


def test_a_garbled_answer_is_repaired_once_or_given_up(box: Any, runnable: Runnable) -> None:
    [judged] = judge(runnable, LEAD, primary="openai/stutter")
    assert (judged.used, judged.errors) == ("openai/stutter", ())
    assert judged.assessments[0].repaired
    assert judged.assessments[0].cost_usd is None, "nobody knows the price of that model"
    [judged] = judge(runnable, LEAD, primary="openai/garbled", secondary=ANTHROPIC)
    assert judged.used == ANTHROPIC
    assert judged.errors == ("openai/garbled: the answer did not have the schema, nor did its repair",)
    assert box.stats()["model_calls"] == 2 + 3


def test_an_answer_is_the_same_for_the_same_lead_and_other_models_hold_their_own(box: Any, runnable: Runnable) -> None:
    first, second = judge(runnable, LEAD, LEAD, primary=OPENAI)
    assert first.verdicts == second.verdicts
    assert first.assessments[0].content_hash == second.assessments[0].content_hash


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_sockets_stay_flat_on_the_one_loop(box: Any, runnable: Runnable) -> None:
    loop = LoopThread()

    async def batch(cascade: Cascade, start: int) -> list[Judged]:
        leads = [LEAD.model_copy(update={"message": f"{LEAD.message} Number {start + n}."}) for n in range(50)]
        return await asyncio.gather(*(cascade.judge(runnable, lead) for lead in leads))

    cascade = Cascade(primary=OPENAI, in_flight=10)
    opened: list[int] = []
    for start in range(0, 250, 50):
        judged = loop.submit(batch(cascade, start)).result(60)
        assert all(one.used == OPENAI for one in judged)
        opened.append(_open_files())
    loop.submit(cascade.close()).result(10)
    loop.stop()
    assert max(opened[1:]) <= opened[0] + 2, opened
    assert _open_files() <= opened[0] - 8, "closing lets go of the connections"
    stats = box.stats()
    assert stats["model_calls"] == 250
    assert stats["model_most_in_flight"] <= 10


# litellm builds its types for a provider with the first call to it; pydantic warns of them.
@pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning")
def test_decisions_and_ollama_are_reached_through_litellm(box: Any) -> None:
    from tierwise.llm import client

    lead = '<lead nonce="ab" mark="^">\n{"message": "We^have^a^budget^of^$40k."}\n</lead nonce="ab">'
    choices = [{"value": "yes", "description": "a budget"}, {"value": "no"}, {"value": "unknown"}]
    question = {"type": "choice", "name": "budget", "instructions": "Is there a budget?", "choices": choices}
    schema = {"type": "object", "properties": {"note": {"type": "string"}}}
    box.faults({"models": {"decider": {"accuracy": 1.0, "stated": [0.9, 0.9]}}})

    async def main() -> tuple[Any, list[Any]]:
        litellm = client.load()
        decided = await litellm.adecisions(model="openai/decider", input=lead, questions=[question])
        chats = [
            await litellm.acompletion(
                model=f"{provider}/qwen3",
                messages=[{"role": "user", "content": lead}],
                api_base=box.model_url,
                response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
            )
            for provider in ("ollama", "ollama_chat")
        ]
        await litellm.close_litellm_async_clients()
        return decided, chats

    loop = LoopThread()
    try:
        decided, chats = loop.submit(main()).result(60)
    finally:
        loop.stop()
    assert (decided.answers[0].name, decided.answers[0].confidence) == ("budget", 0.9)
    assert sum(item.probability for item in decided.answers[0].probabilities) == pytest.approx(1, abs=0.001)
    assert [chat.choices[0].message.content for chat in chats] == ['{"note": ""}'] * 2


def test_a_model_that_fails_and_stammers_as_it_was_told_to_is_asked_until_it_answers(
    runnable: Runnable, box: Any
) -> None:
    script = [{"status": 429, "headers": {"retry-after": 0}}, {"reset": True}, {"ending": "malformed"}]
    box.faults({"models": {"gpt-6-luna": {"accuracy": 1.0, "script": script}}})
    found = judge(runnable, LEAD, primary=OPENAI, attempts=4)[0]
    assert found.used == OPENAI
    assert found.assessments[0].repaired
    assert box.stats()["model_calls"] == 4
