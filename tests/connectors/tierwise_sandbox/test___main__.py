"""The command: its ready line, its ends, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "tierwise_sandbox"]


def failed(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_ready_line_and_ends_when_told(number: signal.Signals) -> None:
    process = subprocess.Popen([*COMMAND, "--leads", "3", "--token", "secret-1"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        ready = json.loads(output.readline())
        assert ready["hubspot"]["token"] == "secret-1"
        assert ready["hubspot"]["url"].startswith("http://127.0.0.1:")
        assert set(ready) == {"hubspot", "model"}
        process.send_signal(number)
        assert process.wait(10) == 0
        assert output.read() == ""


def test_an_org_is_served_when_a_port_is_named(sandbox: Callable[..., Any], tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps({"salesforce": {"lock_rows": 3, "hidden_fields": ["Lead.Title"]}}))
    box = sandbox(leads=12, salesforce_port=0, salesforce_provisioned=True, faults=faults)
    assert set(box.salesforce) == {"url", "token_url", "client_id", "client_secret", "username", "private_key"}
    assert (box.org("stats")["leads"], box.stats()["records"]) == (12, 12)
    assert sorted(box.org("kinds").values()) == sorted(box.kinds().values())
    assert box.org("switches")["lock_rows"] == 3


def test_an_org_is_provisioned_from_a_folder_or_not_at_all(tmp_path: Path) -> None:
    code, told = failed("--leads", "0", "--salesforce-port", "0", "--salesforce-provisioned", str(tmp_path))
    assert code == 2
    assert "field-meta.xml" in told


def test_it_ends_when_its_parent_is_killed() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'tierwise_sandbox', '--leads', '1'])\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as output:
        url = json.loads(output.readline())["hubspot"]["url"]
        port = int(url.rsplit(":", 1)[1])
        parent.kill()
        parent.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and _answers(port):
            time.sleep(0.02)
        assert not _answers(port)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_broken_file_of_leads_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "leads.jsonl"
    path.write_text('{"email": "a@b.example"}\n{"email": \n')
    code, told = failed("--leads", str(path))
    assert code == 2
    assert f"{path}:2: not JSON" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--leads", "nowhere.csv"], "nowhere.csv"),
        (["--leads", "many"], ".csv or .jsonl"),
        (["--latency-ms", "5", "--latency-lognormal", "5,9"], "not both"),
        (["--faults", "nowhere.json"], "nowhere.json"),
        (["--hubspot-port", "x"], "invalid int value"),
    ],
)
def test_wrong_arguments_end_with_two(arguments: list[str], told: str) -> None:
    code, said = failed(*arguments)
    assert code == 2
    assert told in said


def test_a_taken_port_ends_with_three() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, told = failed("--leads", "0", "--model-port", str(taken.getsockname()[1]))
    assert code == 3
    assert "0 takes any free one" in told


def test_faults_and_lag_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps({"faults": [{"action": "explode"}]}))
    code, told = failed("--leads", "0", "--faults", os.fspath(path))
    assert code == 2
    assert "explode" in told
