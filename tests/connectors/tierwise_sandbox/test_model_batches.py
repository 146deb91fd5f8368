from __future__ import annotations

import json
from typing import Any

import pytest

from tierwise_sandbox import model_batches
from tierwise_sandbox.model_batches import Batches
from tierwise_sandbox.model_files import Files
from tierwise_sandbox.model_replies import Replies
from tierwise_sandbox.model_requests import BadAsk

CHAT = "/v1/chat/completions"


class Desk:
    """Batches with a clock, and the files they are made of."""

    def __init__(self, **habits: Any) -> None:
        self.now = 1000.0
        self.files = Files(now=lambda: self.now)
        self.batches = Batches(Replies(), self.files, now=lambda: self.now)
        self.batches.habits = model_batches.parse(habits)

    def file(self, *lines: Any) -> str:
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        return self.files.add("in.jsonl", "batch", text.encode()).id

    def create(self, *lines: Any, **more: Any) -> dict[str, Any]:
        given = {"endpoint": CHAT, "completion_window": "24h", "input_file_id": self.file(*lines)}
        return self.batches.create({**given, **more})

    def at(self, key: str, seconds: float) -> dict[str, Any]:
        self.now += seconds
        found = self.batches.get(key)
        assert found is not None
        return found

    def read(self, key: str | None) -> list[dict[str, Any]]:
        held = self.files.get(key or "")
        return [json.loads(line) for line in held.content.splitlines()] if held else []


def line(number: int, **more: Any) -> dict[str, Any]:
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": f"Lead {number}"}]}
    return {"custom_id": f"k{number}", "method": "POST", "url": CHAT, "body": body, **more}


def test_a_batch_takes_its_time_and_ends_in_one_answer_a_request() -> None:
    desk = Desk(delay_seconds=100)
    made = desk.create(*map(line, range(5)), metadata={"mine": "1"})
    assert (made["status"], made["metadata"]) == ("validating", {"mine": "1"})
    assert desk.at(made["id"], 50)["status"] == "in_progress"
    done = desk.at(made["id"], 50)
    assert (done["status"], done["completed_at"], done["error_file_id"]) == ("completed", 1100, None)
    assert done["request_counts"] == {"total": 5, "completed": 5, "failed": 0}
    answers = desk.read(done["output_file_id"])
    assert [item["custom_id"] for item in answers] == [f"k{number}" for number in range(5)]
    assert all(item["response"]["body"]["object"] == "chat.completion" for item in answers)
    assert desk.at(made["id"], 10)["output_file_id"] == done["output_file_id"], "worked off once"
    assert desk.batches.answered == 5


def test_some_requests_fail_and_some_are_in_neither_file() -> None:
    desk = Desk(failing=0.3, missing=0.2)
    made = desk.create(*map(line, range(200)))
    done = desk.at(made["id"], 0)
    answers, errors = desk.read(done["output_file_id"]), desk.read(done["error_file_id"])
    assert 35 < len(errors) < 85
    assert 75 < len(answers) < 125
    assert len(answers) + len(errors) < 200
    assert {item["response"]["status_code"] for item in errors} == {500}
    assert done["request_counts"]["completed"] == len(answers)


@pytest.mark.parametrize(
    ("ending", "code"), [("expired", "batch_expired"), ("cancelled", None), ("completed", None)], ids=str
)
def test_an_end_before_all_was_answered(ending: str, code: str | None) -> None:
    desk = Desk(ending=ending, done=0.25)
    done = desk.at(desk.create(*map(line, range(8)))["id"], 0)
    assert done["status"] == ending
    answers, errors = desk.read(done["output_file_id"]), desk.read(done["error_file_id"])
    assert len(answers) == (8 if ending == "completed" else 2)
    assert {item["error"]["code"] for item in errors} == ({code} if code else set())


def test_one_that_is_stuck_expires_after_a_day() -> None:
    desk = Desk(stuck=True, done=0)
    made = desk.create(line(1))
    assert desk.at(made["id"], 86_399)["status"] == "in_progress"
    done = desk.at(made["id"], 1)
    assert (done["status"], done["output_file_id"]) == ("expired", None)


def test_cancelling_keeps_what_was_answered() -> None:
    desk = Desk(stuck=True, done=0.5)
    made = desk.create(line(1), line(2))
    cancelled = desk.batches.cancel(made["id"])
    assert cancelled is not None
    assert cancelled["status"] == "cancelling"
    done = desk.at(made["id"], 1)
    assert done["status"] == "cancelled"
    assert len(desk.read(done["output_file_id"])) == 1
    with pytest.raises(BadAsk, match="cancelled"):
        desk.batches.cancel(made["id"])
    assert desk.batches.cancel("batch_none") is None


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["{no json"], "invalid_json_line"),
        (["[]"], "invalid_json_line"),
        ([line(1), line(1)], "duplicate_custom_id"),
        ([line(1, url="/v1/embeddings")], "invalid_url"),
        ([line(1, method="GET")], "invalid_method"),
        ([line(1, custom_id="")], "missing_required_parameter"),
        ([line(1, body={"messages": []})], "missing_required_parameter"),
        ([line(1, more=1)], "unknown_parameter"),
        ([line(1, body={"model": "a", "stream": True})], "invalid_request"),
        ([line(1), line(2, body={"model": "other"})], "mismatched_model"),
        ([""], "empty_file"),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_a_file_that_does_not_conform_fails_the_batch(lines: list[Any], code: str) -> None:
    desk = Desk()
    done = desk.at(desk.create(*lines)["id"], 0)
    assert (done["status"], done["output_file_id"]) == ("failed", None)
    assert code in {item["code"] for item in done["errors"]["data"]}


def test_a_request_that_the_model_would_refuse_is_an_error_of_its_own() -> None:
    desk = Desk()
    bad = {"model": "gpt-x", "messages": []}
    done = desk.at(desk.create(line(1), line(2, body=bad))["id"], 0)
    (error,) = desk.read(done["error_file_id"])
    assert (error["custom_id"], error["response"]["status_code"]) == ("k2", 400)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"endpoint": "/v1/decisions"}, "Supported values"),
        ({"completion_window": "1h"}, "24h"),
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
    ],
)
def test_a_batch_that_cannot_be_created(given: dict[str, Any], word: str) -> None:
    with pytest.raises(BadAsk, match=word):
        Desk().create(line(1), **given)


def test_the_list_has_pages_and_may_lag_behind() -> None:
    desk = Desk(hidden=30)
    ids = [desk.create(line(1))["id"] for _ in range(3)]
    assert desk.batches.listed(after=None, limit=10)["data"] == []
    desk.now += 30
    page = desk.batches.listed(after=None, limit=2)
    assert ([item["id"] for item in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    rest = desk.batches.listed(after=page["last_id"], limit=2)
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == ([ids[0]], False)


@pytest.mark.parametrize("given", [{"failing": 2}, {"ending": "eaten"}, {"speed": 1}, []], ids=repr)
def test_habits_that_are_none(given: Any) -> None:
    with pytest.raises(ValueError, match="batches: "):
        model_batches.parse(given)
