"""The flag, the kill switch and alerts: only ever added, raised by people, and read together."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from tierwise_fixtures import policies

from tierwise import errors
from tierwise.domain import gate
from tierwise.domain.lead import canonical_json
from tierwise.domain.rollout import Flag, Kill
from tierwise.domain.validation import Registration
from tierwise.ports.automation import Running, StoredReport

CHAIN = "c" * 64


running = Running(CHAIN, offline=False)
POLICY = policies.policy()


def gated(desk: Any) -> Running:
    """What runs, with a report that passed."""
    chain = gate.chain(CHAIN, None)
    desk.store.policies.publish(POLICY, by="tierwise", note="", now=desk.now)
    desk.store.policies.activate(POLICY.digest(), by="tierwise", note="", now=desk.now)
    registration = Registration(
        policy=POLICY.digest(), chain=chain, positive_tiers=("A",), precision=0.8, recall=0.6, cut_offs=(0.5,),
        looks=(100,), registered_at=desk.now, by="ada",
    )  # fmt: skip
    key = desk.store.gates.register(registration)
    body = {
        "registration": registration.model_dump(mode="json"), "cut_off": 0.5, "reasons": [],
        "newest_label_at": desk.now.isoformat(),
    }  # fmt: skip
    assert desk.store.gates.keep(StoredReport("f" * 64, key, 100, True, canonical_json(body), "ada", desk.now))
    assert desk.store.flags.standing(running, now=desk.now).gate.green
    return running


def test_nothing_stands_on_an_empty_database(desk: Any) -> None:
    stands = desk.store.flags.standing(running, now=desk.now)
    assert (stands.kill, stands.flag, stands.version) == (None, None, 0)
    assert not stands.gate.green


def test_the_newest_version_holds_and_all_are_kept(desk: Any) -> None:
    flags = desk.store.flags
    first = desk.flag(5)
    second = flags.put(Flag(percentage=1, pods=("emea",)), by="ada", machine=False, reason="less", now=desk.wait(60))
    stands = flags.standing(running, now=desk.now)
    assert (stands.flag, stands.version) == (Flag(percentage=1, pods=("emea",)), second.id)
    assert [version.id for version in flags.history()] == [second.id, first]
    assert flags.history(limit=1) == [second]


def test_a_machine_lowers_and_never_raises(desk: Any) -> None:
    flags = desk.store.flags
    desk.flag(5)
    flags.put(Flag(percentage=1), by="monitor", machine=True, reason="overrides", now=desk.now)
    with pytest.raises(errors.Refused, match="only lower"):
        flags.put(Flag(percentage=5), by="monitor", machine=True, reason="better again", now=desk.now)
    assert flags.standing(running, now=desk.now).flag == Flag(percentage=1)
    refused = [event for event in desk.store.admin_events.list() if event.refused]
    assert [event.action for event in refused] == ["flags.set"]


def test_once_people_are_listed_only_an_admin_raises(desk: Any) -> None:
    store = desk.store
    store.people.add("ada", roles=["admin"], by="local:root", now=desk.now)
    store.people.add("max", roles=["ops"], by="ada", now=desk.now)
    for who, why in (("max", "needs admin"), ("local:root", "not among the people"), ("ada", "the gate is red")):
        assert why in str(store.flags.change(Flag(percentage=1), by=who, reason="", running=running, now=desk.now))
    with pytest.raises(errors.Refused, match="not among"):
        store.flags.put(Flag(), by="local:root", machine=False, reason="", now=desk.now)
    desk.flag(5)
    store.flags.put(Flag(percentage=1), by="max", machine=False, reason="", now=desk.now)
    store.flags.kill(on=True, by="local:root", reason="anybody may stop it", now=desk.now)
    with pytest.raises(errors.Refused):
        store.flags.kill(on=False, by="max", reason="", now=desk.now)
    assert store.flags.standing(running, now=desk.now).kill == Kill("local:root", "anybody may stop it")
    store.flags.kill(on=False, by="ada", reason="", now=desk.now)
    assert store.flags.standing(running, now=desk.now).kill is None
    assert [change.on for change in store.flags.kills()] == [False, True]


def test_an_open_alert_turns_the_gate_red_until_it_is_closed(desk: Any) -> None:
    flags = desk.store.flags
    assert flags.alert("drift", "industry", "PSI 0.4", now=desk.now)
    assert not flags.alert("drift", "industry", "PSI 0.5", now=desk.now), "it is open already"
    assert "drift (industry): PSI 0.4" in " ".join(flags.standing(running, now=desk.now).gate.why)
    (alert,) = flags.alerts()
    assert flags.close_alert(alert.id, by="ada", now=desk.now)
    assert not flags.close_alert(alert.id, by="ada", now=desk.now)
    assert flags.alerts() == []
    assert "drift" not in " ".join(flags.standing(running, now=desk.now).gate.why)
    assert flags.alert("drift", "industry", "again", now=desk.now)
    assert len(flags.alerts(everything=True)) == 2


def test_no_way_around_gate_and_stages(desk: Any) -> None:
    flags = desk.store.flags
    with pytest.raises(errors.Refused, match="this raises it"):
        flags.put(Flag(percentage=1), by="ada", machine=False, reason="", now=desk.now)
    desk.flag(50, pods=("emea",))
    for sooner in ({"soak_hours": 1}, {"smallest": 1}, {"pods": ()}):
        flag = Flag(percentage=50, pods=("emea",)).model_copy(update=sooner)
        with pytest.raises(errors.Refused):
            flags.put(flag, by="ada", machine=False, reason="", now=desk.now)
        assert flags.change(flag, by="ada", reason="", running=running, now=desk.now)
    assert len(flags.history()) == 1
    assert [event.refused is not None for event in desk.store.admin_events.list()] == [True] * 7


def test_a_change_is_of_the_version_that_was_seen(desk: Any) -> None:
    """Two people look; one lowers it for a pod, the other one's copy of what they saw must not undo that."""
    flags = desk.store.flags
    seen = desk.flag(5)
    flags.put(Flag(percentage=1, pods=("emea",)), by="eva", machine=False, reason="trouble", now=desk.now)
    (why,) = flags.change(Flag(percentage=1), by="ada", reason="", running=running, now=desk.now, base=seen)
    assert "eva has changed it since you looked" in why
    (why,) = flags.change(Flag(percentage=1), by="ada", reason="", running=running, now=desk.now, base=0)
    assert "eva has changed it" in why
    assert flags.change(Flag(), by="ada", reason="", running=running, now=desk.now, base=flags.history()[0].id).id


def test_gate_and_stage_are_judged_in_the_transaction_that_raises(desk: Any) -> None:
    """The gate turns red between the look and the version: the version does not come."""
    green = gated(desk)
    flags = desk.store.flags
    desk.flag(1, smallest=0)
    later = desk.now + timedelta(hours=25)
    flags.alert("drift", "industry", "PSI 0.4", now=desk.now)
    (why,) = flags.change(Flag(percentage=5, smallest=0), by="ada", reason="", running=green, now=later)
    assert "the gate is red: an alert is open" in why
    (alert,) = flags.alerts()
    flags.close_alert(alert.id, by="ada", now=desk.now)
    (why,) = flags.change(Flag(percentage=5, smallest=0), by="ada", reason="", running=green, now=desk.now)
    assert "1 % has to run for 24 hours first" in why
    made = flags.change(Flag(percentage=5, smallest=0), by="ada", reason="more", running=green, now=later)
    assert (made.flag.percentage, made.by, made.machine) == (5, "ada", False)


def test_two_who_raise_at_once_raise_once(desk: Any) -> None:
    green = gated(desk)
    desk.flag(1, soak_hours=0, smallest=0)
    seen = desk.store.flags.history(limit=1)[0].id
    turns = threading.Barrier(2, timeout=30)
    made: list[Any] = []

    def work() -> None:
        turns.wait()
        flag = Flag(percentage=5, soak_hours=0, smallest=0)
        made.append(desk.store.flags.change(flag, by="ada", reason="", running=green, now=desk.now, base=seen))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(isinstance(one, list) for one in made) == [False, True]
    assert [version.flag.percentage for version in desk.store.flags.history()] == [5, 1]
