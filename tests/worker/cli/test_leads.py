"""Files of leads, and leads by name."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, wiring
from tierwise.cli import leads, session
from tierwise.errors import Misconfigured


def test_columns_of_a_csv_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes('\ufeffid,company\n1,"Möbel, Ltd"\n2\n'.encode())
    assert list(leads.read(file)) == [{"id": "1", "company": "Möbel, Ltd"}, {"id": "2"}]


def test_lines_of_json(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": 5}\n\n{"company": "A"}\n')
    assert list(leads.read(file)) == [{"id": 5}, {"company": "A"}]


@pytest.mark.parametrize("text", ["[1]\n", "{\n", '"x"\n'])
def test_what_is_no_object_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"a": 1}\n' + text)
    with pytest.raises(Misconfigured) as caught:
        list(leads.read(file))
    assert caught.value.place == f"{file}:2"


def test_what_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"id\n\xff\xfe\n")
    with pytest.raises(Misconfigured, match="cannot be read"):
        list(leads.read(file))


def test_a_file_is_scored_in_its_order(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.jsonl"
    rows = [{"id": f"n{n}", "email": f"a{n}@firm{n}.example", "employee_count": str(10 * n)} for n in range(1, 9)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert cli.run(["score", str(file), "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in found] == [row["id"] for row in rows]
    assert [line["fit"] for line in found] == sorted(line["fit"] for line in found)


def test_a_lead_that_nobody_knows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["trace", "portal:1"]) == 1
    assert "portal:1" in capsys.readouterr().err


class _Firms(http.server.BaseHTTPRequestHandler):
    """A service that knows how large every firm is."""

    def do_GET(self) -> None:
        body = b'{"size": 800}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def firms() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Firms) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_configured_enrichers_are_at_work_in_score_and_their_failure_costs_no_lead(
    home: Path, tmp_path: Path, firms: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads.csv").write_text("id,email,company,message\n1,a@kaspar.example,Kaspar,We need it now\n")

    def scored(settings: str) -> dict[str, Any]:
        (tmp_path / "tierwise.toml").write_text(settings)
        assert cli.run(["score", "leads.csv", "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    service = '[enrichers.firms]\ntype = "http"\nfields = {{employee_count = "size"}}\nurl = "{}/{{email}}"\n'
    plain = scored("")
    known = scored(service.format(firms))
    assert "LARGE_COMPANY" in set(known["reason_codes"]) - set(plain["reason_codes"])
    assert known["score"] > plain["score"]
    assert scored(service.format("http://127.0.0.1:1")) == plain


def test_outcomes_are_read_again_from_there(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "tierwise.toml"
    home.mkdir(exist_ok=True)
    config.write_text(
        f'home = "{home}"\n[connections.crm]\ntype = "hubspot"\ntoken = "pat-x"\nbase_url = "http://127.0.0.1:9"\n'
    )
    monkeypatch.setenv("TIERWISE_CONFIG", str(config))
    assert cli.run(["db", "upgrade"]) == 0
    with session.opened() as parts:
        parts.store.connections.ensure("crm", "hubspot", now=wiring.clock())
        parts.store.connections.enable("crm", watermark=wiring.clock(), now=wiring.clock())
    capsys.readouterr()
    assert cli.run(["backfill", "crm", "--since", "2026-01-31", "--outcomes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcomes_since"].startswith("2026-01-31")
    with session.opened() as parts:
        watched = {one.connection: one.outcomes_from for one in parts.store.pilots.watched()}
        polled = {state.name: state.watermark for state in parts.store.connections.list()}
    assert watched["crm"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert polled["crm"] is not None
    assert polled["crm"] > watched["crm"], "leads are not read again"
    monkeypatch.setenv("TIERWISE_TRAIL__OUTCOMES", "false")
    assert cli.run(["backfill", "crm", "--since", "2026-01-31", "--outcomes"]) == 2
