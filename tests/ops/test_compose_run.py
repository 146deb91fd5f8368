"""Each service's very command and health check, run natively: with the file's environment, without its containers.

Only addresses are exchanged: ports that are free here, the loopback instead of all interfaces, real servers of the
test instead of `postgres` and `redis`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from tierwise_fixtures.loopback import free_port

from tierwise import embedded

WITHIN = 60.0
BIN = Path(sys.executable).parent


@pytest.fixture
def ports() -> dict[str, str]:
    """A free port here for each port of the file."""
    return {port: str(free_port()) for port in ("8400", "8401", "8601", "8602")}


@pytest.fixture
def here(ports: dict[str, str], postgres_url: str, valkey_url: str, tmp_path: Path) -> dict[str, str]:
    """What stands in the file -> what stands for it here."""
    return {
        **ports,
        "0.0.0.0": "127.0.0.1",
        "postgresql://tierwise:letters0and9digits@postgres:5432/tierwise": postgres_url,
        "redis://redis:6379/0": valkey_url,
    }


def _here(text: str, here: dict[str, str]) -> str:
    for there, replacement in here.items():
        text = text.replace(there, replacement)
    return text


def _argv(command: list[str], here: dict[str, str]) -> list[str]:
    argv = [_here(part, here) for part in command]
    return [str(BIN / argv[0]), *argv[1:]]


def _environment(service: Any, dotenv: dict[str, str], here: dict[str, str], home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERWISE_")}
    file = dotenv if "env_file" in service else {}
    given = {name: _here(value, here) for name, value in service["environment"].items()}
    # HOME and TIERWISE_HOME are /data in the image.
    return {**kept, **file, **given, "TIERWISE_HOME": str(home), "HOME": str(home)}


@contextmanager
def _started(argv: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended by SIGTERM afterwards, as by `docker stop`."""
    with log.open("ab") as output:
        process = subprocess.Popen(argv, env=env, cwd=env["HOME"], stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(WITHIN)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _healthy(
    service: Any, process: subprocess.Popen[bytes], env: dict[str, str], here: dict[str, str], log: Path
) -> None:
    argv = _argv(service["healthcheck"]["test"][1:], here)
    deadline = time.monotonic() + WITHIN
    while True:
        assert process.poll() is None, log.read_text()
        found = subprocess.run(argv, env=env, cwd=env["HOME"], capture_output=True, text=True, timeout=30, check=False)
        if found.returncode == 0:
            return
        assert time.monotonic() < deadline, f"{found.stdout}{found.stderr}\n{log.read_text()}"


def test_the_services_start_report_health_and_end(
    compose: Any, dotenv: dict[str, str], here: dict[str, str], ports: dict[str, str], tmp_path: Path
) -> None:
    services = compose["services"]
    homes = {}
    environments = {}
    for name in ("migrate", "worker", "beat", "console"):
        homes[name] = tmp_path / name
        homes[name].mkdir()
        environments[name] = _environment(services[name], dotenv, here, homes[name])

    migrate = _argv(["tierwise", *services["migrate"]["command"]], here)
    done = subprocess.run(
        migrate,
        env=environments["migrate"],
        cwd=homes["migrate"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    logs = {name: tmp_path / f"{name}.log" for name in environments}
    with contextlib.ExitStack() as running:
        processes = {
            name: running.enter_context(
                _started(_argv(["tierwise", *services[name]["command"]], here), environments[name], logs[name])
            )
            for name in ("worker", "beat", "console")
        }
        for name, process in processes.items():
            _healthy(services[name], process, environments[name], here, logs[name])
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['8400']}/readyz", timeout=10) as answer:
            ready = json.load(answer)
        assert ready["missing"] == []
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['8400']}/metrics", timeout=10) as answer:
            assert 'tierwise_processes{role="worker"}' in answer.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['8401']}/metrics", timeout=10) as answer:
            assert "process_resident_memory_bytes" in answer.read().decode()
    for name, log in logs.items():
        text = log.read_text() if log.exists() else ""
        assert "Traceback" not in text, f"{name}: {text}"


def test_the_sandbox_starts_and_reports_health(
    compose: Any, dotenv: dict[str, str], here: dict[str, str], ports: dict[str, str], tmp_path: Path
) -> None:
    services = compose["services"]
    env = _environment(services["sandbox"], dotenv, here, tmp_path)
    log = tmp_path / "sandbox.log"
    argv = _argv(["tierwise", *services["sandbox"]["command"]], here)
    with _started(argv, env, log) as process:
        _healthy(services["sandbox"], process, env, here, log)
        request = urllib.request.Request(
            f"http://127.0.0.1:{ports['8601']}/crm/properties/2026-09/contacts",
            headers={"Authorization": "Bearer sandbox-token"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["results"]
        request.remove_header("Authorization")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=10)


def test_the_broker_understands_its_arguments(compose: Any, ports: dict[str, str], tmp_path: Path) -> None:
    command = compose["services"]["redis"]["command"]
    assert command[0] == "valkey-server"
    socket_ = tmp_path / "s"
    argv = [str(embedded.locate()), *command[1:]]
    argv += ["--port", "0", "--unixsocket", str(socket_), "--dir", str(tmp_path)]
    env = {**os.environ, "HOME": str(tmp_path)}
    with _started(argv, env, tmp_path / "valkey.log") as process:
        client = redis.Redis(unix_socket_path=str(socket_))
        deadline = time.monotonic() + WITHIN
        while not socket_.exists():
            assert process.poll() is None, (tmp_path / "valkey.log").read_text()
            assert time.monotonic() < deadline
        found: Any = client.config_get("*")
        client.close()
    assert (found["appendonly"], found["maxmemory-policy"]) == ("yes", "noeviction")
    assert (found["maxmemory"], found["save"]) == (str(256 * 1024 * 1024), "")
