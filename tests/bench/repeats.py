"""The same leads asked again and again by several workers at once, and by all of them again after a restart: how many
outcomes differ, and how many calls were paid.

repeats.py HOME SEED LEADS TIMES is one worker; it prints what it made of each lead, as hashes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import confidence
import load

from tierwise import settings as configuration
from tierwise import telemetry, wiring
from tierwise.cli import setup, stack
from tierwise.domain import decision
from tierwise.domain.lead import digest

WORKERS, ROUNDS, LEADS = 4, 2, 100
AT_ONCE = 100
# What tells of the asking and not of the lead: who asked first, when, and what it cost.
_OF_THE_ASKING = {"assessments", "cost_usd"}


def measure(scale: float) -> dict[str, Any]:
    """Differences among WORKERS x ROUNDS x LEADS x times outcomes; the models answer at random, so that an answer that
    was paid twice would show."""
    times = max(2, int(25 * scale))
    with (
        stack.sandbox("--hubspot-port", "0", "--model-port", "0", "--leads", "0", "--latency-ms", "20") as box,
        tempfile.TemporaryDirectory() as home,
    ):
        confidence.behave(box.hubspot_url, (0.88, 0.96), seed=1, errors=0.0)
        env = {
            **os.environ, "OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-bench",
            "ANTHROPIC_API_BASE": box.model_url, "ANTHROPIC_API_KEY": "sk-bench",
        }  # fmt: skip
        _worker(home, seed=0, leads=0, times=1, env=env).communicate(timeout=120)  # the database is made once
        seen: dict[str, set[str]] = {}
        outcomes = calls = 0
        for round_ in range(ROUNDS):
            workers = [
                _worker(home, seed=round_ * WORKERS + number, leads=LEADS, times=times, env=env)
                for number in range(WORKERS)
            ]
            for worker in workers:
                out, _ = worker.communicate(timeout=1200)
                assert worker.returncode == 0, "a worker ended with an error"
                found = json.loads(out.splitlines()[-1])
                outcomes += found["outcomes"]
                calls += found["model_calls"]
                for lead, hashes in found["leads"].items():
                    seen.setdefault(lead, set()).update(hashes)
    return {
        "leads": len(seen),
        "outcomes": outcomes,
        "workers": WORKERS,
        "restarts": ROUNDS - 1,
        "model_calls": calls,
        "differences": sum(len(hashes) - 1 for hashes in seen.values()),
    }


def _worker(home: str, *, seed: int, leads: int, times: int, env: dict[str, str]) -> subprocess.Popen[str]:
    arguments = [home, str(seed), str(leads), str(times)]
    return subprocess.Popen([sys.executable, __file__, *arguments], env=env, stdout=subprocess.PIPE, text=True)


def work(home: Path, *, seed: int, leads: int, times: int) -> dict[str, Any]:
    """Ask about every lead so many times, in an order of this worker's own."""
    os.environ["TIERWISE_HOME"] = str(home)
    settings = configuration.load(None)
    models = {"primary": confidence.PRIMARY, "secondary": confidence.SECONDARY}
    settings = settings.model_copy(update={"model": settings.model.model_copy(update=models)})
    telemetry.configure("json", "error")
    setup.prepare(settings)
    parts = wiring.Wiring(settings)
    try:
        judge, loop = parts.judge()
        runnable = parts.runnable()
        numbers = [number for number in range(leads) for _ in range(times)]
        random.Random(seed).shuffle(numbers)
        seen: dict[int, set[str]] = {}
        paid = 0

        async def one(number: int, slots: asyncio.Semaphore) -> None:
            nonlocal paid
            lead = load.lead(number).model_copy(update={"submitted_at": None})
            async with slots:
                judged = await judge.judge(runnable, lead, connection="bench")
            paid += sum(not item.cached for item in judged.assessments)
            made = decision.decide(
                runnable, lead, connection="bench", record_id=str(number), gates=(), judged=judged,
                now=datetime(2026, 1, 1, tzinfo=UTC), trace_id="0" * 32,
            )  # fmt: skip
            seen.setdefault(number, set()).add(digest(made.model_dump(mode="json", exclude=_OF_THE_ASKING)))

        async def every() -> None:
            slots = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(one(number, slots) for number in numbers))

        loop.submit(every()).result()
        found = {str(number): sorted(hashes) for number, hashes in seen.items()}
        return {"leads": found, "outcomes": len(numbers), "model_calls": paid}
    finally:
        parts.close()


if __name__ == "__main__":
    where, *rest = sys.argv[1:]
    chosen, count, often = map(int, rest)
    print(json.dumps(work(Path(where), seed=chosen, leads=count, times=often)))
