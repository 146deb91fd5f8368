"""A backtest that asks models tells what it would cost first, and asks nobody before somebody agreed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import decided
from tierwise_fixtures.batches import PRIMARY, SECONDARY

from tierwise import cli, wiring
from tierwise.cli import session


@pytest.fixture
def bundle(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Files with a question that nobody answered yet, beside twenty decisions under the same files without it."""
    directory = tmp_path / "bundle"
    for command in (["init", str(directory)], ["db", "upgrade"], ["policy", "activate", str(directory)]):
        assert cli.run(command) == 0
    with session.opened() as parts:
        decided.fill(parts, 20)
    path = directory / "prompts" / "qualify.md"
    text = path.read_text()
    asked = "By when does the lead want to decide or start?"
    assert text.count(asked) == 1
    path.write_text(text.replace(asked, "By when does the lead want to decide, start or buy?"))
    (home / "tierwise.toml").write_text(
        f'[model]\nprimary = "{PRIMARY}"\nsecondary = "{SECONDARY}"\n[batch]\nfewest = 3\n[policy]\nmax_asked = 1\n'
        f'max_review = 1\n[prices."{PRIMARY}"]\ninput = 1\noutput = 10\n'
        f'[prices."{SECONDARY}"]\ninput = 9\noutput = 90\n'
    )
    monkeypatch.setenv("TIERWISE_CONFIG", str(home / "tierwise.toml"))
    capsys.readouterr()
    return directory


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.run(["policy", "backtest", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def waiting() -> int:
    with session.opened() as parts:
        return sum(item.decisions for item in parts.store.backtests.list())


def published(capsys: pytest.CaptureFixture[str]) -> int:
    assert cli.run(["policy", "history", "--json"]) == 0
    return len(json.loads(capsys.readouterr().out)["published"])


def test_a_script_learns_the_cost_and_asks_nobody(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = run(capsys, str(bundle))
    assert (plain["asked"], plain["waiting"]) == (None, None)
    number = plain["would_need_model"]
    assert number > 5
    told = run(capsys, str(bundle), "--ask")
    asked = told["asked"]
    assert (asked["asked"], asked["batch"], asked["decisions"], asked["calls"]) == (False, True, number, number)
    assert 0 < asked["usd_at_least"] < asked["usd_at_most"]
    assert asked["live_usd_at_least"] == pytest.approx(2 * asked["usd_at_least"])
    live = run(capsys, str(bundle), "--ask", "--batch", "never")["asked"]
    assert (live["batch"], live["usd_at_least"]) == (False, live["live_usd_at_least"])
    assert (waiting(), published(capsys)) == (0, 1)


def test_a_person_is_asked_and_may_say_no(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr("typer.confirm", lambda _: next(answers))
    assert cli.run(["policy", "backtest", str(bundle), "--ask"]) == 0
    told = capsys.readouterr()
    assert "decisions need a model" in told.err
    assert "by batch where that is offered" in told.err
    assert waiting() == 0
    assert cli.run(["policy", "backtest", str(bundle), "--ask"]) == 0
    assert "0 of them in batches; `tierwise policy backtest" in capsys.readouterr().err
    assert waiting() > 5
    assert published(capsys) == 2, "the workers must be able to read what they ask"


def test_what_waits_is_listed_and_can_be_cancelled(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, str(bundle), "--ask", "--yes")
    number = told["would_need_model"]
    assert (told["asked"]["asked"], told["waiting"]["decisions"], told["waiting"]["batched"]) == (True, number, 0)
    digest = told["after"]["digest"]
    assert cli.run(["batches", "list"]) == 0
    assert f"backtest of {digest[:12]}: {number} decisions wait for answers" in capsys.readouterr().out
    assert cli.run(["batches", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["backtests"]
    assert (listed["policy"], listed["decisions"], listed["error"]) == (digest, number, None)
    with session.opened() as parts:
        later = wiring.clock()
        parts.store.backtests.again(
            [item.id for item in parts.store.backtests.take(limit=99, lease=9, now=later)], due=later, error="no money"
        )
    assert cli.run(["policy", "backtest", digest[:12]]) == 0
    assert "(no money)" in capsys.readouterr().err
    assert cli.run(["policy", "backtest", str(bundle), "--cancel"]) == 0
    assert f"no more about {number} decisions" in capsys.readouterr().err
    assert waiting() == 0


def test_batches_that_are_turned_off_cannot_be_wished_for(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_BATCH__MODE", "never")
    assert cli.run(["policy", "backtest", str(bundle), "--ask", "--batch", "auto", "--yes"]) == 2
    assert "batches are turned off" in capsys.readouterr().err
    assert not run(capsys, str(bundle), "--ask")["asked"]["batch"]


def test_an_unknown_price_is_not_told_as_nothing(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_MODEL__PRIMARY", "openai/no-such-model")
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert cli.run(["policy", "backtest", str(bundle), "--ask"]) == 0
    assert "what it costs is not known" in capsys.readouterr().err
