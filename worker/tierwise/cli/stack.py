"""The processes of one machine: bundled Valkey, worker, beat, console and sandbox, as supervised children."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tierwise import embedded
from tierwise.cli import output
from tierwise.errors import Misconfigured, Unreachable
from tierwise.settings import Settings

SANDBOX_WITHIN = 30.0
"""Seconds that the sandbox gets to print its ready line."""


GRACE = {"worker": 75.0}
"""Seconds between asking and killing, where ten are too few."""


class Pool(NamedTuple):
    """How the worker runs its tasks."""

    kind: str = "threads"
    concurrency: int = 8


def children(
    *,
    env: Mapping[str, str],
    broker_url: str,
    pool: Pool,
    console: bool,
    logs: Path | None,
) -> list[embedded.Child]:
    """Worker, beat and console of one run; each is the very command that production runs."""
    shared = {**env, "TIERWISE_BROKER_URL": broker_url}

    def child(name: str, *arguments: str) -> embedded.Child:
        return embedded.Child(
            name=name,
            argv=(sys.executable, "-m", "tierwise", name, *arguments),
            env=shared,
            output=logs / f"{name}.log" if logs is not None else None,
            # A pump drains for up to a quarter of a minute, and a poll or write-back ends its page or batch.
            grace=GRACE.get(name, 10.0),
            remedy=f"tierwise {name}",
        )

    found = [
        child("worker", "--pool", pool.kind, "--concurrency", str(pool.concurrency)),
        child("beat"),
    ]
    return [*found, child("console")] if console else found


@contextlib.contextmanager
def broker(settings: Settings) -> Iterator[tuple[str, Sequence[embedded.Child]]]:
    """The configured broker's URL, or the bundled Valkey as a child to supervise."""
    if settings.broker_url is not None:
        yield settings.broker_url, ()
        return
    with embedded.Valkey(settings.home / "valkey") as valkey:
        yield valkey.url, (valkey.child(),)


def tell_restart(restart: embedded.Restart) -> None:
    """One line for people when a child died."""
    how = "was not ready in time" if restart.status is None else f"ended with status {restart.status}"
    output.say(f"{restart.name} {how}; starting it again in {restart.delay:g} s")


class Sandbox(NamedTuple):
    """Addresses of a running sandbox."""

    hubspot_url: str
    token: str
    model_url: str
    salesforce: Mapping[str, str] = MappingProxyType({})
    """url, client_id, username, private_key and client_secret of the org; empty where none was asked for."""


@contextlib.contextmanager
def sandbox(*arguments: str, log: Path | None = None) -> Iterator[Sandbox]:
    """A sandbox CRM and model server for the block, as a process of its own."""
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(log.open("ab")) if log is not None else None
        process = subprocess.Popen(
            [sys.executable, "-m", "tierwise_sandbox", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(_stop, process)
        ready = _ready_line(process, log)
        hubspot = ready["hubspot"]
        yield Sandbox(hubspot["url"], hubspot["token"], ready["model"]["url"], ready.get("salesforce", {}))


def _ready_line(process: subprocess.Popen[bytes], log: Path | None) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + SANDBOX_WITHIN
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        if readable:
            line = process.stdout.readline()
            if not line:
                said = _last_line(log)
                raise Misconfigured(said or f"the sandbox ended with status {process.wait()}", place="sandbox")
            found = json.loads(line)
            assert isinstance(found, dict)
            return found
    raise Unreachable(f"the sandbox was not ready within {SANDBOX_WITHIN:g} s", remedy="tierwise sandbox")


def _last_line(log: Path | None) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log is not None else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def free_port(preferred: int) -> int:
    """That port of the loopback where it is free, else any."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    raise Misconfigured("no port of the loopback is free", remedy="stop what listens there")


def clean_environment() -> None:
    """Forget every TIERWISE_ variable: a demo must not reach the database or CRM of a real installation."""
    for name in [name for name in os.environ if name.startswith("TIERWISE_")]:
        del os.environ[name]
