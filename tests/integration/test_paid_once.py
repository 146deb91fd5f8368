"""Several processes over one database, and one bill: who asks first pays, the others take the answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise import store
from tierwise.store import migrations

ROOT = Path(__file__).parents[2]
# One worker: judges so many leads in a random order, `repeats` of each, and prints what it made of every one.
WORKER = textwrap.dedent("""
    import asyncio, json, random, sys, uuid
    from datetime import UTC, datetime
    from pathlib import Path
    from tierwise import policies, ports, store
    from tierwise.domain import decision
    from tierwise.domain.lead import Lead
    from tierwise.llm import cost
    from tierwise.llm.cascade import Cascade
    from tierwise.llm.ledger import Ledger
    from tierwise.llm.loop import LoopThread

    url, root, leads, repeats, lease = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    runnable = policies.compile(policies.read(Path(root)))
    opened = store.open_store(url)

    def lead(number):
        return Lead(job_title="Head of IT", employee_count=90 + number,
                    message=f"We ship {1000 + number} orders a month by hand and need a system this quarter.")

    async def main():
        ledger = Ledger(opened.money, owner=uuid.uuid4().hex, budgets=ports.UNLIMITED, prices=cost.Prices(),
                        clock=lambda: datetime.now(UTC), lease=lease)
        cascade = Cascade(primary="openai/gpt-6-luna", cache=opened.assessments.get, ledger=ledger)
        numbers = [number for number in range(leads) for _ in range(repeats)]
        random.shuffle(numbers)
        gate = asyncio.Semaphore(100)
        async def one(number):
            async with gate:
                judged = await cascade.judge(runnable, lead(number), connection="crm")
            made = decision.decide(runnable, lead(number), connection="crm", record_id=str(number), gates=(),
                                   judged=judged, now=datetime(2026, 1, 1, tzinfo=UTC))
            return number, [made.score, made.tier, made.confidence, judged.used, judged.fallback]
        print("READY", flush=True)
        found = await asyncio.gather(*(one(number) for number in numbers))
        await cascade.close()
        return found

    loop = LoopThread()
    found = loop.submit(main()).result()
    loop.stop()
    opened.close()
    print(json.dumps(found))
""")


@pytest.fixture
def start(sandbox: Callable[..., Any], tmp_path: Path, postgres_server: Any) -> Any:
    """`start(url, box, leads, repeats)`: one worker process."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    running: list[subprocess.Popen[str]] = []

    def begin(url: str, box: Any, *, leads: int, repeats: int = 1, lease: int = 30) -> subprocess.Popen[str]:
        env = {**os.environ, "OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-test-0123456789"}
        arguments = [url, str(ROOT), str(leads), str(repeats), str(lease)]
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments], env=env, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(params=["postgresql", pytest.param("sqlite", marks=pytest.mark.deep)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A migrated database of its own."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'shared.db'}"
        store.upgrade(made)
        yield made
        return
    server = request.getfixturevalue("postgres_server")
    made = server.create(server.template("migrated", migrations.upgrade))
    yield made
    server.drop(made)


def finish(process: subprocess.Popen[str]) -> list[Any]:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    found: list[Any] = json.loads(out.splitlines()[-1])
    return found


def same(results: list[list[Any]]) -> dict[int, Any]:
    """One outcome a lead, whoever asked and whenever. Fails where two differ."""
    seen: dict[int, Any] = {}
    for number, outcome in (item for found in results for item in found):
        assert seen.setdefault(number, outcome) == outcome
    return seen


def test_two_processes_pay_once_for_the_same_content(url: str, start: Any, sandbox: Callable[..., Any]) -> None:
    box = sandbox(latency_ms=200)
    workers = [start(url, box, leads=20, repeats=2) for _ in range(2)]
    outcomes = same([finish(worker) for worker in workers])
    assert len(outcomes) == 20
    assert box.stats()["model_calls"] == 20


def test_a_payer_that_is_killed_frees_what_it_had_claimed(
    start: Any, sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    store.upgrade(url)
    slow = sandbox(latency_ms=60_000)
    dead = start(url, slow, leads=3, lease=2)
    assert dead.stdout is not None
    dead.stdout.readline()
    while slow.stats()["model_calls"] < 3:
        assert dead.poll() is None
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    quick = sandbox()
    outcomes = same([finish(start(url, quick, leads=3, lease=2))])
    assert len(outcomes) == 3
    assert not any(fallback for *_, fallback in outcomes.values())
    assert quick.stats()["model_calls"] == 3, "paid again, by the one who lives"


@pytest.mark.deep
def test_ten_thousand_repeats_make_no_difference(url: str, start: Any, sandbox: Callable[..., Any]) -> None:
    """100 leads, 25 times each, four workers at once, all of it twice with a restart in between: 20,000 outcomes."""
    box = sandbox(latency_ms=20)
    rounds = []
    for _ in range(2):
        workers = [start(url, box, leads=100, repeats=25) for _ in range(4)]
        rounds += [finish(worker) for worker in workers]
    assert sum(map(len, rounds)) == 20_000
    assert len(same(rounds)) == 100
    assert box.stats()["model_calls"] == 100
