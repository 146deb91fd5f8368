"""Both servers in one process and one event loop, until told to stop or the parent process is gone."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tierwise_sandbox.connection import Cuttable

_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECONDS = 1.0


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: two in one process would fight over them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one). OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's algorithm off only where it reads TCP, and with it on every
    # answer waits 40 ms for the client's acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(2048)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


async def serve(pairs: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None]) -> None:
    """Serve each application on its socket; `ready` is called once all of them answer."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = [_Server(_config(_dated(app))) for app, _ in pairs]
    tasks = [
        asyncio.create_task(server.serve(sockets=[sock])) for server, (_, sock) in zip(servers, pairs, strict=True)
    ]
    watcher = asyncio.create_task(_watch_parent(stop))
    waiting = asyncio.create_task(stop.wait())
    while not all(server.started for server in servers) and not any(task.done() for task in tasks):
        await asyncio.sleep(0.005)
    ready()
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    watcher.cancel()
    waiting.cancel()
    await asyncio.gather(*tasks)


def _dated(app: ASGIApp) -> ASGIApp:
    """`app` with this machine's time as the Date header, unless it sets that itself."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if not any(name == b"date" for name, _ in headers):
                    headers.append((b"date", formatdate(usegmt=True).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, sending)

    return wrapped


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Cuttable,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,  # an application may have a clock of its own
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop when the parent process has gone. The kernel's signal only wakes us: it also comes when merely the
    thread that started us ends, so what counts is the parent's id."""
    parent = os.getppid()
    woken = asyncio.Event()
    if sys.platform == "linux":
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, woken.set)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    while os.getppid() == parent:
        woken.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), _PARENT_POLL_SECONDS)
    stop.set()
