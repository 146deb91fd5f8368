"""OpenAI's decisions: closed questions in, a probability for every option out; no text, no quote.

A question's answer is what the same model would say in a chat about the criterion of that name, as probabilities.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tierwise_sandbox.brain import judging, reading, statistical
from tierwise_sandbox.brain.reading import UNKNOWN, Criterion
from tierwise_sandbox.model_replies import Replies, Reply
from tierwise_sandbox.model_requests import Ask, BadAsk
from tierwise_sandbox.model_shapes import Shape, tokens

_KEYS = ("level", "probability", "quote", "field")
_PREDICATE = ("true", "false")


def ask(body: Mapping[str, Any]) -> Ask:
    """A request's model and input; its questions travel as `questions`. Raises BadAsk as the provider would."""
    model, questions = body.get("model"), body.get("questions")
    if not isinstance(model, str) or not model:
        raise BadAsk("you must provide a model parameter")
    if not isinstance(questions, list) or not 1 <= len(questions) <= 128:
        raise BadAsk("questions: between 1 and 128 questions are required")
    for place, question in enumerate(questions):
        _check(question, f"questions[{place}]")
    return Ask(model, _input(body.get("input")), {"questions": questions})


def shape(replies: Replies) -> Shape:
    """How the endpoint speaks."""

    def answer(asked: Ask, reply: Reply) -> dict[str, Any]:
        assert asked.schema is not None
        questions: Sequence[Mapping[str, Any]] = asked.schema["questions"]
        answers = (
            [{"type": "refusal", "name": question.get("name")} for question in questions]
            if reply.ending == "refusal"
            else [_answer(question, asked, replies) for question in questions]
        )
        given, made = tokens(asked.prompt) + tokens(json.dumps(questions)), len(questions)
        return {
            "model": asked.model,
            # An answer that breaks off has fewer answers than questions.
            "answers": answers[: len(answers) // 2] if reply.ending == "truncated" else answers,
            "usage": {
                "input_tokens": given,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": made,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": given + made,
            },
        }

    def error(_status: int, message: str, kind: str, code: str | None) -> dict[str, Any]:
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    return Shape(answer, error)


def _answer(question: Mapping[str, Any], asked: Ask, replies: Replies) -> dict[str, Any]:
    criterion = _criterion(question)
    # Without a lead block the whole input is what is judged.
    fields = reading.lead_fields(asked.prompt) or [reading.whole(asked.prompt)]
    behaviour = replies.behaviours.of(asked.model)
    if behaviour is not None and behaviour.accuracy is not None:
        true = statistical.levels([criterion], fields, replies.truth)[criterion.id]
        ordering = statistical.obeys(fields, behaviour=behaviour, model=asked.model)
        if ordering is not None:
            chosen, probability = judging.ladder(criterion)[0], 0.99
        else:
            chosen, probability = statistical.verdict(
                criterion, fields, behaviour=behaviour, model=asked.model, true=true
            )
    else:
        seed = "".join(field.raw for field in fields)
        made = judging.judge(criterion, judging.sentences(fields), model=asked.model, seed=seed)
        chosen, probability = made["level"], made["probability"]
    spread = statistical.spread(criterion, chosen, probability)
    name = question.get("name")
    if question["type"] == "predicate":
        return {"type": "predicate", "name": name, "probability": round(spread["true"], 4)}
    if question["type"] == "score":
        labels = [str(level["label"]) for level in question["levels"]]
        return {
            "type": "score",
            "name": name,
            "score": round(sum(place * spread[label] for place, label in enumerate(labels)), 4),
            "probabilities": [
                {"value": place, "label": label, "probability": round(spread[label], 4)}
                for place, label in enumerate(labels)
            ],
            "confidence": round(max(spread.values()), 4),
        }
    values = [option["value"] for option in question["choices"]]
    return {
        "type": "choice",
        "name": name,
        "choice": next(value for value in values if _key(value) == chosen),
        "probabilities": [{"value": value, "probability": round(spread[_key(value)], 4)} for value in values],
        "confidence": round(probability, 4),
    }


def _criterion(question: Mapping[str, Any]) -> Criterion:
    name, text = str(question.get("name") or "question"), str(question["instructions"])
    if question["type"] == "predicate":
        options, described = list(_PREDICATE), list(_PREDICATE)
    elif question["type"] == "score":
        options = [str(level["label"]) for level in question["levels"]]
        described = [f"{level['label']}: {level.get('description') or ''}" for level in question["levels"]]
    else:
        options = [_key(option["value"]) for option in question["choices"]]
        described = [f"{_key(option['value'])}: {option.get('description') or ''}" for option in question["choices"]]
    return Criterion(
        id=name,
        question=text,
        levels=tuple(option for option in options if option != UNKNOWN),
        descriptions=tuple(text for option, text in zip(options, described, strict=True) if option != UNKNOWN),
        fields=(),
        has_unknown=UNKNOWN in options,
        keys=_KEYS,
    )


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(question: Any, place: str) -> None:
    kind = question.get("type") if isinstance(question, Mapping) else None
    if kind not in {"predicate", "choice", "score"}:
        raise BadAsk(f"{place}.type: must be one of predicate, choice, score")
    if not isinstance(question.get("instructions"), str):
        raise BadAsk(f"{place}.instructions: Field required")
    options, named = {"choice": ("choices", "value"), "score": ("levels", "label")}.get(kind, ("", ""))
    if options:
        given = question.get(options)
        if not isinstance(given, list) or len(given) < 2 or not all(isinstance(one, Mapping) for one in given):
            raise BadAsk(f"{place}.{options}: at least 2 are required")
        values = [_key(one.get(named)) for one in given]
        if len(set(values)) != len(values):
            raise BadAsk(f"{place}.{options}: values must be unique")


def _input(given: Any) -> str:
    if isinstance(given, str) and given:
        return given
    if not isinstance(given, list) or not given:
        raise BadAsk("input: a text or user messages are required")
    texts = []
    for message in given:
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str):
            texts.append(content)
        elif isinstance(content, list):
            texts += [str(part.get("text", "")) for part in content if isinstance(part, Mapping)]
    return "\n\n".join(texts)
