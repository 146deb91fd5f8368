from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tierwise import errors
from tierwise.domain.rubric import Criterion
from tierwise.llm import client, lexicon, offline, prompt

SECRET = "sk-live-abcdef"
ECHO = "in request of anna@acme.com"


@pytest.fixture(scope="module")
def litellm() -> Any:
    return client.load()


def test_importing_and_scoring_offline_touch_no_network() -> None:
    """Every socket to the outside is refused, and the refusal is fatal."""
    program = textwrap.dedent("""
        import asyncio, json, random, socket, sys

        def refuse(*_, **__):
            print("NETWORK", file=sys.stderr)
            sys.stderr.flush()
            import os
            os._exit(9)

        socket.socket.connect = refuse
        socket.socket.connect_ex = refuse
        socket.getaddrinfo = refuse
        socket.create_connection = refuse
        from tierwise.llm import client, lexicon, offline, prompt
        from tierwise.domain.rubric import Criterion
        assert "litellm" not in sys.modules
        criterion = Criterion(id="t", dimension="intent", question="When?", weight=100, decide="model",
            fields=("message",), levels=[{"id": "now", "points": 1, "cues": ["asap"]}, {"id": "no", "points": 0}])
        caller = client.Client()

        async def main():
            messages = [prompt.user_message({"message": "Send it asap"}, rng=random.Random(1))]
            cues = json.dumps(lexicon.spell_out([criterion]))
            answer = await caller.complete(offline.MODEL, messages, schema=prompt.schema([criterion]), cues=cues)
            await caller.close()
            return answer

        answer = asyncio.run(main())
        import litellm
        assert not hasattr(litellm, "telemetry") or not litellm.telemetry
        assert not litellm.callbacks and not litellm.success_callback and not litellm.failure_callback
        print(json.dumps([answer.text, answer.cost_usd, answer.tokens_in]))
    """)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LITELLM")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    text, cost, tokens = json.loads(done.stdout)
    assert json.loads(text)["t"]["level"] == "now"
    assert (cost, tokens) == (0.0, 0)
    assert done.stderr == "", "nothing is logged"


def test_litellms_own_debugging_does_not_print_the_lead() -> None:
    program = textwrap.dedent("""
        import asyncio, logging
        from tierwise.llm import client
        logging.basicConfig(level=logging.DEBUG)
        caller = client.Client()

        async def main():
            for model in ("openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "offline/rules"):
                try:
                    messages = [{"role": "user", "content": "anna-was-here"}]
                    await caller.complete(model, messages, schema={}, timeout_seconds=20)
                except client.errors.TierwiseError as error:
                    print(type(error).__name__)
            await caller.close()

        asyncio.run(main())
    """)
    nobody = {"OPENAI_API_BASE": "http://127.0.0.1:9/v1", "ANTHROPIC_API_BASE": "http://127.0.0.1:9"}
    keys = {"OPENAI_API_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET}
    environment = {**os.environ, **nobody, **keys, "LITELLM_LOG": "DEBUG"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, env=environment, check=False
    )
    assert done.stdout.split() == ["Unreachable", "Unreachable", "RejectRecord"], done.stderr
    assert "LiteLLM" not in done.stdout + done.stderr
    assert "anna-was-here" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-haiku-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
    ],
)
def test_a_missing_key_is_for_a_person_to_mend(
    litellm: Any, monkeypatch: pytest.MonkeyPatch, model: str, name: str
) -> None:
    for key in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    assert name in client.missing_keys(model)
    assert client.missing_keys(offline.MODEL) == ()

    async def main() -> None:
        caller = client.Client()
        with pytest.raises(errors.PauseConnection, match=rf"key is missing \(set .*{name}"):
            await caller.complete(model, [{"role": "user", "content": "x"}], schema={"type": "object"})
        await caller.close()

    asyncio.run(main())


def test_temperature_is_asked_for_only_where_the_model_takes_it(litellm: Any) -> None:
    def sent(model: str) -> dict[str, Any]:
        return dict(client.arguments(model).parameters)

    assert sent("openai/gpt-4o-mini")["temperature"] == 0
    assert sent("anthropic/claude-haiku-4-5")["temperature"] == 0
    assert "temperature" not in sent("openai/gpt-5-mini")
    assert "temperature" not in sent("anthropic/claude-sonnet-5-5")
    assert sent("openai/gpt-5-mini")["max_tokens"] == 4000


def test_a_model_that_litellm_does_not_know_is_misconfigured(litellm: Any) -> None:
    with pytest.raises(errors.Misconfigured, match=r"nobody/nothing: .*write it as provider/model"):
        client.check_model("nobody/nothing")
    client.check_model("openai/gpt-6-luna")
    client.check_model(offline.MODEL)


def test_the_offline_model_goes_through_litellm_and_needs_its_cues(
    litellm: Any, criteria: tuple[Criterion, ...]
) -> None:
    async def main() -> None:
        caller = client.Client()
        messages = [prompt.user_message({"message": "We need it this month."}, rng=random.Random(1))]
        schema = prompt.schema(criteria)
        cues = json.dumps(lexicon.spell_out(criteria))
        done = await caller.complete(offline.MODEL, messages, schema=schema, cues=cues)
        assert json.loads(done.text)["purchase_timing"]["level"] == "now"
        assert done.model == offline.MODEL
        with pytest.raises(errors.RejectRecord) as caught:
            await caller.complete(offline.MODEL, [{"role": "user", "content": ECHO}], schema=schema, cues=cues)
        assert caught.value.__context__ is None, "the provider's own exception is not chained"
        assert "anna" not in str(caught.value)
        await caller.close()

    asyncio.run(main())


def test_the_system_message_is_marked_for_caching_where_the_provider_wants_that() -> None:
    messages = [{"role": "system", "content": "rules"}, {"role": "user", "content": "lead"}]
    marked = client.conversation(messages, provider="anthropic")
    assert marked[0]["content"] == [{"type": "text", "text": "rules", "cache_control": {"type": "ephemeral"}}]
    assert client.conversation(messages, provider="openai") == messages
    assert messages[0]["content"] == "rules", "the caller's messages are left alone"


def test_what_litellm_brings_is_not_searched_for_garbage_again_and_again(litellm: Any) -> None:
    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold()[0] >= 50_000
