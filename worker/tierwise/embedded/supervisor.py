"""Keeps named child processes alive, and ends all of them with us: `tierwise run` on one machine.

Each child leads a session of its own: Ctrl-C reaches only the supervisor, which stops them in reverse order,
and what a child leaves behind is ended with its group. It knows no roles: argument lists in, process ids out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from tierwise import errors
from tierwise.embedded import lifeline

POLL = 0.05
"""Seconds between two looks at the children."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Child:
    """One process to keep alive."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Added to our own environment."""
    cwd: Path | None = None
    output: Path | None = None
    """The file its stdout and stderr are appended to (made with 0600); None: where ours go."""
    pass_fds: tuple[int, ...] = ()
    ready: Callable[[], bool] | None = None
    """Asked after a start until true: answers within a second, raises nothing. None: ready once started."""
    ready_within: float = 20.0
    """Seconds; a child that is not ready by then is treated like one that died."""
    grace: float = 10.0
    """Seconds from SIGTERM to SIGKILL."""
    remedy: str = ""
    """What a person can do when it does not start."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Restart:
    """A child ended by itself and is started again."""

    name: str
    status: int | None
    """Exit status, negative for a signal; None: it was not ready in time, or could not be executed."""
    delay: float
    """Seconds until the start."""
    count: int
    """How often this child has been restarted, this time included."""


class Backoff:
    """Seconds before the next start: doubles from `first` to `longest`, anew after `calm` seconds of life."""

    def __init__(self, *, first: float = 0.2, longest: float = 5.0, calm: float = 30.0) -> None:
        self._first, self._longest, self._calm = first, longest, calm
        self._next = first

    def after(self, lived: float) -> float:
        """Seconds to wait for a child that lived `lived` seconds."""
        if lived >= self._calm:
            self._next = self._first
        delay, self._next = self._next, min(self._next * 2, self._longest)
        return delay


class _Keeper:
    """One child's state. Changed by the watching thread only, read by any."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.since = 0.0
        self.due = 0.0
        self.ready = False
        self.backoff = Backoff()
        self.restarts = 0

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Starts `children` in order, each once the one before is ready; restarts what dies; stops in reverse.

    In the background: `with Supervisor(...) as supervisor:` (or `start()` and `stop()`). In the foreground:
    `run()`, which returns after SIGTERM, SIGINT or SIGHUP; a second signal skips the grace.
    """

    def __init__(self, children: Sequence[Child], *, on_restart: Callable[[Restart], None] | None = None) -> None:
        """`on_restart` is called in the watching thread and must not call `stop`."""
        self._keepers = [_Keeper(child) for child in children]
        self._on_restart = on_restart
        self._lifeline = lifeline.Lifeline()
        self._thread: threading.Thread | None = None
        # Plain numbers, not events: a signal handler may run while this very thread holds an event's lock.
        self._asked = 0

    def start(self) -> None:
        """Start all, then watch in a thread. Misconfigured: one did not come up, and none is left."""
        self._asked = 0
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise
        self._thread = threading.Thread(target=self._watch, name="tierwise-supervisor", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Start all and watch until a signal asks us to stop. For the main thread only."""
        self._asked = 0
        with _signals(self._ask):
            try:
                self._start_all()
                self._watch()
            finally:
                self._asked = max(self._asked, 1)
                self.stop()

    def stop(self) -> None:
        """End all in reverse: SIGTERM, the child's grace, then SIGKILL to its group. May be repeated."""
        self._asked = max(self._asked, 1)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for keeper in reversed(self._keepers):
            self._end(keeper, grace=keeper.child.grace)
        self._lifeline.close()

    def alive(self) -> bool:
        """Whether every child runs and was ready, and somebody watches them."""
        watched = self._thread is None or self._thread.is_alive()
        return watched and all(keeper.running() and keeper.ready for keeper in self._keepers)

    def pids(self) -> dict[str, int]:
        """Name to process id (and group id) of those that run now."""
        return {k.child.name: k.process.pid for k in self._keepers if k.process is not None and k.running()}

    def restarts(self) -> dict[str, int]:
        """Name to how often it has been started again."""
        return {keeper.child.name: keeper.restarts for keeper in self._keepers}

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ask(self) -> None:
        self._asked += 1

    def _start_all(self) -> None:
        self._lifeline.tend()
        for keeper in self._keepers:
            child = keeper.child
            try:
                self._spawn(keeper)
            except OSError as error:
                raise errors.Misconfigured(
                    f"{child.name} cannot be started: {error.strerror}",
                    place=child.argv[0],
                    remedy=child.remedy,
                ) from error
            while not self._became_ready(keeper):
                if self._asked:
                    return
                self._check_start(keeper)
                time.sleep(POLL)

    def _check_start(self, keeper: _Keeper) -> None:
        child, process = keeper.child, keeper.process
        status = process.poll() if process is not None else None
        place = str(child.output or "")
        if status is not None:
            raise errors.Misconfigured(
                f"{child.name} ended while starting, with status {status}", place=place, remedy=child.remedy
            )
        if time.monotonic() - keeper.since > child.ready_within:
            raise errors.Misconfigured(
                f"{child.name} was not ready within {child.ready_within:g} s",
                place=place,
                remedy=child.remedy,
            )

    def _watch(self) -> None:
        while not self._asked:
            self._lifeline.tend()
            for keeper in self._keepers:
                self._tend(keeper)
            time.sleep(POLL)

    def _tend(self, keeper: _Keeper) -> None:
        now = time.monotonic()
        if keeper.process is None:
            if now >= keeper.due:
                try:
                    self._spawn(keeper)
                except OSError:
                    self._restart_later(keeper, None, lived=0.0)
            return
        lived = now - keeper.since
        status = keeper.process.poll()
        late = not self._became_ready(keeper) and lived > keeper.child.ready_within
        if status is not None or late:
            self._end(keeper, grace=0.0)
            self._restart_later(keeper, status, lived=lived)

    def _restart_later(self, keeper: _Keeper, status: int | None, *, lived: float) -> None:
        delay = keeper.backoff.after(lived)
        keeper.due = time.monotonic() + delay
        keeper.restarts += 1
        if self._on_restart is not None:
            self._on_restart(Restart(name=keeper.child.name, status=status, delay=delay, count=keeper.restarts))

    def _became_ready(self, keeper: _Keeper) -> bool:
        if not keeper.ready:
            ready = keeper.child.ready
            keeper.ready = keeper.running() and (ready is None or ready())
        return keeper.ready

    def _spawn(self, keeper: _Keeper) -> None:
        child = keeper.child
        with _output(child.output) as output:
            process = subprocess.Popen(
                child.argv,
                env={**os.environ, **child.env},
                cwd=child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=child.pass_fds,
                start_new_session=True,
            )
        self._lifeline.hold(process.pid)
        keeper.ready = False
        keeper.since = time.monotonic()
        keeper.process = process

    def _end(self, keeper: _Keeper, *, grace: float) -> None:
        process = keeper.process
        if process is None:
            return
        if process.poll() is None and grace > 0:
            # The leader only: a pool's leader lets its own children finish.
            process.terminate()
            deadline = time.monotonic() + grace
            while process.poll() is None and time.monotonic() < deadline and self._asked < 2:
                time.sleep(0.01)
        # Also after a graceful end: what the child left behind goes with it.
        lifeline.kill(process.pid)
        process.wait()
        self._lifeline.release(process.pid)
        keeper.process, keeper.ready = None, False


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[int | None]:
    if path is None:
        yield None
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _signals(ask: Callable[[], None]) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
