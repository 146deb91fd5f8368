"""Batches over litellm's real HTTP path: the same requests as live calls, and one bill whoever is killed."""

from __future__ import annotations

import gc
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import decided
from tierwise_fixtures.batches import shipped
from tierwise_fixtures.waiting import wait_until

from tierwise import cli, errors, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.domain.lead import Lead
from tierwise.llm import batch_door, batch_lines, client, cost
from tierwise.llm.cascade import Cascade
from tierwise.llm.loop import LoopThread

MODEL = "openai/gpt-6-luna"
KEY = "sk-secret-0123456789"
LEAD = Lead(email="anna@acme.example", job_title="Head of IT", employee_count=240, message="We print labels by hand.")
NAME = "emea"

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # see `leftovers`


@pytest.fixture(autouse=True)
def leftovers() -> Iterator[None]:
    """litellm makes a client for every call; those of failed calls hang in cycles until they are collected."""
    yield
    gc.collect()


@pytest.fixture
def box(sandbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sandbox that OpenAI's client is pointed at, as an operator would do it."""
    started = sandbox()
    monkeypatch.setenv("OPENAI_API_BASE", f"{started.model_url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return started


@pytest.fixture
def door(box: Any) -> batch_door.Door:
    return batch_door.Door(MODEL, timeout_seconds=20)


def question() -> Any:
    return Cascade(primary=MODEL).question(shipped(), LEAD, MODEL, stage="primary", connection="crm")


def test_from_a_question_to_its_answer(door: batch_door.Door, box: Any) -> None:
    asked = question()
    name = door.upload([batch_lines.line(asked, rng=random.Random(1))])
    now = datetime.now(UTC)
    key = door.submit(name, tag="mine")
    assert door.find("mine", since=now) == key
    assert door.find("other", since=now) is None
    done = door.look(key)
    assert (done.state, done.done) == ("completed", 1)
    (said,) = batch_lines.answers(door.read(done.files[0]), model=MODEL, prices=cost.Prices(listed=client.price_list))
    assert said.key == asked.key
    assert said.completion is not None
    assert json.loads(said.completion.text).keys() == {item.id for item in asked.plan.criteria}
    assert said.completion.cost_usd is not None
    for file in (name, *done.files):
        door.delete(file)
        door.delete(file)
    assert box.stats()["model_files"] == 0


def test_failures_are_told_in_our_words(door: batch_door.Door, box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.PauseConnection, match="does not know"):
        door.look("batch_none")
    with pytest.raises(errors.RejectRecord) as refused:
        door.submit("file-none", tag="mine")
    assert "file-none" not in str(refused.value), "no word of a provider's is passed on"
    assert KEY not in str(refused.value)
    box.faults({"faults": [{"match": {"path": "/v1/batches"}, "action": "status", "status": 503}]})
    with pytest.raises(errors.RetryLater):
        door.look("batch_none")
    box.faults({"faults": [{"match": {"path": "/v1/batches"}, "action": "drop", "after": True}]})
    name = door.upload([batch_lines.line(question(), rng=random.Random(1))])
    now = datetime.now(UTC)
    with pytest.raises(errors.RetryLater):
        door.submit(name, tag="lost")
    assert door.find("lost", since=now) is not None, "it arrived"
    box.faults({"faults": [{"match": {"path": "/v1/batches"}, "action": "delay", "seconds": 5}]})
    with pytest.raises(errors.Unreachable):
        batch_door.Door(MODEL, timeout_seconds=0.3).look("batch_none")
    box.faults({"faults": []})
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    with pytest.raises(errors.RetryLater):
        door.look("batch_none")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(errors.TierwiseError):
        door.look("batch_none")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Bodies of the chats that a provider hears; every one is answered with nothing."""
    bodies: list[dict[str, Any]] = []

    class Provider(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            content = b'{"error": {"message": "no"}}'
            self.send_response(400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield bodies
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("model", [MODEL, "openai/gpt-4o-mini", "openai/gpt-5-mini"])
def test_a_batch_sends_the_very_request_of_a_live_call(heard: list[dict[str, Any]], model: str) -> None:
    loop = LoopThread()
    cascade = Cascade(primary=model, attempts=1)
    try:
        loop.submit(cascade.judge(shipped(), LEAD)).result(60)
        loop.submit(cascade.close()).result(60)
    finally:
        loop.stop()
    asked = cascade.question(shipped(), LEAD, model, stage="primary", connection="crm")
    assert asked is not None
    line = json.loads(batch_lines.line(asked, rng=random.Random(1)))
    (live,) = heard
    assert _alike(line["body"]) == _alike(live)


def _alike(body: dict[str, Any]) -> Any:
    """Without the nonce, which is another each time; a live call may say that it does not stream."""
    text = re.sub(r'nonce=\\"[0-9a-f]{8}', "nonce", json.dumps({**body, "stream": False}))
    return json.loads(text)


@pytest.mark.parametrize("wish", ["auto", "never"])
def test_a_backtest_gets_its_answers_and_finds_them(
    box: Any, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wish: str
) -> None:
    """By command, as sales ops try a new question: counted as missing, asked, and there."""
    directory = home / "bundle"
    for command in (["init", str(directory)], ["db", "upgrade"], ["policy", "activate", str(directory)]):
        assert cli.run(command) == 0
    for name, value in {"MODEL__PRIMARY": MODEL, "BATCH__FEWEST": "3", "BATCH__LOOK_SECONDS": "0.05"}.items():
        monkeypatch.setenv(f"TIERWISE_{name}", value)
    monkeypatch.setenv("TIERWISE_MODEL__SECONDARY", "openai/gpt-6-sol")
    path = directory / "prompts" / "qualify.md"
    path.write_text(path.read_text().replace("decide or start?", "decide, start or buy?"))
    parts = wiring.Wiring(configuration.load(None))
    try:
        decided.fill(parts, 12)
        capsys.readouterr()
        cli.run(["policy", "backtest", str(directory), "--ask", "--batch", wish, "--yes", "--json"])
        told = json.loads(capsys.readouterr().out)
        number = told["asked"]["decisions"]
        assert number > 5
        assert told["asked"]["batch"] is (wish == "auto")

        def over() -> bool:
            parts.inquire()
            for key in parts.store.batches.due(now=wiring.clock()):
                parts.advance(key)
            return not parts.store.backtests.list()

        wait_until(over, within=60, what="all answers to be there")
        cli.run(["policy", "backtest", str(directory), "--json"])
        after = json.loads(capsys.readouterr().out)
        assert (after["would_need_model"], after["waiting"]) == (0, None)
        assert after["replayed"] == after["leads"] == 12
        if wish == "never":
            assert told["would_need_model"] == 0, "told in the same breath"
        stats = box.stats()
        assert (stats["model_calls"] >= number, stats["model_batches"] > 0) == (wish == "never", wish == "auto")
        assert sum(entry.questions for entry in parts.store.money.entries(since=wiring.clock().date())) >= number
        assert parts.store.works.counts()["ready"] == 0, "nothing is decided anew"
    finally:
        parts.close()


# -- real processes


@pytest.fixture
def office(
    sandbox: Callable[..., Any],
    postgres_url: str,
    clean_valkey_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[wiring.Wiring, Any]]:
    """An installation over a CRM whose leads are a month old, and batches that take three seconds."""
    box = sandbox(leads=0)
    month = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    moments = {"createdate": month, "lastmodifieddate": month}
    box.contacts(
        [
            {"properties": {"email": f"a{n}@acme-{n}.example", "company": f"Acme {n}", "numemployees": str(90 + n),
                            "jobtitle": "Head of IT", "message": f"We ship {900 + n} parcels by hand.", **moments}}
            for n in range(12)
        ]
    )  # fmt: skip
    box.faults({"batches": {"delay_seconds": 3}})
    variables = {
        "HOME": str(tmp_path), "DATABASE_URL": postgres_url, "BROKER_URL": clean_valkey_url,
        "CONNECTIONS__EMEA__TYPE": "hubspot", "CONNECTIONS__EMEA__TOKEN": box.token,
        "CONNECTIONS__EMEA__BASE_URL": box.hubspot_url, "MODEL__PRIMARY": MODEL, "MODEL__SECONDARY": MODEL,
        "MODEL__TIMEOUT_SECONDS": "2", "BATCH__FEWEST": "3", "BATCH__GATHER_SECONDS": "0", "BATCH__LOOK_SECONDS": "1",
        "BATCH__LEASE_SECONDS": "4", "TICK_SECONDS": "0.5", "BUDGETS__DAILY_USD": "5",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(f"TIERWISE_{name}", value)
    monkeypatch.setenv("OPENAI_API_BASE", f"{box.model_url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = configuration.load(None)
    setup.prepare(settings)
    parts = wiring.Wiring(settings)
    parts.ensure_policy()
    now = wiring.clock()
    parts.store.connections.ensure(NAME, "hubspot", now=now)
    parts.store.connections.enable(NAME, watermark=now, now=now)
    yield parts, box
    parts.close()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`start("worker")`: a process of the installation."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "tierwise", *arguments], env=dict(os.environ))
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_worker_killed_while_a_batch_is_under_way_costs_time_and_nothing_else(
    office: tuple[wiring.Wiring, Any], start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    parts, box = office
    done = subprocess.run(
        [sys.executable, "-m", "tierwise", "backfill", NAME, "--since", "60d", "--yes", "--json"],
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["leads"], told["batch"]) == (12, True)
    assert 0 < told["usd_at_least"] < 0.05
    start("beat")
    first = start("worker", "--pool=threads", "--concurrency=4")
    wait_until(lambda: box.stats()["model_batches"], within=240, what="a batch at the provider")
    first.kill()
    first.wait()
    start("worker", "--pool=threads", "--concurrency=4")
    decided = parts.store.works.counts
    wait_until(lambda: decided()["done"] == 12, within=240, what="all leads to be decided")
    stats = box.stats()
    assert (stats["model_calls"], stats["model_batches"]) == (0, 1), "nothing live, nothing twice"
    (batch,) = parts.store.batches.list(ended_since=wiring.clock() - timedelta(hours=1))
    assert (batch.outcome, batch.questions, batch.answered, batch.unusable) == ("completed", 12, 12, 0)
    (entry,) = parts.store.money.entries(since=wiring.clock().date())
    assert (entry.questions, entry.batched, entry.nano_usd) == (12, 12, batch.nano_usd)
    (level,) = parts.store.money.levels(parts.budgets, now=wiring.clock())
    assert (level.spent, level.reserved) == (batch.nano_usd, 0)
    wait_until(lambda: box.stats()["model_files"] == 0, within=120, what="the files to be deleted")
