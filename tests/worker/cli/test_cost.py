"""Money by command, over a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, store, wiring
from tierwise import settings as configuration
from tierwise.ports import NANO, Bill, Entry
from tierwise.ports.money import UNANSWERED


@pytest.fixture
def spent(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """`spent(entry, ...)`: counted today in this installation's database."""
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()

    def count(*entries: Entry) -> None:
        opened = store.open_store(configuration.load().database_url)
        try:
            opened.money.settle([Bill("", "crm", 0, entries)], owner="test", now=wiring.clock())
        finally:
            opened.close()

    return count


def entry(model: str, stage: str, **more: Any) -> Entry:
    sums = {"questions": 10, "calls": 10, "tokens_in": 10_000, "tokens_out": 1000, "characters": 100, "repeated": 90}
    return Entry("crm", model, stage, **{"strong": "openai/dear", **sums, **more})


def test_the_page_as_json_and_as_tables(
    spent: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "tierwise.toml").write_text('[prices."openai/dear"]\ninput = 10\noutput = 50\n')
    monkeypatch.setenv("TIERWISE_CONFIG", str(home / "tierwise.toml"))
    spent(
        entry("openai/cheap", "primary", nano_usd=NANO // 100, tokens_cached=9000),
        entry("openai/dear", "secondary", questions=1, calls=1, nano_usd=NANO // 50),
    )
    assert cli.run(["cost", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {line["name"]: line["calls"] for line in found["lines"]} == {"openai/cheap": 10, "openai/dear": 1}
    assert found["cascade"]["always_strong_usd"] == pytest.approx(0.15)
    assert found["cascade"]["saved_usd"] == pytest.approx(0.12)
    assert found["prompt"]["repeated_share"] == pytest.approx(0.9)
    assert cli.run(["cost", "--by", "stage"]) == 0
    shown = capsys.readouterr().out
    assert "secondary" in shown
    assert "80% saved" in shown
    assert cli.run(["cost", "--since", "tomorrow"]) == 2


def test_an_unknown_price_is_listed_apart(spent: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    spent(entry("openai/ours", "primary", unpriced=10))
    assert cli.run(["cost"]) == 0
    shown = capsys.readouterr()
    assert "10 calls" in shown.out
    assert "price unknown: openai/ours" in shown.err
    assert "the price of openai/ours is unknown" in shown.out


def test_what_is_estimated_is_told(spent: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    spent(entry("openai/a", "primary", nano_usd=NANO), entry("openai/a", UNANSWERED, questions=0, nano_usd=NANO // 8))
    assert cli.run(["cost", "--by", "stage"]) == 0
    shown = capsys.readouterr()
    assert "unanswered" in shown.out
    assert "0.1250 USD of it is estimated" in " ".join(shown.err.split())
    assert cli.run(["cost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["estimated_usd"] == 0.125


def test_doctor_tells_a_spent_budget_and_a_model_without_a_price(
    spent: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def money() -> dict[str, Any]:
        cli.run(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)
        return next(item for item in found if item["what"] == "money")

    assert money()["found"] == "no budget is set"
    monkeypatch.setenv("TIERWISE_BUDGETS__DAILY_USD", "1.5")
    assert (money()["ok"], money()["found"]) == (True, "all, day: 0 of 1.5 USD")
    spent(entry("openai/cheap", "primary", nano_usd=2 * NANO))
    told = money()
    assert not told["ok"]
    assert "2 of 1.5 USD, resumes" in told["found"]
    monkeypatch.setenv("TIERWISE_MODEL__PRIMARY", "openai/ours")
    told = money()
    assert not told["ok"]
    assert '[prices."openai/ours"]' in told["remedy"]
