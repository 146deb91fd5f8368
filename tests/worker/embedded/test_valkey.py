"""The bundled broker for real: addresses, durability, one run per directory."""

from __future__ import annotations

import os
import platform
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import kombu
import pytest
import redis

from tierwise import embedded, errors
from tierwise.embedded import valkey

OTHER_RUN = """
    import pathlib, sys, time
    from tierwise import embedded
    server = embedded.Valkey(pathlib.Path(sys.argv[1]))
    with embedded.Supervisor([server.child()]) as running:
        print(running.pids()["valkey"], flush=True)
        time.sleep(60)
"""


def _client(server: embedded.Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.redis_url, socket_timeout=5, decode_responses=True)


@pytest.mark.parametrize("name", ["plain", "with space, ümlaut & 100%"])
def test_speaks_to_redis_and_to_celery(tmp_path: Path, name: str) -> None:
    with embedded.Valkey(tmp_path / name) as server, embedded.Supervisor([server.child()]), _client(server) as client:
        assert server.ready()
        assert client.ping()
        with kombu.Connection(server.url) as connection, connection.SimpleQueue("tierwise") as queue:
            queue.put({"lead": 1})
            message = queue.get(timeout=10)
            assert message.payload == {"lead": 1}
            message.ack()


def test_is_private_and_configured(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "on the way"
    with embedded.Valkey(directory) as server, embedded.Supervisor([server.child()]), _client(server) as client:
        wanted = {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": str(128 * 1024 * 1024),
            "maxmemory-policy": "noeviction",
        }
        assert client.config_get(*wanted) == wanted
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert server.socket.parent == directory
        assert int((directory / "valkey.pid").read_text()) > 0
    assert not server.ready()
    assert not server.socket.exists()


def test_a_killed_server_is_back_with_its_queue(tmp_path: Path, until: Callable[..., None]) -> None:
    with (
        embedded.Valkey(tmp_path) as server,
        embedded.Supervisor([server.child()]) as running,
        _client(server) as client,
    ):
        client.rpush("celery", *map(str, range(1000)))
        assert client.waitaof(1, 0, 10_000) == [1, 0]
        first = running.pids()["valkey"]
        os.kill(first, signal.SIGKILL)
        until(lambda: running.pids().get("valkey", first) != first and running.alive())
        assert client.llen("celery") == 1000
        assert running.restarts() == {"valkey": 1}


def test_a_queue_survives_the_run(tmp_path: Path) -> None:
    for expected in (0, 1):
        with embedded.Valkey(tmp_path) as server, embedded.Supervisor([server.child()]), _client(server) as client:
            assert client.llen("celery") == expected
            client.rpush("celery", "x")


def test_a_second_run_in_the_same_directory_is_refused(
    tmp_path: Path, script: Callable[..., subprocess.Popen[str]]
) -> None:
    other = script(OTHER_RUN, tmp_path)
    assert other.stdout is not None
    server = int(other.stdout.readline())
    with pytest.raises(errors.Misconfigured) as raised:
        embedded.Valkey(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: in use by another run (process {other.pid}, its Valkey {server}) "
        "(stop that run, or give this one its own TIERWISE_HOME)"
    )


def test_a_directory_is_refused_within_one_process_too(tmp_path: Path) -> None:
    with embedded.Valkey(tmp_path), pytest.raises(errors.Misconfigured, match="in use by another run"):
        embedded.Valkey(tmp_path)
    embedded.Valkey(tmp_path).close()


def test_a_killed_run_hands_its_directory_over(
    tmp_path: Path, script: Callable[..., subprocess.Popen[str]], gone: Callable[[int], bool]
) -> None:
    other = script(OTHER_RUN, tmp_path)
    assert other.stdout is not None
    pid = int(other.stdout.readline())
    with redis.Redis(unix_socket_path=str(tmp_path / "valkey.sock")) as client:
        client.rpush("celery", "x")
        assert client.waitaof(1, 0, 10_000) == [1, 0]
    other.kill()
    other.wait()
    with embedded.Valkey(tmp_path) as server:
        assert gone(pid), "two servers on the same files"
        with embedded.Supervisor([server.child()]), _client(server) as client:
            assert client.llen("celery") == 1


def test_a_long_path_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    with embedded.Valkey(directory) as server, embedded.Supervisor([server.child()]), _client(server) as client:
        assert client.ping()
        assert len(os.fsencode(server.socket)) <= valkey.LONGEST_SOCKET
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert client.config_get("dir") == {"dir": str(directory)}
    server.socket.parent.rmdir()


def test_a_planted_socket_directory_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    with embedded.Valkey(directory) as server:
        planted = server.socket.parent
    planted.rmdir()
    planted.symlink_to(tmp_path)
    try:
        with pytest.raises(errors.Misconfigured, match="is not a directory of this user"):
            embedded.Valkey(directory)
    finally:
        planted.unlink()
    # And the refusal let go of the lock.
    embedded.Valkey(directory).close()
    planted.rmdir()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(errors.Misconfigured, match=r"home/valkey: cannot be used .* TIERWISE_HOME"):
        embedded.Valkey(tmp_path / "home" / "valkey")


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "sparc64")])
def test_without_a_binary_the_setting_is_named(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(errors.Misconfigured, match="set TIERWISE_BROKER_URL") as raised:
        valkey.locate()
    assert raised.value.exit_code == 2


def test_a_server_that_does_not_start_is_explained(tmp_path: Path) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho no such option\nexit 1\n")
    broken.chmod(0o700)
    with embedded.Valkey(tmp_path / "data", binary=broken) as server, pytest.raises(errors.Misconfigured) as raised:
        embedded.Supervisor([server.child()]).start()
    assert raised.value.place == str(server.log)
    assert "TIERWISE_BROKER_URL" in raised.value.remedy
    assert server.log.read_text() == "no such option\n"
