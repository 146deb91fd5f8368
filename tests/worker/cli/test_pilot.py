"""A pilot by command, over a database in which two months were played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tierwise_fixtures.piloted import NAME, Piloted

from tierwise import cli
from tierwise.cli import session

PERIOD = ("--since", "2026-10-01", "--until", "2026-10-31")


@pytest.fixture
def _played(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    with session.opened() as parts:
        Piloted(parts.store, each=1)
    capsys.readouterr()


@pytest.mark.usefixtures("_played")
def test_figures_page_and_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "pilot.html"
    assert cli.run(["pilot", *PERIOD, "--json", "--html", str(page)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leads"]["n"] == 30
    assert told["accepted"]["before"]["n"] == 30
    assert told["accepted"]["difference"] is not None
    assert told["sla"]["to_crm"]["median"] < told["sla"]["to_crm"]["p95"]
    html = page.read_text()
    assert "Pilot: all pods and connections, 2026-10-01 to 2026-10-31" in html
    assert "acme" not in html.casefold(), "no lead is named"
    assert cli.run(["pilot", *PERIOD, "--pod", "us", "--connection", NAME]) == 0
    shown = capsys.readouterr()
    assert "Pilot us" in shown.out
    assert "first touch by sales" in shown.out
    assert "What became of them" in shown.out


@pytest.mark.usefixtures("_played")
def test_a_period_of_which_nothing_is_known_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["pilot", "--since", "2025-01-01", "--until", "2025-02-01"]) == 0
    shown = capsys.readouterr()
    assert "unknown" in shown.out
    assert "first touch is not known: there are no leads" in shown.err


def test_calls_that_make_no_sense(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["pilot", "--since", "2026-10-02", "--until", "2026-10-01"]) == 2
    assert "ends before it begins" in capsys.readouterr().err
    assert cli.run(["pilot", "--connection", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err
