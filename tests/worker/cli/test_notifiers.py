"""Notifiers by command."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, wiring
from tierwise.cli import session
from tierwise.sdk import Notice


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def hook() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "tierwise.toml"
    file.write_text(
        f'[notifiers.ops]\ntype = "webhook"\nurl = "{hook}"\n[notifiers.gone]\ntype = "webhook"\n'
        'url = "http://127.0.0.1:1/"\nevents = ["write_refused"]\n'
    )
    cli.run(["db", "upgrade"])
    return file


def test_a_test_notice_tells_whether_it_arrives(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["notifiers", "test", "ops"]) == 0
    assert "took the notice" in capsys.readouterr().err
    assert cli.run(["notifiers", "test", "gone"]) == 3
    assert "127.0.0.1:1" in capsys.readouterr().err
    assert cli.run(["notifiers", "test", "nobody"]) == 2
    assert "known: gone, ops" in " ".join(capsys.readouterr().err.split())


def test_what_was_given_up_is_listed_told_by_doctor_and_sent_again(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with session.opened() as parts:
        now = wiring.clock()
        notice = Notice("k", "warning", "t", "x", now, event="write_refused")
        parts.store.notifications.put(["ops", "gone"], notice, quiet=timedelta(hours=1), now=now)
        for dispatch in parts.store.notifications.claim(limit=5, lease=60, now=now):
            if dispatch.notifier == "gone":
                parts.store.notifications.give_up(dispatch, error="nobody answers there")
            else:
                parts.store.notifications.sent(dispatch, now=now)
    capsys.readouterr()
    assert cli.run(["notifiers", "list", "--json"]) == 0
    gone, ops = json.loads(capsys.readouterr().out)
    assert (gone["dead"], gone["error"], gone["events"]) == (1, "nobody answers there", ["write_refused"])
    assert (ops["sent"], ops["dead"]) == (1, 0)
    assert cli.run(["doctor", "--json"]) == 3
    found: dict[str, Any] = {line["what"]: line for line in json.loads(capsys.readouterr().out)}
    assert (found["notices by ops"]["ok"], found["notices by gone"]["ok"]) == (True, False)
    assert "nobody answers there" in found["notices by gone"]["found"]
    assert "tierwise notifiers retry gone" in found["notices by gone"]["remedy"]
    assert cli.run(["notifiers", "retry", "gone"]) == 0
    assert "1 notices go out again" in capsys.readouterr().err
