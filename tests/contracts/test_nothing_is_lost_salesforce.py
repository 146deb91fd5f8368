"""The adversarial reader over an org: late commits, merges, deletes, conversions, and 25,000 leads in one second."""

from __future__ import annotations

from typing import Any

import pytest
from tierwise_fixtures.org import OrgCrowd

STEPS = 15
STORM = 25_000


def _seeds() -> list[Any]:
    return [*range(20), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(20, 500))]


def _play(line: Any, seed: int) -> OrgCrowd:
    crowd = OrgCrowd(line, seed)
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
