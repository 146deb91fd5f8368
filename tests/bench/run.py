"""`make bench`: everything measured in one run on this machine, printed as JSON. Read ratios, not absolutes.

The load servers are processes of their own; their CPU is reported apart. `--quick` measures a tenth, and of models
half the settings, each once: enough to see that all of it works, too rough to judge by.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confidence
import psutil
import repeats
import salesforce

from tierwise import embedded, wiring
from tierwise.cli import demo, stack
from tierwise.domain import aims
from tierwise.limits import client_url

HERE = Path(__file__).parent
MODEL = "openai/gpt-6-luna"
WAITING, SATURATED = 0.90, 0.70
"""Model calls per second of bare litellm's: where that waits for answers, and where its one core is the limit."""
BUSY = 0.9
"""Share of a core from which that is so."""
OWN_CPU_MS = 1.0
"""Of a model call, beside litellm's."""
ROUGH = (
    "Measured with --quick: a tenth of everything, models with few calls in two of four settings and each once. Such "
    "figures are rough: single runs differ by more than the aims leave room for. Judge by a full run."
)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of everything; rough")
    options.add_argument("--out", type=Path, help="also write the JSON there")
    parts: dict[str, Callable[[float], Any]] = {
        "main_job": main_job,
        "models": models,
        "per_task": per_task,
        "growth": growth,
        "confidence": confidence.measure,
        "repeats": repeats.measure,
        "hubspot": hubspot,
        "salesforce": salesforce.measure,
        "policy": _policy,
    }
    options.add_argument("--only", choices=parts, help="one part")
    given = options.parse_args()
    scale = 0.1 if given.quick else 1.0
    found: dict[str, Any] = {
        "python": platform.python_version(), "cores": os.cpu_count(), "scale": scale,
        **({"rough": ROUGH} if given.quick else {}),
    }  # fmt: skip
    for name, measure in parts.items():
        if given.only in {None, name}:
            print(f"{name} ...", file=sys.stderr)
            found[name] = measure(scale)
    text = json.dumps(found, indent=2)
    print(text)
    if given.quick:
        print(ROUGH, file=sys.stderr)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


def main_job(scale: float) -> dict[str, Any]:
    """The demo's stack with two numbers of leads: the difference is free of start-up."""
    small, large = (_job(int(leads * scale) or 1) for leads in (1000, 5000))
    leads = large["leads"] - small["leads"]
    seconds = large["seconds"] - small["seconds"]
    return {
        "small": small,
        "large": large,
        "leads_per_second": leads / seconds,
        "worker_cpu_ms_per_lead": (large["worker_cpu"] - small["worker_cpu"]) * 1000 / leads,
        "crm_cpu_ms_per_lead": (large["sandbox_cpu"] - small["sandbox_cpu"]) * 1000 / leads,
    }


def _job(leads: int) -> dict[str, Any]:
    # No second poll while it lasts, and the sandbox allows more than a free account: what is measured is Tierwise.
    fast = {"calls_per_10_seconds": 2000, "searches_per_second": 100}
    with demo.running(demo.Options(leads=str(leads), poll_seconds=600, connection=fast)) as running:
        began = time.monotonic()
        store = running.parts.store
        # The database is asked, not the CRM: its calls are counted below.
        _until(
            lambda: (
                (counts := store.leads.counts(demo.NAME))["leads"] == leads
                and not counts["undecided"]
                and not store.outbox.due(now=wiring.clock())
                and running.crm.stats()["writes"] >= leads
            )
        )
        seconds = time.monotonic() - began
        calls = running.crm.stats()["calls"]
        worker = psutil.Process(running.supervisor.pids()["worker"])
        sandbox = next(
            child for child in psutil.Process().children() if "tierwise_sandbox" in " ".join(child.cmdline())
        )
        return {
            "leads": leads,
            "seconds": seconds,
            "worker_cpu": _cpu(worker),
            "sandbox_cpu": _cpu(sandbox),
            "crm_calls": calls,
        }


def models(scale: float) -> list[dict[str, Any]]:
    """The pump against bare litellm.acompletion, the same prompts and number in flight, one after the other.

    Bare runs before and after each pump: `own`, the pump's CPU without litellm's, is a small difference of two that
    move with the machine's pace. At saturation one core is the limit, so that the ratio is that of the CPU. Every run
    is a process of its own, which takes longer to start than a tenth of the calls does.
    """
    quick = scale < 1
    found = []
    for label, arguments, in_flight in QUICK_SETTINGS if quick else SETTINGS:
        calls = in_flight * 2 if quick else max(in_flight * 2, int(3000 * scale))
        with _model_server(*arguments) as (env, server):
            measured = _against_bare(calls, in_flight, quick=quick, env=env, server=server)
            found.append({"latency": label, **measured})
    return found


FIXED = ("fixed 300 ms", ("--latency-ms", "300"))
SPREAD = ("log-normal 0.8 s", ("--latency-lognormal", "800,3000"))
SETTINGS = tuple((*latency, in_flight) for latency in (FIXED, SPREAD) for in_flight in (50, 200))
"""What the model takes to answer, and calls in flight."""
QUICK_SETTINGS = ((*FIXED, 200), (*SPREAD, 50))
"""One in which a core is the limit, one in which calls wait."""
ROUNDS = 3
"""Runs of the pump, each between two bare ones. Where it is to be quick, there is one run of either."""


def _against_bare(
    calls: int, in_flight: int, *, quick: bool, env: dict[str, str], server: psutil.Process
) -> dict[str, Any]:
    bares, pumps, served = [_child("bare", str(calls), MODEL, str(in_flight), env=env)], [], 0.0
    for _ in range(1 if quick else ROUNDS):
        before = _cpu(server)
        with tempfile.TemporaryDirectory() as home:
            pumps.append(_child("pump", home, str(calls), MODEL, str(in_flight), env=env))
        served += _cpu(server) - before
        if not quick:
            bares.append(_child("bare", str(calls), MODEL, str(in_flight), env=env))
    around = bares if quick else [_mean(pair) for pair in itertools.pairwise(bares)]
    bare, pump = _mean(around), _mean(pumps)
    ratio = pump["calls_per_second"] / bare["calls_per_second"]
    own = pump["cpu_ms_per_lead"] - bare["cpu_ms_per_call"]
    return {
        "in_flight": in_flight,
        "bare": bare,
        "pump": pump,
        "ratio": ratio,
        "own_cpu_ms_per_call": own,
        "own_cpu_ms_of_each_run": [
            one["cpu_ms_per_lead"] - beside["cpu_ms_per_call"] for one, beside in zip(pumps, around, strict=True)
        ],
        "server_cpu_ms_per_call": served * 1000 / calls / len(pumps),
        "aims": {aim.name: aim.plain() for aim in _aims(bare, ratio=ratio, own=own)},
    }


def _mean(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(run[name] for run in runs) for name in runs[0]}


def _aims(bare: Mapping[str, float], *, ratio: float, own: float) -> tuple[aims.Aim, ...]:
    """Of one run against bare litellm: nine tenths of its calls where it waits, seven where its core is busy."""
    busy = bare["calls_per_second"] * bare["cpu_ms_per_call"] / 1000
    least = SATURATED if busy >= BUSY else WAITING
    return aims.Aim("ratio", least, True, ratio), aims.Aim("own_cpu_ms_per_call", OWN_CPU_MS, False, own)


def per_task(scale: float) -> dict[str, Any]:
    """One Celery task per lead on prefork 4, against the pump with 50 in flight; both at 300 ms."""
    tasks = max(40, int(400 * scale))
    with _model_server("--latency-ms", "300") as (env, _), tempfile.TemporaryDirectory() as home:
        naive = _one_task_per_lead(Path(home), tasks, env=env)
        pump = _child("pump", f"{home}/pump", str(max(200, int(3000 * scale))), MODEL, "50", env=env)
    return {
        "one_task_per_lead": naive,
        "pump": pump,
        "times_faster": pump["calls_per_second"] / naive["leads_per_second"],
    }


def _one_task_per_lead(home: Path, tasks: int, *, env: dict[str, str]) -> dict[str, Any]:
    import redis

    with embedded.Valkey(home / "valkey") as valkey:
        os.environ.update(
            {**env, "BENCH_BROKER": valkey.url, "BENCH_REDIS": client_url(valkey.url), "BENCH_MODEL": MODEL}
        )
        worker = embedded.Child(
            name="worker",
            argv=(
                sys.executable, "-m", "celery", "--workdir", str(HERE), "-A", "one_task_per_lead", "worker",
                "--pool=prefork", "--concurrency=4", "--without-gossip", "--without-mingle", "--loglevel=ERROR",
            ),
        )  # fmt: skip
        with embedded.Supervisor([valkey.child(), worker]):
            import one_task_per_lead

            client = redis.Redis.from_url(client_url(valkey.url))

            def done() -> int:
                return int(client.get("bench:done") or 0)

            # Every child has imported everything before the clock starts.
            for number in range(16):
                one_task_per_lead.decide.delay(10**7 + number)
            _until(lambda: done() >= 16)
            began = time.monotonic()
            for number in range(tasks):
                one_task_per_lead.decide.delay(number)
            _until(lambda: done() >= 16 + tasks)
            seconds = time.monotonic() - began
    return {"leads": tasks, "seconds": seconds, "leads_per_second": tasks / seconds}


def growth(scale: float) -> dict[str, Any]:
    """Open files, sockets and memory of a pumping process after a tenth of the leads, a fifth, and all."""
    with tempfile.TemporaryDirectory() as home:
        return _child("growth", home, str(int(10_000 * scale)), env={})


def hubspot(scale: float) -> dict[str, Any]:
    """API calls of 1,000 leads, CPU against a bare loop with the same calls, memory over 100,000 records."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home:
        with _portal("1000") as crm:
            found["calls_of_1000_leads"] = _crm_child("calls", home, *crm)
        with _portal("1000") as crm:
            found["cpu"] = _crm_child("cpu", *crm)
        records = int(100_000 * scale)
        # Rows of a file are there at once: generating so many leads takes longer than to read and write them.
        rows, newest = Path(home) / "many.jsonl", int(time.time() * 1000)
        with rows.open("w", encoding="utf-8") as stream:
            for number in range(records):
                row = {
                    "email": f"p{number}@firm.example",
                    "company": "Firm",
                    "lastmodifieddate": newest - records + number,
                }
                stream.write(json.dumps(row) + "\n")
        with _portal(str(rows)) as crm:
            found["memory"] = _crm_child("memory", *crm, str(records))
    return found


@contextmanager
def _portal(leads: str) -> Iterator[tuple[str, str]]:
    with stack.sandbox("--hubspot-port", "0", "--model-port", "0", "--leads", leads) as sandbox:
        yield sandbox.hubspot_url, sandbox.token


def _crm_child(*arguments: str) -> dict[str, Any]:
    return _child(*arguments, env={}, script="hubspot_child.py")


def _policy(scale: float) -> dict[str, Any]:
    """A backtest of two versions over stored leads, and rules on one lead."""
    import policy

    return policy.policy(scale)


def _until(condition: Callable[[], bool], *, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("a measurement did not finish")
        time.sleep(0.02)


@contextmanager
def _model_server(*arguments: str) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    with stack.sandbox("--hubspot-port", "0", "--model-port", "0", "--leads", "0", *arguments) as sandbox:
        server = next(child for child in psutil.Process().children() if "tierwise_sandbox" in " ".join(child.cmdline()))
        yield {"OPENAI_API_BASE": f"{sandbox.model_url}/v1", "OPENAI_API_KEY": "sk-bench"}, server


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    whole = used.user + used.system
    return whole + sum(child.cpu_times().user + child.cpu_times().system for child in process.children(recursive=True))


def _child(*arguments: str, env: dict[str, str], script: str = "child.py") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        check=True,
        timeout=1200,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


if __name__ == "__main__":
    main()
