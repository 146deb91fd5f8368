"""The adversarial reader: whatever people do while we read, every change is decided once at its last state."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tierwise_fixtures.portal import COMPANY_MAP, Crowd

STEPS = 20
STORM = 25_000
AHEAD = (0.0, 600.0, 0.0, -600.0)
"""Seconds that our own clock is before the CRM's, seed by seed."""


def _seeds() -> list[Any]:
    return [*range(20), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(20, 500))]


def _play(line: Any, seed: int, *, companies: bool = False) -> Crowd:
    crowd = Crowd(line, seed, companies=companies)
    line.ahead = AHEAD[seed % len(AHEAD)]
    chance = crowd.chance

    def meddle(path: str) -> None:
        # Somebody works in the CRM while we page through it, and between our reading and our writing.
        if "/crm/objects/" in path and chance.random() < 0.25:
            crowd.act()
        line.wait(chance.choice((0.0, 0.001, 0.2)))

    line.before_call = meddle
    for step in range(STEPS):
        for _ in range(chance.randrange(3)):
            crowd.act()
        line.wait(chance.choice((1, 20, 60, 400)))
        line.round()
        if step % 5 == 4:
            line.reconcile()
            line.decide()
    line.before_call = lambda path: None
    line.portal.store.index_lag = 0.0
    if companies:  # a company that changes wakes nobody by itself
        for record_id in crowd.alive:
            line.edit(record_id, message=f"last note on {record_id}")
    return crowd


def _rest(line: Any) -> None:
    """Until both passes are beyond everything that happened."""
    for _ in range(8):
        line.wait(1800)
        line.round()
        line.reconcile()
        line.decide()
        line.write()


@pytest.mark.parametrize("seed", _seeds())
def test_every_change_is_decided_once_at_its_last_state(portal_lines: Any, seed: int) -> None:
    with portal_lines(page_size=10) as line:
        crowd = _play(line, seed)
        _rest(line)
        _check(line, crowd)


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(5, 100))])
def test_the_same_with_facts_of_companies(portal_lines: Any, seed: int) -> None:
    with portal_lines(page_size=10) as line:
        line.field_map = COMPANY_MAP
        crowd = _play(line, seed, companies=True)
        _rest(line)
        _check(line, crowd)
        told = [line.story(record_id).lead.employee_count for record_id in crowd.alive]
        assert any(told), "no company was read"


@pytest.mark.parametrize("storm", [400, pytest.param(STORM, marks=pytest.mark.deep)])
def test_a_mass_import_of_one_millisecond_comes_through_whole(portal_lines: Any, storm: int) -> None:
    """More of one stamp than a search shows, people at work in it while we page: read, decided once, advice written."""
    with portal_lines(page_size=min(200, storm // 10)) as line:
        keys = line.create(*(f"lead{number}@firm{number}.example" for number in range(storm)))
        chance = random.Random(storm)
        edited: set[str] = set()

        def meddle(path: str) -> None:
            if path.endswith("/search") and len(edited) < 200:
                edited.add(key := chance.choice(keys))
                line.edit(key, message=f"note {len(edited)}")
                line.wait(0.5)

        line.before_call = meddle
        for _ in range(4):
            line.wait(300)
            line.round()
        line.before_call = lambda path: None
        for _ in range(3):
            line.wait(1800)
            line.round()
            line.reconcile()
            line.decide()
            line.write()
        assert edited
        assert len(line.store.leads.known(line.name, keys)) == storm, "a record was never seen"
        wanted = line.fingerprints(keys)
        for key in keys:
            assert line.shown(key)["tierwise_fingerprint"] == wanted[key], "the CRM shows another state's advice"
        assert max(line.decisions.values()) == 1
        assert line.store.leads.counts(line.name)["undelivered"] == 0
        journal, decided = len(line.portal.store.journal()), line.decisions.total()
        line.wait(700)
        line.round()
        line.reconcile()
        assert (len(line.portal.store.journal()), line.decisions.total()) == (journal, decided), "and then it is still"


def _check(line: Any, crowd: Crowd) -> None:
    known = line.store.leads.known(line.name, crowd.alive)
    assert set(known) == set(crowd.alive), "a record was never seen"
    for record_id, wanted in line.fingerprints(crowd.alive).items():
        story = line.story(record_id)
        assert story.fingerprint == wanted, "the last state was not seen"
        assert story.decisions[-1].decision.fingerprint == wanted, "the last state was not decided last"
        assert line.shown(record_id)["tierwise_fingerprint"] == wanted, "the CRM shows another state's advice"
        assert story.delivered_at is not None, "the advice was not read back"
    # With a deleted record go its ties; where search shows it yet, its state of before the company is back.
    back = crowd.deleted if line.field_map is COMPANY_MAP else ()
    again = {key: number for key, number in line.decisions.items() if number > 1 and key[0] not in back}
    assert not again, "a state was decided twice"
    for old, new in crowd.merged.items():
        for story in line.store.leads.story(line.name, old):
            assert not [work for work in story.work if work["state"] in ("ready", "leased")], (old, new)
    assert line.store.leads.counts(line.name)["undecided"] == 0

    journal, decided = len(line.portal.store.journal()), line.decisions.total()
    for _ in range(3):
        line.wait(600)
        line.round()
        line.reconcile()
    assert len(line.portal.store.journal()) == journal, "there is nothing left to write"
    assert line.decisions.total() == decided


def test_without_the_second_pass_late_records_are_lost(portal_lines: Any) -> None:
    """What the simulation would miss if it could not fail: the pass behind the poll is what finds them."""
    with portal_lines(page_size=10) as line:
        line.portal.store.index_lag = 2400
        (late,) = line.create("late@firm.example")
        for _ in range(30):
            line.wait(120)
            line.round()
        assert not line.store.leads.known(line.name, [late])
        line.wait(3600)
        line.reconcile()
        assert line.store.leads.known(line.name, [late])
