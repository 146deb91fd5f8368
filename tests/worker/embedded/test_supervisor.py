"""Real processes: kept alive, ended in order, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import embedded, errors
from tierwise.embedded import lifeline, supervisor

FOREGROUND = """
    import sys
    from tierwise import embedded
    source, folder, *kinds = sys.argv[1:]
    def child(name, kind):
        return embedded.Child(
            name=name, argv=(sys.executable, "-I", "-S", "-c", source, name, folder, kind), grace=60
        )
    embedded.Supervisor([child(f"child{n}", kind) for n, kind in enumerate(kinds)]).run()
    print("ended well", flush=True)
"""


def test_each_child_starts_when_the_one_before_is_ready(nursery: Any, tmp_path: Path) -> None:
    first = nursery.child("first")
    second = embedded.Child(
        name="second",
        argv=(
            sys.executable,
            "-c",
            f"import os, time; os.rename({str(tmp_path / 'first.pid')!r}, {str(tmp_path / 'seen')!r}); time.sleep(60)",
        ),
        ready=(tmp_path / "seen").exists,
    )
    with embedded.Supervisor([first, second]):
        assert (tmp_path / "seen").exists()


def test_children_end_in_reverse_order(nursery: Any, gone: Callable[[int], bool]) -> None:
    with embedded.Supervisor([nursery.child("broker"), nursery.child("worker"), nursery.child("beat")]) as running:
        pids = running.pids()
        assert running.alive()
        assert pids == {name: nursery.pid(name) for name in ("broker", "worker", "beat")}
    assert nursery.ended() == ["beat", "worker", "broker"]
    assert all(gone(pid) for pid in pids.values())
    assert running.pids() == {}
    assert not running.alive()


def test_a_killed_child_is_started_again(nursery: Any, until: Callable[..., None]) -> None:
    seen: list[supervisor.Restart] = []
    children = [nursery.child("broker"), nursery.child("worker")]
    with embedded.Supervisor(children, on_restart=seen.append) as running:
        before = running.pids()
        os.kill(before["worker"], signal.SIGKILL)
        until(lambda: nursery.pid("worker") != before["worker"] and running.alive())
        assert running.pids() == {"broker": before["broker"], "worker": nursery.pid("worker")}
        assert running.restarts() == {"broker": 0, "worker": 1}
    assert seen == [supervisor.Restart(name="worker", status=-signal.SIGKILL, delay=0.2, count=1)]


def test_a_child_that_ends_by_itself_is_started_again(tmp_path: Path, nursery: Any, until: Callable[..., None]) -> None:
    seen: list[supervisor.Restart] = []
    once = embedded.Child(name="brief", argv=(sys.executable, "-I", "-S", "-c", "raise SystemExit(7)"))
    with embedded.Supervisor([once], on_restart=seen.append) as running:
        until(lambda: running.restarts()["brief"] >= 2)
    assert [(event.status, event.delay) for event in seen[:2]] == [(7, 0.2), (7, 0.4)]


def test_a_child_that_is_not_ready_again_in_time_is_started_again(
    tmp_path: Path, nursery: Any, until: Callable[..., None]
) -> None:
    open_door = tmp_path / "open"
    open_door.touch()
    seen: list[supervisor.Restart] = []
    child = nursery.child("broker", ready=open_door.exists, ready_within=0.3, grace=0.1)
    with embedded.Supervisor([child], on_restart=seen.append) as running:
        open_door.unlink()
        os.kill(running.pids()["broker"], signal.SIGKILL)
        until(lambda: len(seen) >= 2)
        assert not running.alive()
        open_door.touch()
        until(running.alive)
    assert [event.status for event in seen[:2]] == [-signal.SIGKILL, None]


def test_a_stubborn_child_is_killed_after_its_grace(nursery: Any, gone: Callable[[int], bool]) -> None:
    with embedded.Supervisor([nursery.child("stubborn", kind="stubborn", grace=0.2)]) as running:
        pid = running.pids()["stubborn"]
    assert gone(pid)
    assert nursery.ended() == []


def test_what_a_child_leaves_behind_is_ended_too(
    nursery: Any, until: Callable[..., None], gone: Callable[[int], bool]
) -> None:
    with embedded.Supervisor([nursery.child("pool", kind="pool")]) as running:
        until(lambda: nursery.alive("pool-member"))
        first = nursery.pid("pool-member")
        os.kill(running.pids()["pool"], signal.SIGKILL)
        until(lambda: gone(first))
        until(lambda: nursery.pid("pool-member") not in {0, first} and running.alive())
        second = nursery.pid("pool-member")
    assert nursery.ended() == ["pool"], "the leader alone is asked to end"
    until(lambda: gone(second))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise SystemExit(3)", "second ended while starting, with status 3 (install it)"),
        ("import time; time.sleep(60)", "second was not ready within 0.3 s (install it)"),
    ],
)
def test_a_failed_start_leaves_nothing_behind(
    nursery: Any, gone: Callable[[int], bool], program: str, message: str
) -> None:
    second = embedded.Child(
        name="second",
        argv=(sys.executable, "-I", "-S", "-c", program),
        ready=lambda: False,
        ready_within=0.3,
        remedy="install it",
    )
    # Long enough for the first program to have ended.
    if "SystemExit" in program:
        second = embedded.Child(name=second.name, argv=second.argv, ready=second.ready, remedy=second.remedy)
    running = embedded.Supervisor([nursery.child("first"), second])
    with pytest.raises(errors.Misconfigured) as raised:
        running.start()
    assert str(raised.value) == message
    assert running.pids() == {}
    assert nursery.ended() == ["first"]
    assert gone(nursery.pid("first"))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nothing"
    with pytest.raises(errors.Misconfigured) as raised:
        embedded.Supervisor([embedded.Child(name="broker", argv=(str(missing),), remedy="install it")]).start()
    assert str(raised.value) == f"{missing}: broker cannot be started: No such file or directory (install it)"


def test_environment_folder_and_output(tmp_path: Path, until: Callable[..., None]) -> None:
    program = "import os, sys; print(os.environ['TIERWISE_ROLE'], os.getcwd()); print('no', file=sys.stderr)"
    log = tmp_path / "log"
    child = embedded.Child(
        name="child",
        argv=(sys.executable, "-c", program),
        env={"TIERWISE_ROLE": "beat"},
        cwd=tmp_path,
        output=log,
    )
    with embedded.Supervisor([child]):
        until(lambda: len(log.read_text().splitlines()) >= 2)
    assert sorted(log.read_text().splitlines()[:2]) == [f"beat {tmp_path.resolve()}", "no"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_may_be_started_and_stopped_from_other_threads(nursery: Any, gone: Callable[[int], bool]) -> None:
    running = embedded.Supervisor([nursery.child("worker")])
    starter = threading.Thread(target=running.start)
    starter.start()
    starter.join()
    # The thread that started the child is gone, the child is not.
    assert running.alive()
    pid = running.pids()["worker"]
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    stopper.join()
    assert gone(pid)


def test_stop_may_be_repeated_and_start_again(nursery: Any) -> None:
    running = embedded.Supervisor([nursery.child("worker")])
    running.stop()
    for _ in range(2):
        running.start()
        assert running.alive()
        running.stop()
        running.stop()
    assert nursery.ended() == ["worker", "worker"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_foreground_ends_all_on_a_signal(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None], number: signal.Signals
) -> None:
    process = script(FOREGROUND, nursery.child("x").argv[4], nursery.folder, "plain", "plain")
    until(lambda: nursery.alive("child0") and nursery.alive("child1"))
    process.send_signal(number)
    assert process.wait(20) == 0
    assert nursery.ended() == ["child1", "child0"]
    assert not nursery.alive("child0")
    assert process.stdout is not None
    assert process.stdout.read() == "ended well\n"


def test_a_second_signal_skips_the_grace(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None]
) -> None:
    process = script(FOREGROUND, nursery.child("x").argv[4], nursery.folder, "stubborn", "plain")
    until(lambda: nursery.alive("child0") and nursery.alive("child1"))
    process.send_signal(signal.SIGINT)
    until(lambda: nursery.ended() == ["child1"])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, "the grace of 60 s was not skipped"
    assert not nursery.alive("child0")


def test_children_do_not_outlive_a_killed_supervisor(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None], gone: Callable[[int], bool]
) -> None:
    process = script(FOREGROUND, nursery.child("x").argv[4], nursery.folder, "plain", "stubborn", "pool")
    names = ["child0", "child1", "child2", "child2-member"]
    until(lambda: all(nursery.alive(name) for name in names))
    process.kill()
    process.wait()
    for name in names:
        until(lambda name=name: gone(nursery.pid(name)), what=f"the end of {name}")
    assert nursery.ended().count("child0") == 1, "it was asked before it was killed"


def test_a_killed_watcher_is_replaced(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None], gone: Callable[[int], bool]
) -> None:
    process = script(FOREGROUND, nursery.child("x").argv[4], nursery.folder, "plain")
    until(lambda: nursery.alive("child0"))

    def watchers() -> list[int]:
        found = []
        for child in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [child.pid] if lifeline.__file__ in child.cmdline() else []
        return found

    (first,) = watchers()
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first) and len(watchers()) == 1 and watchers() != [first])
    process.kill()
    process.wait()
    until(lambda: gone(nursery.pid("child0")))


@given(st.lists(st.floats(min_value=0, max_value=29.9), max_size=20))
def test_backoff_doubles_up_to_its_limit(lives: list[float]) -> None:
    backoff = supervisor.Backoff()
    delays = [backoff.after(lived) for lived in lives]
    assert delays == [min(0.2 * 2**n, 5.0) for n in range(len(lives))]


def test_backoff_starts_anew_after_a_calm_life() -> None:
    backoff = supervisor.Backoff()
    assert [backoff.after(lived) for lived in (0, 0, 0, 30, 0, 3600)] == [0.2, 0.4, 0.8, 0.2, 0.4, 0.2]
