"""Threads that a hanging call cannot use up unnoticed, nor keep a process from ending."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading

import pytest

from tierwise.pipeline.crew import Crew


def test_calls_run_at_the_same_time_up_to_the_size() -> None:
    crew = Crew("test", size=3)
    meet = threading.Barrier(3)
    futures = [crew.submit(lambda: meet.wait(20)) for _ in range(3)]
    assert sorted(future.result(20) for future in futures) == [0, 1, 2]
    crew.close()


def test_a_call_that_hangs_costs_one_thread() -> None:
    crew, gate = Crew("test", size=2), threading.Event()
    hanging = crew.submit(lambda: gate.wait(60))
    assert [crew.submit(lambda n=n: n).result(20) for n in range(5)] == [0, 1, 2, 3, 4]
    assert not crew.stuck
    second = crew.submit(lambda: gate.wait(60))
    late = crew.submit(lambda: 1)
    while not crew.stuck:
        pass
    assert late.cancel(), "what no thread took up can still be called off"
    gate.set()
    assert hanging.result(20)
    assert second.result(20)
    crew.close()


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)])
def test_whatever_a_call_raises_is_handed_over(error: BaseException) -> None:
    crew = Crew("test", size=1)

    def fail() -> None:
        raise error

    assert crew.submit(fail).exception(20) is error
    assert crew.submit(lambda: 5).result(20) == 5
    crew.close()


def test_the_callers_context_goes_along() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("mine")
    crew = Crew("test", size=1)
    assert crew.submit(variable.get).result(20) == "mine"
    crew.close()


def test_a_process_ends_though_a_call_hangs() -> None:
    code = (
        "import threading; from tierwise.pipeline.crew import Crew; started = threading.Event();"
        "Crew('x', size=1).submit(lambda: (started.set(), threading.Event().wait())); started.wait(); print('end')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == "end\n"
