"""The adversarial reader over an org: late commits, merges, deletes, conversions, and 25,000 leads in one second."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tierwise_fixtures.org import OrgCrowd

STEPS = 15
STORM = 25_000
AHEAD = (0.0, 600.0, 0.0, -600.0)
"""Seconds that our own clock is before the CRM's, seed by seed."""


def _seeds() -> list[Any]:
    return [*range(20), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(20, 500))]


def _play(line: Any, seed: int) -> OrgCrowd:
    crowd = OrgCrowd(line, seed)
    line.ahead = AHEAD[seed % len(AHEAD)]
    chance = crowd.chance

    def meddle(path: str) -> None:
        # Somebody works in the CRM while we page through it, and between our reading and our writing.
        if "/data/" in path and chance.random() < 0.25:
            crowd.act()
        line.wait(chance.choice((0.0, 0.001, 0.2)))

    line.before_call = meddle
    ends = chance.sample(range(STEPS), 2)  # more in a minute of real time would be a storm
    for step in range(STEPS):
        for _ in range(chance.randrange(3)):
            crowd.act()
        line.org.switches.set({"lock_share": chance.choice((0.0, 0.0, 0.2))})
        line.wait(chance.choice((1, 20, 60, 400)))
        line.round()
        if step % 5 == 4:
            line.reconcile()
            line.outcomes()
            line.decide()
        if step in ends:
            line.org.expire_sessions()
    line.before_call = lambda path: None
    line.org.switches.set({"lock_share": 0.0})
    return crowd


def _rest(line: Any) -> None:
    """Until both passes are beyond everything that happened."""
    for _ in range(6):
        line.wait(1800)
        line.round()
        line.reconcile()
        line.outcomes()
        line.decide()
        line.write()


@pytest.mark.parametrize("seed", _seeds())
def test_every_change_is_decided_once_at_its_last_state(org_lines: Any, seed: int) -> None:
    with org_lines(page_size=10) as line:
        crowd = _play(line, seed)
        _rest(line)
        known = line.store.leads.known(line.name, crowd.alive)
        assert set(known) == set(crowd.alive), "a record was never seen"
        shown = {record.id: record for record in line.connector.read(crowd.alive, properties=())}
        for record_id, wanted in line.fingerprints(crowd.alive).items():
            story = line.story(record_id)
            assert story.fingerprint == wanted, "the last state was not seen"
            assert story.decisions[-1].decision.fingerprint == wanted, "the last state was not decided last"
            assert shown[record_id].own["tierwise_fingerprint"] == wanted, "the CRM shows another state's advice"
            assert story.delivered_at is not None, "the advice was not read back"
        again = {key: number for key, number in line.decisions.items() if number > 1}
        assert not again, "a state was decided twice"
        assert line.store.leads.counts(line.name)["undecided"] == 0
        for record_id in set(line.store.leads.known(line.name, list(crowd.converted))):
            (story,) = line.store.leads.story(line.name, record_id)
            assert "converted" in {label.value for label in story.labels}, "a conversion was not told"

        journal, decided = len(line.journal()), line.decisions.total()
        for _ in range(3):
            line.wait(600)
            line.round()
            line.reconcile()
        assert len(line.journal()) == journal, "there is nothing left to write"
        assert line.decisions.total() == decided
        owners = {line.held(record_id)["OwnerId"] for record_id in crowd.alive}
        assert len(owners) == 1, "a write of ours gave a lead to somebody else"


@pytest.mark.parametrize("storm", [400, pytest.param(STORM, marks=pytest.mark.deep)])
def test_a_mass_import_of_one_second_comes_through_whole(org_lines: Any, storm: int) -> None:
    """Everything of one stamp, people at work in it while we page, sessions that end, rows that are locked."""
    with org_lines(page_size=min(2000, storm // 10)) as line:
        keys = line.create(*(f"lead{number}@firm{number}.example" for number in range(storm)))
        owners = {key: line.held(key)["OwnerId"] for key in keys}
        chance = random.Random(storm)
        edited: set[str] = set()

        def meddle(path: str) -> None:
            if "/query" in path:
                edited.add(key := chance.choice(keys))
                line.edit(key, delay=chance.choice((0.0, 300.0)), Description=f"note {len(edited)}")
                line.wait(0.5)

        line.before_call = meddle
        line.org.switches.set({"lock_rows": 50, "trigger_lock_rows": 20, "transient_rows": 20})
        line.round()
        line.org.expire_sessions()
        for _ in range(6):
            line.wait(300)
            line.round()
        line.before_call = lambda path: None
        for _ in range(3):
            line.wait(700)
            line.round()
        assert edited
        known = line.store.leads.known(line.name, keys)
        assert len(known) == storm, "a record was never seen"
        wanted = line.fingerprints(keys)
        for record in line.connector.read(keys, properties=()):
            assert record.own["tierwise_fingerprint"] == wanted[record.id], "the CRM shows another state's advice"
        assert {key: line.held(key)["OwnerId"] for key in keys} == owners
        assert max(line.decisions.values()) == 1
        assert not line.store.outbox.due(now=line.now())
        journal = len(line.journal())
        line.wait(700)
        line.round()
        assert len(line.journal()) == journal, "and then it is still"
        assert ("POST jobs ingest" in line.calls) == (storm > 6000), "a backlog goes as a job"


class Killed(BaseException):
    """The process ends here: nothing of it runs on."""


def test_a_job_that_outlives_its_worker_is_put_right(org_lines: Any) -> None:
    """Salesforce goes on with it, and writes over what was decided since; the next poll shows our own older values."""
    with org_lines(bulk_above=1000) as line:
        keys = line.create(*(f"lead{number}@firm{number}.example" for number in range(1100)))
        line.wait(1)
        line.poll()
        line.decide()
        line.org.switches.set({"bulk_seconds": 600})

        def die(path: str) -> None:
            if any(job.state == "InProgress" for job in line.org.jobs.values()):
                raise Killed

        line.before_call = die
        with pytest.raises(Killed):
            line.write()
        line.before_call = lambda path: None
        last = keys[-1]
        line.wait(200)  # the lease has run out, and another worker takes over
        line.edit(last, Description="changed meanwhile")
        line.org.switches.set({"bulk_seconds": 600})
        line.poll()
        line.decide()
        wanted = line.fingerprints(keys)
        line.org.switches.set({"lock_rows": 0})
        sent = 0
        for _ in range(3):
            sent += line.write().sent
            line.wait(30)
        assert sent >= len(keys)
        for _ in range(4):
            line.wait(700)
            line.round()
        states = {job.state for job in line.org.jobs.values()}
        assert states <= {"JobComplete", "Aborted"}
        for record in line.connector.read(keys, properties=()):
            assert record.own["tierwise_fingerprint"] == wanted[record.id]
        journal = [entry["values"].get("Tierwise_Fingerprint__c") for entry in line.journal() if entry["id"] == last]
        assert len(set(journal)) > 1, "the job wrote what it was given, late"
        assert journal[-1] == wanted[last]


@pytest.mark.parametrize("switch", [{"bulk_failures": 1}, {"bulk_unprocessed_share": 0.3}])
def test_a_job_that_fails_or_leaves_rows_out_loses_nothing(org_lines: Any, switch: dict[str, Any]) -> None:
    """What it did counts, the rest goes out again, and every attempt tells why it did not arrive."""
    with org_lines(bulk_above=1000) as line:
        keys = line.create(*(f"lead{number}@firm{number}.example" for number in range(1100)))
        line.wait(1)
        line.poll()
        line.decide()
        line.org.switches.set(switch)
        first = line.write()
        assert "POST jobs ingest" in line.calls
        assert first.retried > 0
        line.org.switches.set(dict.fromkeys(switch, 0))
        for _ in range(4):
            line.wait(700)
            line.round()
        wanted = line.fingerprints(keys)
        late = 0
        for record in line.connector.read(keys, properties=()):
            assert record.own["tierwise_fingerprint"] == wanted[record.id]
        for key in keys[::50]:
            story = line.story(key)
            assert (len(story.decisions), story.delivered_at is not None) == (1, True)
            outcomes = [attempt.outcome for attempt in story.attempts]
            assert outcomes[-1] == "sent"
            late += len(outcomes) - 1
            assert all(attempt.error for attempt in story.attempts[:-1])
        assert late > 0
        assert not line.store.outbox.due(now=line.now())
