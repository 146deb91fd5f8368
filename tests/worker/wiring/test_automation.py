"""What a process knows about automation before anything was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup
from tierwise.domain.rollout import Flag
from tierwise.pipeline import automate


@pytest.fixture
def measured(home: Path) -> Iterator[wiring.Wiring]:
    connections = {
        "emea": {"type": "hubspot", "token": "t", "tier_field": "their_tier", "tier_values": {"A": "gold"}},
        "na": {"type": "hubspot", "token": "t"},
    }
    settings = configuration.Settings(home=home, connections=connections, model={"primary": "openai/gpt-x"})
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    yield made
    made.close()


def test_a_fresh_installation_automates_nothing(measured: wiring.Wiring) -> None:
    stands = measured.standing()
    assert (stands.flag, stands.kill, stands.gate.green) == (None, None, False)
    assert measured.automate("emea") is None
    assert measured.automate("na") is None


def test_the_chain_is_of_the_models_that_run(measured: wiring.Wiring, home: Path) -> None:
    first = measured.running()
    assert not first.offline
    other = wiring.Wiring(configuration.Settings(home=home, model={"primary": "openai/gpt-y"}))
    lexicon = wiring.Wiring(configuration.Settings(home=home, model={"primary": "offline/rules"}))
    assert other.running().models != first.models
    assert lexicon.running().offline
    other.close()
    lexicon.close()


def test_the_field_of_the_organisation(measured: wiring.Wiring) -> None:
    assert measured.tier_field("emea") == automate.Field("their_tier", {"A": "gold"})
    assert measured.tier_field("na") is None


def test_a_registration_takes_the_targets_of_the_policy(measured: wiring.Wiring) -> None:
    told = {"cut_offs": (0.5, 0.7), "looks": (100, 200), "anytime": False, "by": "ada", "now": measured.clock()}
    measured.register(**told)  # type: ignore[arg-type]
    found = measured.validate(by="ada")
    targets = measured.runnable().policy.rubric.targets
    assert found.registration is not None
    assert (found.registration.precision, found.registration.recall) == (targets.precision, targets.recall)
    assert (found.passed, found.items, found.next_look, found.report) == (False, 0, 100, None)


def test_the_flag_stays_down_while_the_gate_is_red(measured: wiring.Wiring) -> None:
    why = measured.raise_flag(Flag(percentage=1), by="ada", reason="now")
    assert any("no validation report" in reason for reason in why)
    assert measured.store.flags.history() == []
    assert measured.raise_flag(Flag(percentage=0), by="ada", reason="down") == []


def test_the_kill_file_is_enough(home: Path, tmp_path: Path) -> None:
    (tmp_path / "kill").touch()
    made = wiring.Wiring(configuration.Settings(home=home, kill_file=tmp_path / "kill"))
    assert made.evaluator.killed_by_file() is not None
