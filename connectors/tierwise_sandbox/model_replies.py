"""What a model says to one request, before any provider's shape: an answer, an unfinished one, or a failure.

Scripted steps come first, then failures by their shares, then the answer. All of it repeats: by seed, model, lead
and by how often that lead was asked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tierwise_sandbox.brain import answering, reading, statistical
from tierwise_sandbox.brain.behaviour import ENDINGS, FAILURES, Behaviour, Behaviours, dice
from tierwise_sandbox.brain.truth import Truth
from tierwise_sandbox.latency import Latency
from tierwise_sandbox.model_requests import Ask

_REFUSAL = "I'm sorry, but I can't help with that request."


@dataclass(frozen=True)
class Reply:
    """`status` other than 200 and `reset` are failures; `ending` says how an answer ends that is no whole one."""

    content: str = ""
    status: int = 200
    ending: str = ""
    reset: bool = False
    seconds: float | None = None
    """In place of the server's own latency."""
    headers: Mapping[str, str] = field(default_factory=dict)


class Replies:
    """Behaviours of all models, and what must be counted for them."""

    def __init__(self) -> None:
        self.behaviours = Behaviours()
        self.truth = Truth()
        self._asked: Counter[tuple[str, str]] = Counter()

    def set(self, given: Any) -> None:
        """The behaviours anew; what was counted begins anew with them."""
        self.behaviours.replace(given)
        self._asked.clear()

    def to(self, ask: Ask) -> Reply:
        """What the model says now."""
        behaviour = self.behaviours.of(ask.model)
        if behaviour is None:
            return Reply(answering.text(ask.schema, ask.prompt, ask.model, turn=ask.turn))
        seconds = behaviour.latency.draw() if behaviour.latency else None
        if behaviour.script:
            return _scripted(behaviour.script.pop(0), lambda: self._content(ask, behaviour), seconds=seconds)
        lead = "\x1e".join(field.plain for field in reading.lead_fields(ask.prompt)) or ask.prompt
        if behaviour.context_tokens is not None and len(ask.prompt) // 4 > behaviour.context_tokens:
            return Reply(status=400, ending="context_overflow", seconds=seconds)
        number = self._asked[ask.model, lead]
        self._asked[ask.model, lead] += 1
        drawn = dice(behaviour.seed, ask.model, "failure", lead, number).random()
        for name in FAILURES:
            drawn -= behaviour.errors.get(name, 0.0)
            if drawn < 0:
                return _failed(name, behaviour, seconds=seconds)
        drawn = dice(behaviour.seed, ask.model, "ending", lead, number).random()
        for name in ENDINGS:
            drawn -= getattr(behaviour, name)
            if drawn < 0:
                return _ended(name, lambda: self._content(ask, behaviour), seconds=seconds)
        return Reply(self._content(ask, behaviour), seconds=seconds)

    def levels(self, ask: Ask) -> dict[str, str]:
        """The truth about the lead of a request, criterion by criterion."""
        return statistical.levels(reading.criteria(ask.schema or {}), reading.lead_fields(ask.prompt), self.truth)

    def _content(self, ask: Ask, behaviour: Behaviour) -> str:
        if ask.schema is None or behaviour.accuracy is None:
            return answering.text(ask.schema, ask.prompt, ask.model, turn=ask.turn)
        fields = reading.lead_fields(ask.prompt)
        answer = answering.structured(ask.schema, "", ask.model)
        true = self.levels(ask)
        ordering = statistical.obeys(fields, behaviour=behaviour, model=ask.model)
        for criterion in reading.criteria(ask.schema):
            if ordering is not None and (not criterion.fields or ordering.name in criterion.fields):
                answer[criterion.id] = statistical.obedient(criterion, ordering)
                continue
            answer[criterion.id] = statistical.judge(
                criterion, fields, behaviour=behaviour, model=ask.model, true=true[criterion.id]
            )
        return json.dumps(answer, ensure_ascii=False)


def _scripted(step: Mapping[str, Any], content: Callable[[], str], *, seconds: float | None) -> Reply:
    seconds = float(step["seconds"]) if "seconds" in step else seconds
    headers = {str(name): str(value) for name, value in (step.get("headers") or {}).items()}
    if step.get("reset"):
        return Reply(reset=True, seconds=seconds)
    if step.get("status", 200) != 200:
        return Reply(status=int(step["status"]), seconds=seconds, headers=headers)
    if "ending" in step:
        return _ended(step["ending"], content, seconds=seconds)
    if "text" in step:
        return Reply(str(step["text"]), seconds=seconds)
    if "answer" in step:
        return Reply(json.dumps(step["answer"], ensure_ascii=False), seconds=seconds)
    return Reply(content(), seconds=seconds)


def _failed(name: str, behaviour: Behaviour, *, seconds: float | None) -> Reply:
    if name == "reset":
        return Reply(reset=True, seconds=seconds)
    if name == "timeout":
        return Reply(status=504, seconds=behaviour.timeout_seconds)
    headers = {"retry-after": f"{behaviour.retry_after:g}"} if name == "429" and behaviour.retry_after else {}
    return Reply(status=int(name), seconds=seconds, headers=headers)


def _ended(name: str, content: Callable[[], str], *, seconds: float | None) -> Reply:
    if name == "context_overflow":
        return Reply(status=400, ending=name, seconds=seconds)
    if name == "empty":
        return Reply("", seconds=seconds)
    if name == "refusal":
        return Reply(_REFUSAL, ending=name, seconds=seconds)
    whole = content()
    if name == "truncated":
        return Reply(whole[: len(whole) // 2], ending=name, seconds=seconds)
    return Reply(whole.replace('"level"', "level", 1).replace('":', '" ', 1), seconds=seconds)


def latency(reply: Reply, server: Latency) -> float:
    """Seconds until the reply goes out."""
    return server.draw() if reply.seconds is None else reply.seconds
