"""The order of evaluation, stable shares, and who may change what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import rollout
from tierwise.domain.gate import Gate
from tierwise.domain.rollout import STAGES, Answer, Flag, Kill, Stage, Target

NOW = datetime(2026, 11, 2, tzinfo=UTC)
GREEN, RED = Gate(()), Gate(("no report",))
ACME = Target("emea", "pod_north", "acme.example")
FLAGS = st.builds(
    Flag,
    percentage=st.sampled_from(STAGES),
    pods=st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3).map(tuple),
    connections=st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2).map(tuple),
)
TARGETS = st.builds(Target, st.sampled_from(["x", "y"]), st.sampled_from(["a", "b", "c", None]), st.text(max_size=9))


def on(flag: Flag | None, target: Target, **given: Any) -> bool:
    return rollout.evaluate(flag, target, **{"kill": None, "gate": GREEN, **given}).on


def test_kill_switch_then_gate_then_rules_then_share() -> None:
    everyone = Flag(percentage=100)
    kill = Kill("ada", "wrong tiers")
    assert rollout.evaluate(everyone, ACME, kill=kill, gate=RED) == Answer(False, "killed", "by ada: wrong tiers")
    assert rollout.evaluate(everyone, ACME, kill=None, gate=RED) == Answer(False, "gate", "no report")
    narrow = Flag(percentage=100, pods=("pod_south",))
    assert rollout.evaluate(narrow, ACME, kill=None, gate=GREEN).why == "rule"
    assert rollout.evaluate(Flag(percentage=100, connections=("na",)), ACME, kill=None, gate=GREEN).why == "rule"
    assert rollout.evaluate(everyone, ACME, kill=None, gate=GREEN) == Answer(True, "share", "100 % of companies")
    assert rollout.evaluate(None, ACME, kill=None, gate=GREEN) == Answer(False, "off")
    assert rollout.evaluate(Flag(), ACME, kill=None, gate=GREEN) == Answer(False, "off")


@given(FLAGS, TARGETS, st.booleans(), st.booleans())
def test_nothing_is_on_while_it_is_killed_or_red(flag: Flag, target: Target, killed: bool, red: bool) -> None:
    kill, gate = Kill("a", "b") if killed else None, RED if red else GREEN
    if killed or red:
        assert not on(flag, target, kill=kill, gate=gate)


def test_a_share_is_a_share_and_larger_ones_contain_it() -> None:
    companies = [f"company-{number}.example" for number in range(10_000)]
    before: set[str] = set()
    for stage in STAGES:
        now = {name for name in companies if on(Flag(percentage=stage), ACME._replace(company=name))}
        assert before <= now
        assert abs(len(now) - stage * 100) <= 4 * (stage * (100 - stage)) ** 0.5
        before = now


@given(FLAGS, FLAGS, TARGETS)
def test_what_lowers_switches_nobody_on(before: Flag, after: Flag, target: Target) -> None:
    if rollout.lowers(before, after) and on(after, target):
        assert on(before, target)


@given(FLAGS, FLAGS)
def test_a_raise_is_refused_while_the_gate_is_red(before: Flag, after: Flag) -> None:
    ran = Stage(NOW - timedelta(days=9), 24, 20)
    told = rollout.refuses(before, after, ran=ran, automated=999, gate=RED, now=NOW)
    assert bool(told) is not rollout.lowers(before, after)


@given(FLAGS, FLAGS, TARGETS)
def test_what_a_green_gate_permits_reaches_nobody_new_beyond_the_next_stage(
    before: Flag, after: Flag, target: Target
) -> None:
    ran = Stage(NOW - timedelta(days=9), 24, 20)
    if rollout.refuses(before, after, ran=ran, automated=999, gate=GREEN, now=NOW):
        return
    if on(after, target) and not on(before, target):
        inside = on(before.model_copy(update={"percentage": 100}), target)
        at = STAGES.index(before.percentage) if inside else 0
        assert after.percentage <= STAGES[at + 1]


@pytest.mark.parametrize(
    ("change", "lower"),
    [
        ({}, True),
        ({"soak_hours": 23.9}, False),
        ({"smallest": 19}, False),
        ({"soak_hours": 25, "smallest": 21}, True),
        ({"percentage": 0, "soak_hours": 0}, False),
        ({"percentage": 0, "smallest": 0}, False),
        ({"percentage": 0, "soak_hours": 48}, True),
        ({"pods": ()}, False),
    ],
    ids=str,
)
def test_a_shorter_soak_or_a_smaller_sample_is_no_lowering(change: dict[str, Any], lower: bool) -> None:
    before = Flag(percentage=50, pods=("a",), soak_hours=24, smallest=20)
    assert rollout.lowers(before, before.model_copy(update=change)) is lower


def test_before_there_is_a_flag_the_usual_soak_stands() -> None:
    assert rollout.lowers(None, Flag())
    assert not rollout.lowers(None, Flag(soak_hours=0))


def test_more_pods_begin_at_the_first_stage() -> None:
    full = Flag(percentage=100, pods=("a",))
    ran = Stage(NOW - timedelta(days=9), 24, 20)

    def told(**change: Any) -> list[str]:
        return rollout.refuses(full, full.model_copy(update=change), ran=ran, automated=99, gate=GREEN, now=NOW)

    for wider in ({"pods": ()}, {"pods": ("a", "b")}, {"salt": "other"}, {"pods": (), "percentage": 5}):
        assert "begin at 1 %" in told(**wider)[0]
    assert told(pods=(), percentage=1) == []
    assert told(pods=(), percentage=0) == []


def test_a_stage_lasts_as_long_as_nothing_was_added_to_it() -> None:
    def ran(*flags: Flag) -> Stage | None:
        return rollout.stage((flag, NOW + timedelta(hours=n)) for n, flag in reversed(list(enumerate(flags))))

    one, five = Flag(percentage=1), Flag(percentage=5)
    assert ran() is None
    assert ran(one, five) == Stage(NOW + timedelta(hours=1), 24, 20)
    assert ran(five, five.model_copy(update={"pods": ("a",)})) == Stage(NOW, 24, 20), "narrowed, it has run as long"
    wider = Flag(percentage=5, pods=("a", "b"))
    assert ran(Flag(percentage=5, pods=("a",)), wider) == Stage(NOW + timedelta(hours=1), 24, 20)
    hasty = Flag(percentage=5, soak_hours=0, smallest=0)
    assert ran(five, hasty) == Stage(NOW, 24, 20), "what is shortened is so for the next stage"
    assert ran(hasty, Flag(percentage=25, soak_hours=0, smallest=0)) == Stage(NOW + timedelta(hours=1), 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "hours", "automated", "told"),
    [
        (None, 1, 0, 0, ""),
        (0, 1, 0, 0, ""),
        (0, 5, 0, 0, "the next stage is 1 %"),
        (1, 5, 24, 20, ""),
        (1, 5, 23, 20, "has to run for 24 hours"),
        (1, 5, 24, 19, "automated 19 leads, 20 are needed"),
        (25, 100, 99, 99, "the next stage is 50 %"),
        (50, 0, 0, 0, ""),
        (50, 5, 0, 0, ""),
        (5, 7, 99, 99, "not a stage"),
    ],
)
def test_stages_are_climbed_one_at_a_time(
    before: int | None, after: int, hours: float, automated: int, told: str
) -> None:
    found = rollout.refuses(
        None if before is None else Flag(percentage=before),
        Flag(percentage=after),
        ran=Stage(NOW - timedelta(hours=hours), 24, 20),
        automated=automated,
        gate=GREEN,
        now=NOW,
    )
    assert told in "; ".join(found)
    assert bool(found) is bool(told)
