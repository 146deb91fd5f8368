"""Processes refuse to start with one clear message where they could not work."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tierwise import cli


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_without_a_broker(role: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([role]) == 2
    assert "TIERWISE_BROKER_URL" in capsys.readouterr().err


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_without_tables(
    role: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_BROKER_URL", "redis://127.0.0.1:1/0")
    assert cli.run([role]) == 2
    assert "tierwise db upgrade" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--queues", "poll,scor"), ("--pool", "gevent")])
def test_a_worker_with_an_unknown_word(
    option: str, value: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_BROKER_URL", "redis://127.0.0.1:1/0")
    assert cli.run(["worker", option, value]) == 2
    assert "scor" in capsys.readouterr().err or option == "--pool"


def test_a_worker_whose_metrics_address_is_taken_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.run(["db", "upgrade"])
    monkeypatch.setenv("TIERWISE_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("TIERWISE_METRICS__HOST", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("TIERWISE_METRICS__PORT", str(taken.getsockname()[1]))
        assert cli.run(["worker"]) == 2
    assert "TIERWISE_METRICS__PORT" in capsys.readouterr().err
