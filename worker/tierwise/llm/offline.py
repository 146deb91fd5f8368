"""`offline/rules`: a lexicon that answers through litellm like any model. It is not a language model and understands
nothing; it is the test double, the floor while providers are down, and the baseline that a model must beat.

Deterministic, free, without network. The cues travel in the call's parameters, never in the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tierwise.llm import lexicon, prompt

PROVIDER = "offline"
MODEL = "offline/rules"
CUES = "tierwise_cues"
"""Name of the parameter: the JSON text of `lexicon.spell_out`."""

NOTICE = "offline/rules is a lexicon, not a language model"


def answer(messages: Sequence[Mapping[str, Any]], cues: str) -> str:
    """The JSON answer to a conversation whose last lead block is assessed. Raises ValueError without one."""
    for message in reversed(messages):
        if message.get("role") != "user":
            continue
        try:
            shown = prompt.read_back(str(message["content"]))
        except ValueError:
            continue
        findings = lexicon.assess(_questions(cues), shown.fields)
        return json.dumps({name: _item(finding) for name, finding in findings.items()}, ensure_ascii=False)
    raise ValueError("there is no lead block in the messages")


def _item(finding: lexicon.Finding) -> dict[str, Any]:
    return {
        "level": finding.level,
        "probability": finding.probability,
        "quote": finding.quote,
        "field": finding.field,
    }


@lru_cache(maxsize=16)
def _questions(cues: str) -> tuple[lexicon.Question, ...]:
    return lexicon.compiled(json.loads(cues))


def handler() -> Any:
    """A new handler for litellm's `custom_provider_map`. Imports litellm."""
    import litellm
    from litellm.llms.custom_llm import CustomLLMError

    class Offline(litellm.CustomLLM):  # type: ignore[misc]  # litellm is not typed
        """Answers from the cues in the call's optional parameters."""

        def completion(self, *_: Any, **call: Any) -> Any:
            cues = call["optional_params"].get(CUES)
            if cues is None:
                raise CustomLLMError(status_code=400, message=f"{NOTICE}; it needs the parameter {CUES}")
            response = call["model_response"]
            try:
                response.choices[0].message.content = answer(call["messages"], cues)
            except ValueError as error:
                raise CustomLLMError(status_code=400, message=f"{NOTICE}; it needs a lead block") from error
            response.choices[0].finish_reason = "stop"
            response.model = MODEL.removeprefix(f"{PROVIDER}/")
            # No tokens exist here; a made-up count would look like usage.
            response.usage = litellm.Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0)
            response.system_fingerprint = f"lexicon-{lexicon.VERSION}"
            return response

        async def acompletion(self, *_: Any, **call: Any) -> Any:
            return self.completion(**call)

    return Offline()
