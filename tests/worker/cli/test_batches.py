"""What people see of batches, and what they can do about one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tierwise_fixtures import batches as fixtures

from tierwise import cli, store, wiring
from tierwise import settings as configuration
from tierwise.cli import batches, setup
from tierwise.errors import Misconfigured, RetryLater


@pytest.fixture
def office(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[fixtures.Office]:
    """A database with two leads that wait for a batch."""
    settings = configuration.load()
    setup.prepare(settings)
    opened = store.open_store(settings.database_url)
    made = fixtures.Office(opened)
    made.backfill(1, 2)
    made.gather()
    yield made
    made.close()
    opened.close()


def test_batches_are_listed_with_who_waits(office: fixtures.Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["batches", "list", "--since", "400d"]) == 0
    shown = capsys.readouterr().out
    assert "planned" in shown
    assert "leads that wait: 2 of crm" in shown


def test_a_script_reads_all_of_it(office: fixtures.Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.advance()
    office.advance(60)
    assert cli.run(["batches", "list", "--since", "2026-11-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (batch,) = found["batches"]
    assert (batch["outcome"], batch["questions"], batch["answered"]) == ("completed", 2, 2)
    assert batch["usd"] == pytest.approx(batch["saved_usd"])
    assert batch["usd"] > 0
    assert found["waiting"] == {"crm": 2}, "to be looked at again"


def test_one_is_cancelled_once(office: fixtures.Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["batches", "cancel", "1"]) == 0
    office.now = wiring.clock()
    assert office.store.works.due(now=office.now) == 2
    office.advance()
    assert cli.run(["batches", "cancel", "1"]) == 1
    assert "batch 1 is not under way" in capsys.readouterr().err
    assert cli.run(["batches", "cancel", "77", "--json"]) == 1


def test_cost_tells_what_batches_saved_and_who_waits(
    office: fixtures.Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.advance()
    office.advance(60)
    assert cli.run(["cost", "--since", "2026-11-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["batches"]["questions"] == 2
    assert found["batches"]["saved_share"] == pytest.approx(0.5)
    assert found["waiting_for_batch"] == {"crm": 2}
    assert cli.run(["cost", "--since", "2026-11-01"]) == 0
    shown = capsys.readouterr().out
    assert "2 questions waited" in shown
    assert "leads that wait for a batch: 2 of crm" in shown


def test_doctor_names_a_batch_in_trouble(office: fixtures.Office) -> None:
    settings = configuration.load()
    office.provider.broken = [("create_file", RetryLater("the provider cannot answer now"), False)]
    office.advance()
    with pytest.raises(Misconfigured, match="the provider cannot answer now"):
        batches.check(settings)
    office.store.batches.cancel(1, now=office.now)
    office.advance()
    assert "under way" in batches.check(settings)


def test_doctor_names_a_batch_that_nobody_looks_at(office: fixtures.Office) -> None:
    with pytest.raises(Misconfigured, match="is a worker running"):
        batches.check(configuration.load())


def test_whether_leads_are_to_wait(home: Path) -> None:
    def made(mode: str) -> wiring.Wiring:
        model = {"primary": fixtures.PRIMARY, "secondary": fixtures.SECONDARY}
        return wiring.Wiring(configuration.Settings(home=home, model=model, batch={"mode": mode}))

    policy = fixtures.shipped().policy
    parts = made("auto")
    chain = batches.chain(parts, policy, wish=None)
    assert chain.batched == (fixtures.PRIMARY, fixtures.SECONDARY)
    assert batches.worth(parts, chain, calls=50, wish=None)
    assert not batches.worth(parts, chain, calls=49, wish="auto"), "too few are not worth a day"
    live = batches.chain(parts, policy, wish="never")
    assert live.batched == ()
    assert not batches.worth(parts, live, calls=5000, wish="never")
    off = made("never")
    assert batches.chain(off, policy, wish=None).batched == ()
    with pytest.raises(Misconfigured, match="turned off"):
        batches.worth(off, chain, calls=50, wish="auto")
