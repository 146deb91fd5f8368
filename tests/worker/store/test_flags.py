"""The flag, the kill switch and alerts: only ever added, raised by people, and read together."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise import errors
from tierwise.domain.rollout import Flag, Kill
from tierwise.ports.automation import Running

CHAIN = "c" * 64


running = Running(CHAIN, offline=False)


def test_nothing_stands_on_an_empty_database(desk: Any) -> None:
    stands = desk.store.flags.standing(running, now=desk.now)
    assert (stands.kill, stands.flag, stands.version) == (None, None, 0)
    assert not stands.gate.green


def test_the_newest_version_holds_and_all_are_kept(desk: Any) -> None:
    flags = desk.store.flags
    first = flags.put(Flag(percentage=1), by="ada", machine=False, reason="begin", now=desk.now)
    second = flags.put(Flag(percentage=5, pods=("emea",)), by="ada", machine=False, reason="more", now=desk.wait(60))
    stands = flags.standing(running, now=desk.now)
    assert (stands.flag, stands.version) == (Flag(percentage=5, pods=("emea",)), second.id)
    assert flags.history() == [second, first]


def test_a_machine_lowers_and_never_raises(desk: Any) -> None:
    flags = desk.store.flags
    flags.put(Flag(percentage=5), by="ada", machine=False, reason="begin", now=desk.now)
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
    for who in ("max", "local:root"):
        with pytest.raises(errors.Refused):
            store.flags.put(Flag(percentage=1), by=who, machine=False, reason="", now=desk.now)
    store.flags.put(Flag(percentage=5), by="ada", machine=False, reason="", now=desk.now)
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
