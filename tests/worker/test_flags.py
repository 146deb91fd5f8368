"""Kill file, kill switch and gate before any provider; another provider can only narrow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.no_op_provider import NoOpProvider

from tierwise import flags
from tierwise.domain.gate import Gate
from tierwise.domain.rollout import Flag, Kill, Target, targeted
from tierwise.errors import Misconfigured
from tierwise.ports.automation import Standing

GREEN = Standing(Gate((), 0.5, ("A",), "r" * 64), "c" * 64, "p" * 64, None, Flag(percentage=100), 1)
ACME = Target("emea", "north", "acme.example")


class OnlyAcme(NoOpProvider):
    """A team's own flag service."""

    def resolve_boolean_details(self, flag_key, default_value, evaluation_context=None):  # type: ignore[no-untyped-def]
        on = evaluation_context is not None and evaluation_context.targeting_key == "acme.example"
        return FlagResolutionDetails(on, variant="on" if on else "off")


class Broken(NoOpProvider):
    """One that is down."""

    def resolve_boolean_details(self, flag_key, default_value, evaluation_context=None):  # type: ignore[no-untyped-def]
        raise OSError("connection refused")


@pytest.fixture
def ours(tmp_path: Path) -> flags.Evaluator:
    return flags.Evaluator(kill_file=tmp_path / "kill", provider=None)


def test_the_order(ours: flags.Evaluator, tmp_path: Path) -> None:
    assert ours.evaluate(GREEN, ACME).on
    assert ours.evaluate(GREEN._replace(kill=Kill("ada", "x")), ACME).why == "killed"
    assert ours.evaluate(GREEN._replace(gate=Gate(("red",))), ACME).why == "gate"
    assert ours.evaluate(GREEN._replace(flag=None), ACME).why == "off"
    assert ours.evaluate(GREEN._replace(flag=Flag(percentage=100, pods=("south",))), ACME).why == "rule"
    assert ours.evaluate(None, ACME).why == "stale"
    (tmp_path / "kill").write_text("the CRM team asked for it\n")
    told = ours.evaluate(GREEN, ACME)
    assert (told.on, told.why) == (False, "killed")
    assert "the CRM team asked for it" in told.detail
    assert ours.evaluate(None, ACME).why == "killed", "it works with the database down"


def test_a_kill_file_that_cannot_be_read_is_set(tmp_path: Path) -> None:
    """A directory in its place, say."""
    (tmp_path / "kill").mkdir()
    assert flags.Evaluator(kill_file=tmp_path / "kill", provider=None).killed_by_file() is not None


def test_the_provider_says_what_the_domain_says(ours: flags.Evaluator) -> None:
    for flag in (Flag(percentage=5), Flag(percentage=50, pods=("north",)), Flag(percentage=100, connections=("na",))):
        for number in range(200):
            target = ACME._replace(company=f"c{number}")
            assert ours.evaluate(GREEN._replace(flag=flag), target).on is targeted(flag, target).on


def test_another_provider_chooses_among_those_a_person_raised_it_for() -> None:
    made = flags.Evaluator(kill_file=None, provider=f"{__name__}:OnlyAcme")
    assert made.evaluate(GREEN, ACME).on
    assert not made.evaluate(GREEN, ACME._replace(company="other")).on
    assert made.evaluate(GREEN._replace(flag=Flag()), ACME).why == "off"
    elsewhere = GREEN._replace(flag=Flag(percentage=1, pods=("south",)))
    assert made.evaluate(elsewhere, ACME).why == "rule", "a service does not reach beyond the pods a person named"
    assert made.evaluate(GREEN._replace(gate=Gate(("red",))), ACME).why == "gate"
    assert made.evaluate(GREEN._replace(kill=Kill("a", "b")), ACME).why == "killed"


def test_a_provider_that_fails_is_off() -> None:
    told = flags.Evaluator(kill_file=None, provider=f"{__name__}:Broken").evaluate(GREEN, ACME)
    assert not told.on
    assert "failed" in told.detail


@pytest.mark.parametrize("name", ["nowhere.at_all:Thing", f"{__name__}:nothing", "builtins:dict", "no-colon"])
def test_what_is_no_provider_is_told_with_its_setting(name: str) -> None:
    with pytest.raises(Misconfigured, match="provider") as caught:
        flags.Evaluator(kill_file=None, provider=name)
    assert caught.value.place == "flags.provider"


@pytest.mark.deep
def test_a_hundred_thousand_evaluations(ours: flags.Evaluator) -> None:
    """Under 5 s of one core; measured at about 1.3."""
    begin = time.process_time()
    for number in range(100_000):
        ours.evaluate(GREEN, ACME._replace(company=str(number)))
    assert time.process_time() - begin < 5
