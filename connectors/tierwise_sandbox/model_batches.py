"""OpenAI's batches: a file of requests is checked as a whole, takes its time, and ends in a file of answers and one of
errors.

How they behave is data, the part `batches` of a scenario:
delay_seconds (until it ends) · failing (share of requests that end in the error file) · missing (share that is in
neither file) · done (share of the requests that were answered before it expired or was cancelled) · ending (completed,
expired, cancelled, failed) · stuck (never ends) · hidden (new batches are not in the list for so many seconds).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tierwise_sandbox import model_shapes
from tierwise_sandbox.brain.behaviour import dice
from tierwise_sandbox.model_files import Files
from tierwise_sandbox.model_replies import Replies
from tierwise_sandbox.model_requests import BadAsk, openai_ask

ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions")
ENDINGS = ("completed", "expired", "cancelled", "failed")
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
WINDOW = 86_400
_SHARES = ("failing", "missing", "done")


@dataclass(frozen=True)
class Habits:
    """How batches behave that are created from now on."""

    delay_seconds: float = 0.0
    failing: float = 0.0
    missing: float = 0.0
    done: float = 0.5
    ending: str = "completed"
    stuck: bool = False
    hidden: float = 0.0
    seed: int = 1


def parse(given: Any) -> Habits:
    """From JSON; ValueError says what is wrong and what is allowed."""
    known = [item.name for item in fields(Habits)]
    if not isinstance(given, Mapping):
        raise ValueError("batches: an object is expected")
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"batches: unknown key {unknown[0]!r}; known: {', '.join(known)}")
    for name in _SHARES:
        if not 0 <= given.get(name, 0) <= 1:
            raise ValueError(f"batches: {name} is a share between 0 and 1")
    if given.get("ending", "completed") not in ENDINGS:
        raise ValueError(f"batches: ending is one of {', '.join(ENDINGS)}")
    return Habits(**given)


@dataclass
class Batch:
    """One batch. `ended` is the status it came to, "" while it works."""

    id: str
    endpoint: str
    file: str
    metadata: dict[str, str] | None
    requests: list[dict[str, Any]]
    habits: Habits
    made: float
    invalid: list[dict[str, Any]] = field(default_factory=list)
    ended: str = ""
    ended_at: float = 0.0
    cancelling: bool = False
    output: str | None = None
    errors: str | None = None
    completed: int = 0
    failed: int = 0


class Batches:
    """All batches of the server."""

    def __init__(self, replies: Replies, files: Files, now: Callable[[], float] = time.time) -> None:
        self._replies, self._files, self._now = replies, files, now
        self._batches: dict[str, Batch] = {}
        self.habits = Habits()
        self.answered = 0
        """Requests that were answered in batches."""

    @property
    def count(self) -> int:
        """How many were created."""
        return len(self._batches)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new one. Raises BadAsk; what is wrong with the file's lines fails the batch, as at the provider."""
        endpoint, window, key = (body.get(name) for name in ("endpoint", "completion_window", "input_file_id"))
        if endpoint not in ENDPOINTS:
            raise BadAsk(f"Invalid value: '{endpoint}'. Supported values are: {', '.join(ENDPOINTS)}.")
        if window != "24h":
            raise BadAsk(f"Invalid value: '{window}'. Supported values are: '24h'.")
        held = self._files.get(str(key))
        if held is None or held.purpose != "batch":
            raise BadAsk(f"Invalid input_file_id: no file '{key}' with purpose 'batch'.")
        metadata = body.get("metadata")
        _check_metadata(metadata)
        requests, invalid = _lines(held.content, str(endpoint))
        made = Batch(
            f"batch_{secrets.token_hex(12)}", str(endpoint), held.id, metadata, requests, self.habits, self._now(),
            invalid,
        )  # fmt: skip
        self._batches[made.id] = made
        return self._shown(made)

    def get(self, key: str) -> dict[str, Any] | None:
        """As it is now; None where there is none."""
        held = self._batches.get(key)
        if held is None:
            return None
        self._work(held)
        return self._shown(held)

    def cancel(self, key: str) -> dict[str, Any] | None:
        """What was answered stays. Raises BadAsk where it ended already."""
        held = self._batches.get(key)
        if held is None:
            return None
        self._work(held)
        if held.ended:
            raise BadAsk(f"Cannot cancel a batch with status '{held.ended}'.")
        held.cancelling = True
        return self._shown(held)

    def listed(self, *, after: str | None, limit: int) -> dict[str, Any]:
        """A page, the newest first."""
        now = self._now()
        known = [held for held in reversed(self._batches.values()) if now - held.made >= held.habits.hidden]
        ids = [held.id for held in known]
        if after is not None:
            known = known[ids.index(after) + 1 :] if after in ids else []
        page = [self.get(held.id) for held in known[:limit]]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page and page[0] else None,
            "last_id": page[-1]["id"] if page and page[-1] else None,
            "has_more": len(known) > limit,
        }

    def _work(self, held: Batch) -> None:
        """Do what was to be done by now."""
        habits, age = held.habits, self._now() - held.made
        if held.ended:
            return
        if held.invalid or (habits.ending == "failed" and age >= habits.delay_seconds):
            held.invalid = held.invalid or [_fault("invalid_request", "The model is not available for batches.", None)]
            self._end(held, "failed")
        elif held.cancelling:
            self._answer(held, habits.done, unanswered=("batch_cancelled", "This request was cancelled."))
            self._end(held, "cancelled")
        elif age >= WINDOW or (not habits.stuck and age >= habits.delay_seconds):
            ending = "expired" if habits.stuck else habits.ending
            if ending == "completed":
                self._answer(held, 1.0, unanswered=None)
            else:
                words = ("batch_expired", "This request could not be executed before the completion window expired.")
                self._answer(held, habits.done, unanswered=words if ending == "expired" else None)
            self._end(held, ending)

    def _end(self, held: Batch, status: str) -> None:
        held.ended, held.ended_at = status, self._now()

    def _answer(self, held: Batch, share: float, *, unanswered: tuple[str, str] | None) -> None:
        answers, errors = [], []
        reached = int(len(held.requests) * share)
        for place, request in enumerate(held.requests):
            key = request["custom_id"]
            drawn = dice(held.habits.seed, "batch", key).random()
            if place >= reached:
                if unanswered is not None:
                    errors.append(_line(key, error={"code": unanswered[0], "message": unanswered[1]}))
                continue
            drawn -= held.habits.missing
            if drawn < 0:
                continue
            status, body = (500, None) if drawn - held.habits.failing < 0 else self._said(request["body"])
            if status == 200:
                answers.append(_line(key, status=200, body=body))
                continue
            kind, message = model_shapes.KINDS.get(status, ("api_error", "Something went wrong."))
            failure = body or model_shapes.OPENAI.error(status, message, kind, None)
            errors.append(_line(key, status=status, body=failure))
        held.completed, held.failed = len(answers), len(held.requests) - len(answers)
        self.answered += len(answers)
        held.output = self._written(f"{held.id}_output.jsonl", answers)
        held.errors = self._written(f"{held.id}_error.jsonl", errors)

    def _said(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any] | None]:
        try:
            ask = openai_ask(body)
        except BadAsk as error:
            return 400, model_shapes.OPENAI.error(400, str(error), "invalid_request_error", None)
        reply = self._replies.to(ask)
        if reply.reset:
            return 500, None
        if reply.status != 200:
            return reply.status, model_shapes.failure(model_shapes.OPENAI, reply, ask)
        return 200, model_shapes.OPENAI.answer(ask, reply)

    def _written(self, name: str, lines: list[dict[str, Any]]) -> str | None:
        if not lines:
            return None
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        return self._files.add(name, "batch_output", content).id

    def _shown(self, held: Batch) -> dict[str, Any]:
        age = self._now() - held.made
        early = "validating" if age < held.habits.delay_seconds / 10 else "in_progress"
        status = held.ended or ("cancelling" if held.cancelling else early)
        ended = int(held.ended_at) if held.ended else None
        return {
            "id": held.id,
            "object": "batch",
            "endpoint": held.endpoint,
            "errors": {"object": "list", "data": held.invalid} if held.ended == "failed" else None,
            "input_file_id": held.file,
            "completion_window": "24h",
            "status": status,
            "output_file_id": held.output,
            "error_file_id": held.errors,
            "created_at": int(held.made),
            "in_progress_at": None if status == "validating" else int(held.made),
            "expires_at": int(held.made) + WINDOW,
            "finalizing_at": ended if held.ended == "completed" else None,
            **{f"{name}_at": ended if held.ended == name else None for name in ENDINGS},
            "cancelling_at": int(held.made) if held.cancelling else None,
            "request_counts": {
                "total": len(held.requests), "completed": held.completed, "failed": held.failed,
            },
            "metadata": held.metadata,
        }  # fmt: skip


def _line(key: str, *, status: int = 0, body: Any = None, error: Any = None) -> dict[str, Any]:
    response = None
    if status:
        response = {"status_code": status, "request_id": f"req_{secrets.token_hex(8)}", "body": body}
    return {"id": f"batch_req_{secrets.token_hex(12)}", "custom_id": key, "response": response, "error": error}


def _fault(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line}


def _check_metadata(given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, Mapping) or len(given) > 16:
        raise BadAsk("metadata: an object with at most 16 keys is expected")
    for key, value in given.items():
        if len(key) > 64 or not isinstance(value, str) or len(value) > 512:
            raise BadAsk("metadata: keys have at most 64 characters; values are texts of at most 512")


def _lines(content: bytes, endpoint: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The requests, and what is wrong with the file."""
    if len(content) > MOST_BYTES:
        return [], [_fault("file_too_large", f"The file is larger than {MOST_BYTES} bytes.", None)]
    requests: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    seen: set[str] = set()
    models: set[str] = set()
    for number, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError:
            wrong.append(_fault("invalid_json_line", "This line is not parseable as valid JSON.", number))
            continue
        said = _wrong(line, endpoint, seen)
        if said is None:
            seen.add(line["custom_id"])
            models.add(str(line["body"].get("model")))
            requests.append(line)
        else:
            wrong.append(_fault(*said, number))
    if not requests and not wrong:
        wrong.append(_fault("empty_file", "The input file is empty.", None))
    if len(models) > 1:
        wrong.append(_fault("mismatched_model", "All requests of a batch must be for one model.", None))
    if len(requests) > MOST_REQUESTS:
        wrong.append(_fault("too_many_tasks", f"The file has more than {MOST_REQUESTS} requests.", None))
    return requests, wrong


def _wrong(line: Any, endpoint: str, seen: set[str]) -> tuple[str, str] | None:
    given: dict[str, Any] = line if isinstance(line, dict) else {}
    key, body, unknown = given.get("custom_id"), given.get("body"), set(given) - {"custom_id", "method", "url", "body"}
    named = isinstance(key, str) and 1 <= len(key) <= 512
    asks = isinstance(body, dict) and isinstance(body.get("model"), str)
    rules = (
        (isinstance(line, dict), "invalid_json_line", "This line is no object."),
        (not unknown, "unknown_parameter", f"Unknown parameter: {', '.join(map(repr, sorted(unknown)))}."),
        (named, "missing_required_parameter", "custom_id: a text of 1 to 512 characters is required."),
        (key not in seen, "duplicate_custom_id", "The custom_id for this request is a duplicate of another request."),
        (given.get("method") == "POST", "invalid_method", "The HTTP method of this request is not allowed."),
        (given.get("url") == endpoint, "invalid_url", "The URL of this request does not match the batch's endpoint."),
        (asks, "missing_required_parameter", "body: an object with a model is required."),
        (not (asks and body and body.get("stream")), "invalid_request", "stream is not supported in batches."),
    )
    return next(((code, message) for fine, code, message in rules if not fine), None)
