"""The door to batches, with the sandbox's own files and batches right behind it; the way over HTTP is in
tests/integration/test_batches.py."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tierwise_fixtures.batches import PRIMARY, Provider

from tierwise import errors
from tierwise.llm import batch_door, batch_lines, client

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.moment = START

    def seconds(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Any) -> Provider:
    return Provider(clock)


def line(number: int) -> str:
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hello"}]}
    return json.dumps({"custom_id": f"k{number}", "method": "POST", "url": batch_lines.ENDPOINT, "body": body})


def test_from_lines_to_answers(door: Provider, clock: Clock) -> None:
    door.habits(delay_seconds=100)
    key = door.submit(door.upload([line(1), line(2)]), tag="mine")
    assert door.look(key) == batch_door.Looked("working")
    clock.moment += timedelta(seconds=100)
    done = door.look(key)
    assert (done.state, done.done, len(done.files)) == ("completed", 2, 1)
    assert len(door.read(done.files[0]).splitlines()) == 2


def test_a_batch_is_found_by_its_tag_on_any_page(door: Provider, clock: Clock) -> None:
    name = door.upload([line(1)])
    mine = door.submit(name, tag="mine")
    for number in range(120):
        door.submit(name, tag=f"other {number}")
    assert door.find("mine", since=clock.moment) == mine
    assert door.find("nobody's", since=clock.moment) is None
    door.calls.clear()
    clock.moment += timedelta(days=1)
    assert door.find("nobody's", since=clock.moment) is None
    assert door.calls == ["list_batches"], "older ones are not looked through"


@pytest.mark.parametrize(("lines", "fault"), [(["{"], "refused"), ([line(1), line(1)], "refused")])
def test_why_a_whole_batch_failed_is_told_in_one_word(door: Provider, lines: list[str], fault: str) -> None:
    found = door.look(door.submit(door.upload(lines), tag="mine"))
    assert (found.state, found.fault) == ("failed", fault)


def test_a_limit_of_the_provider_is_told_apart(door: Provider) -> None:
    found = door.submit(door.upload(["{"]), tag="mine")
    door.look(found)
    door.batches._batches[found].invalid[0]["code"] = "token_limit_exceeded"
    assert door.look(found).fault == "quota"


def test_what_is_deleted_already_is_no_failure(door: Provider) -> None:
    gone = errors.PauseConnection("the provider does not know it")
    gone.fault = "unknown_model"
    name = door.upload([line(1)])
    door.broken = [("file_delete", gone, True)]
    door.delete(name)
    door.broken = [("file_delete", errors.RetryLater("later"), False)]
    with pytest.raises(errors.RetryLater):
        door.delete("other")


@pytest.mark.parametrize(
    ("model", "decisions", "offered"),
    [
        (PRIMARY, (), True),
        (PRIMARY, (PRIMARY,), False),
        ("anthropic/claude-haiku-5-5", (), False),
        ("mistral/mistral-large-latest", (), False),
        ("offline/rules", (), False),
        ("nobody/knows", (), False),
    ],
)
def test_which_models_take_batches(model: str, decisions: tuple[str, ...], offered: bool) -> None:
    assert batch_door.offers(model, decisions=decisions) is offered


def test_a_model_of_another_endpoint_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.load().model_cost, PRIMARY, {"mode": "responses", "litellm_provider": "openai"})
    assert not batch_door.offers(PRIMARY)


def test_a_call_that_drips_is_given_up_in_time() -> None:
    release = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        batch_door._within(0.05, release.wait)
    release.set()
    assert time.monotonic() - started < 5
    assert batch_door._within(5, lambda: SimpleNamespace(id=1)).id == 1
    with pytest.raises(ValueError, match="mine"):
        batch_door._within(5, _fails)


def _fails() -> None:
    raise ValueError("mine")
