"""One measurement in a process of its own, so that each starts from the same state. Prints one line of JSON.

child.py pump HOME LEADS MODEL IN_FLIGHT
child.py bare CALLS MODEL IN_FLIGHT
child.py growth HOME LEADS
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import load
import psutil

from tierwise import settings as configuration
from tierwise import telemetry, wiring
from tierwise.cli import setup
from tierwise.llm import client


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _parts(home: Path, *, model: str | None, in_flight: int) -> wiring.Wiring:
    os.environ["TIERWISE_HOME"] = str(home)
    settings = configuration.load(None)
    settings = settings.model_copy(
        update={
            "model": settings.model.model_copy(update={"primary": model, "in_flight": in_flight}),
            "pump": settings.pump.model_copy(update={"seconds": 600}),
        }
    )
    telemetry.configure("json", "error")
    setup.prepare(settings)
    return wiring.Wiring(settings)


def pump(home: Path, leads: int, model: str, in_flight: int) -> dict[str, Any]:
    """Decide that many leads with the pump; the first ones, decided before the clock starts, warm everything up."""
    parts = _parts(home, model=model, in_flight=in_flight)
    try:
        load.fill(parts, leads)
        parts.judge()
        judge, loop = parts.judge()
        runnable = parts.runnable()
        for number in range(in_flight):
            # Opens the connections, as the bare run does.
            loop.submit(judge.judge(runnable, load.lead(10**7 + number)))
        loop.submit(judge.judge(runnable, load.lead(10**8))).result()
        began, cpu = time.monotonic(), _cpu()
        report = parts.pump()
        seconds = time.monotonic() - began
        assert report is not None
        assert report.decided == leads, report
        return {
            "leads": report.decided,
            "model_calls": report.model_calls,
            "seconds": seconds,
            "calls_per_second": report.model_calls / seconds,
            "cpu_ms_per_lead": (_cpu() - cpu) * 1000 / leads,
        }
    finally:
        parts.close()


def _parameters(litellm: Any, model: str) -> dict[str, Any]:
    """What goes with every call of the model, as the door to litellm finds it."""
    name, provider, _, _ = litellm.get_llm_provider(model)
    taken = litellm.utils.get_optional_params(
        model=name, custom_llm_provider=provider, drop_params=True, **client.PARAMETERS
    )
    return {key: value for key, value in client.PARAMETERS.items() if key != "temperature" or key in taken}


def bare(calls: int, model: str, in_flight: int) -> dict[str, Any]:
    """The same requests, with the same arguments, through nothing but litellm.acompletion."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    asked = load.Asked()
    parameters = _parameters(litellm, model)

    # Made before the clock starts: what it takes to make a prompt is Tierwise's own work, not litellm's.
    first = [asked.call(10**7 + number) for number in range(in_flight)]
    prompts = [asked.call(number) for number in range(calls)]

    async def run() -> tuple[float, float]:
        slots = asyncio.Semaphore(in_flight)

        async def call(arguments: dict[str, Any]) -> None:
            async with slots:
                await litellm.acompletion(
                    model=model, timeout=30, num_retries=0, max_retries=0, **parameters, **arguments
                )

        await asyncio.gather(*map(call, first))
        began, cpu = time.monotonic(), _cpu()
        await asyncio.gather(*map(call, prompts))
        return time.monotonic() - began, _cpu() - cpu

    seconds, used = asyncio.run(run())
    # Asked only now: the door to litellm sets the search for garbage as the pump wants it, and bare has Python's own.
    assert parameters == client.arguments(model).parameters
    return {
        "calls": calls,
        "seconds": seconds,
        "calls_per_second": calls / seconds,
        "cpu_ms_per_call": used * 1000 / calls,
    }


def growth(home: Path, leads: int) -> dict[str, Any]:
    """Sockets and memory after a tenth of the leads, after a fifth, and after all."""
    parts = _parts(home, model=None, in_flight=50)
    process = psutil.Process()
    try:
        samples = {}
        load.fill(parts, leads)
        decided = 0
        with _small_runs(parts):
            while decided < leads:
                report = parts.pump()
                assert report is not None
                decided += report.decided
                for mark in (leads // 10, leads // 5, leads):
                    if decided >= mark and mark not in samples:
                        samples[mark] = {
                            "open_files": process.num_fds(),
                            "sockets": len(process.net_connections()),
                            "rss_mb": round(process.memory_info().rss / 1e6, 1),
                        }
        return {str(mark): sample for mark, sample in samples.items()}
    finally:
        parts.close()


@contextmanager
def _small_runs(parts: wiring.Wiring) -> Iterator[None]:
    """Pumps of a second, so that there is a moment to look after the first tenth."""
    whole = parts.settings
    parts.settings = whole.model_copy(update={"pump": whole.pump.model_copy(update={"seconds": 1})})
    yield
    parts.settings = whole


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "pump":
        found = pump(Path(rest[0]), int(rest[1]), rest[2], int(rest[3]))
    elif kind == "bare":
        found = bare(int(rest[0]), rest[1], int(rest[2]))
    else:
        found = growth(Path(rest[0]), int(rest[1]))
    print(json.dumps(found))
