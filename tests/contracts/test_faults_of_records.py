"""Faults that lie with single records: how each is seen, and that the others are served all the same.

The faults of whole accounts are in test_every_fault.py, chance in test_nothing_is_lost.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tierwise_fixtures.stage import Stage


@pytest.fixture(params=["hubspot", "salesforce"])
def stage(request: pytest.FixtureRequest) -> Stage:
    found: Stage = request.getfixturevalue(f"{request.param}_stage")
    return found


def _lost_on_the_way(stage: Stage, name: str, lose: Callable[[str], Any]) -> None:
    """One record cannot be written any more once it was decided: it is told of, and holds nobody up."""
    stage.connect(name)
    gone, *others = stage.crm.add([f"lead{n}@{name}.example" for n in range(3)])
    stage.wait(1)
    stage.run(name, "poll", "pump")
    lose(gone)
    stage.run(name, "write_back")
    written = stage.counted("tierwise_writes_total", "result", connection=name)
    assert written == {"refused": 1, "sent": 2}
    (item,) = [one for one in stage.parts.store.reviews.list(kind="write_failed", limit=1000) if one.record_id == gone]
    assert item.reason
    assert stage.health(name)["write_back"].failures == 0
    assert stage.state(name).paused is None
    stage.wait(700)
    stage.settle(name)
    for record_id in others:
        (story,) = stage.parts.store.leads.story(name, record_id)
        assert stage.crm.fingerprint(record_id) == story.fingerprint
        assert story.delivered_at is not None


def test_a_record_that_is_deleted_before_it_is_written(stage: Stage) -> None:
    _lost_on_the_way(stage, f"{stage.crm.type}-deleted", stage.crm.delete)


def test_a_lead_that_is_converted_before_it_is_written(salesforce_stage: Stage) -> None:
    _lost_on_the_way(salesforce_stage, "converted", salesforce_stage.crm.convert)


def test_a_record_that_is_merged_before_it_is_written_is_served_under_its_new_id(hubspot_stage: Stage) -> None:
    stage, name = hubspot_stage, "merged"
    stage.connect(name)
    first, second = stage.crm.add(["one@merged.example", "two@merged.example"])
    stage.wait(1)
    stage.run(name, "poll", "pump")
    merged = stage.crm.merge(first, second)
    stage.run(name, "write_back")
    stage.wait(700)
    stage.settle(name)
    (story,) = stage.parts.store.leads.story(name, merged)
    assert stage.crm.fingerprint(merged) == story.fingerprint
    assert stage.health(name)["write_back"].failures == 0


def test_what_search_shows_late_is_counted_apart(hubspot_stage: Stage) -> None:
    stage, name = hubspot_stage, "lagging"
    stage.connect(name)
    stage.crm.portal.store.index_lag = 500.0
    (late,) = stage.crm.add(["late@lagging.example"])
    stage.wait(400)
    for _ in range(3):
        stage.run(name, "poll")
        stage.wait(400)
    counted = stage.counted("tierwise_late_records_total", "connection", connection=name)
    assert counted == {}
    stage.wait(4000)
    assert not stage.parts.store.leads.known(name, [late]), "the poll has passed it"
    for _ in range(3):
        stage.run(name, "poll", "reconcile")
    counted = stage.counted("tierwise_late_records_total", "connection", connection=name)
    assert counted == {name: 1}
    stage.crm.clear()
    stage.settle(name)
    assert stage.crm.fingerprint(late) is not None


def test_owners_stay_although_assignment_rules_are_on(salesforce_stage: Stage) -> None:
    stage, name = salesforce_stage, "assigned"
    stage.connect(name)
    stage.crm.org.switches.set({"assignment_rules": True})
    record_ids = stage.crm.add([f"lead{n}@assigned.example" for n in range(6)])
    before = [stage.crm.shown(record_id, "OwnerId") for record_id in record_ids]
    stage.wait(1)
    stage.settle(name)
    assert all(stage.crm.fingerprint(record_id) for record_id in record_ids)
    assert [stage.crm.shown(record_id, "OwnerId") for record_id in record_ids] == before


@pytest.mark.parametrize("what", ["edits", "merges", "deletes"])
def test_people_at_work_while_we_page_hide_nobody(hubspot_stage: Stage, what: str) -> None:
    """Pages of ten; after each, records of the coming ones are changed under us."""
    stage, name = hubspot_stage, f"paging-{what}"
    stage.connect(name)
    store = stage.crm.portal.store
    before = set(stage.crm.add([f"lead{n}@{name}.example" for n in range(25)]))
    stage.crm.portal.unrest.set({what: 2})
    happened = stage.crm.portal.unrest.happened
    stage.wait(1)
    stage.run(name, "poll")
    assert stage.crm.portal.unrest.happened > happened
    assert (stage.health(name)["poll"].failures, stage.state(name).paused) == (0, None)
    stage.crm.portal.unrest.set({what: 0})
    stage.wait(700)
    stage.settle(name)
    held = {record_id: store.get(record_id) for record_id in before}
    alive = {str(record.id) for record in held.values() if record is not None}
    assert (alive == before) == (what == "edits")
    for record_id in alive:
        (story,) = stage.parts.store.leads.story(name, record_id)
        assert stage.crm.fingerprint(record_id) == story.fingerprint == story.decisions[-1].decision.fingerprint
        assert story.delivered_at is not None
    states = [
        link.decision.fingerprint for key in alive for link in stage.parts.store.leads.story(name, key)[0].decisions
    ]
    assert len(states) == len(set(states)), "decided once at each state"
    assert [one.failures for one in stage.health(name).values()] == [0] * len(stage.health(name))
