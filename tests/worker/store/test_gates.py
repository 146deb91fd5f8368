"""What a validation report is made of: exactly the decisions that were registered for, up to the look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tierwise_fixtures import policies

from tierwise import errors, ports
from tierwise.domain.validation import Counted, Registration
from tierwise.ports.automation import StoredReport
from tierwise.store import engine, gates, schema

CHAIN = "c" * 64
POLICY = policies.policy()


def registered(desk: Any, **given: Any) -> str:
    values: dict[str, Any] = {
        "policy": POLICY.digest(), "chain": CHAIN, "positive_tiers": ("A",), "precision": 0.8, "recall": 0.6,
        "cut_offs": (0.5, 0.8), "looks": (2, 4), "registered_at": desk.now, "by": "ada",
    }  # fmt: skip
    key: str = desk.store.gates.register(Registration(**{**values, **given}))
    return key


def decide(desk: Any, record: str, *, rate: float | None = 0.5, draw: float = 0.1, **fields: Any) -> None:
    values = {"chain": CHAIN, "policy": POLICY.digest(), **fields}
    desk.poll(desk.arrival(record, email=f"a{record}@acme.example"), policy=POLICY.digest())
    audit = ports.AuditDraw(rate, draw, twice=False) if rate is not None else None
    finished = [desk.finished(claim, **values)._replace(audit=audit) for claim in desk.claim()]
    desk.store.decisions.commit(finished, now=desk.now)


def label(desk: Any, url: str, record: str, value: str, *, source: str = gates.REVIEW) -> None:
    database = engine.Database(url)
    with database.read() as reader:
        query = sa.select(schema.decision.c.id).where(schema.decision.c.record_id == record)
        decision = reader.execute(query).scalar_one()
    row = {
        "connection": "crm", "record_id": record, "source": source, "subject": "tier", "value": value,
        "decision_id": decision, "said_at": desk.now, "seen_at": desk.now, "key": f"{record}{value}{source}"[:64],
    }  # fmt: skip
    database.write(lambda connection: connection.execute(sa.insert(schema.label).values(row)))
    database.close()


@pytest.fixture
def published(desk: Any) -> Any:
    desk.store.policies.publish(POLICY, by="ada", note="", now=desk.now)
    return desk


def test_only_later_decisions_of_that_policy_and_chain_count(published: Any) -> None:
    desk = published
    decide(desk, "before")
    key = registered(desk)
    decide(desk, "1")
    decide(desk, "2", chain="d" * 64)
    decide(desk, "3", rate=None)
    decide(desk, "4", tier="B")
    assert desk.store.gates.counted(key) == 1
    found = desk.store.gates.registration(POLICY.digest(), CHAIN)
    assert found is not None
    assert found[0] == key
    assert desk.store.gates.registration("q" * 64, CHAIN) is None
    with pytest.raises(errors.Misconfigured, match="no such registration"):
        desk.store.gates.counted("0" * 64)


def test_a_look_ends_with_its_last_item(published: Any, store_url: str) -> None:
    desk = published
    key = registered(desk)
    decide(desk, "1", confidence=0.9)
    decide(desk, "2", tier="B", confidence=0.6, rate=0.05, draw=0.01)
    decide(desk, "3", tier=None, score=None, confidence=None, chain=None, status="rejected", rate=None)
    decide(desk, "4", confidence=0.55, status="in_review")
    decide(desk, "5", confidence=0.9)
    label(desk, store_url, "1", "A")
    label(desk, store_url, "2", "A")
    label(desk, store_url, "2", "B")
    label(desk, store_url, "4", "too_low", source="rep_feedback")
    assert desk.store.gates.sample(key, look=4) == ([], [])
    sample, population = desk.store.gates.sample(key, look=2)
    assert [(item.drawn.tier, item.drawn.truth, item.drawn.alone) for item in sample] == [
        ("A", True, True), ("B", False, True), ("A", None, False),
    ]  # fmt: skip
    assert [item.labelled_at for item in sample] == [desk.now, desk.now, None]
    assert sorted(population, key=str) == sorted(
        [Counted("A", True, 2, 1), Counted("B", True, 1, 1), Counted(None, False, 0, 1), Counted("A", False, 1, 1)],
        key=str,
    )


def test_a_report_of_a_look_stands(published: Any) -> None:
    desk = published
    key = registered(desk)
    first = StoredReport("1" * 64, key, 2, False, "{}", "ada", desk.now)
    assert desk.store.gates.keep(first)
    assert not desk.store.gates.keep(first._replace(digest="2" * 64, passed=True, at=desk.now + timedelta(days=1)))
    assert desk.store.gates.reports() == [first]


def test_labels_carry_the_chance_they_had(published: Any, store_url: str) -> None:
    desk = published
    decide(desk, "1", rate=0.25)
    decide(desk, "2", status="in_review", rate=None)
    decide(desk, "3", rate=None)
    for record in "123":
        label(desk, store_url, record, "A")
    found = desk.store.gates.labelled(POLICY.digest(), CHAIN)
    assert [(item.seen.probability, item.seen.predicted) for item in found] == [(0.25, True), (1.0, False)]
    told = {"tier": "A", "connection": "crm", "region": None, "model": None}
    assert found[0].groups == {**told, "pod": "emea", "policy": f"{POLICY.version} ({POLICY.digest()[:12]})"}
    assert desk.store.gates.labelled() == found, "of any policy and models"
    assert desk.store.gates.labelled("f" * 64, CHAIN) == desk.store.gates.labelled(chain="f" * 64) == []


def test_another_registration_after_a_look_would_be_another_look(published: Any) -> None:
    """Whichever registration of that policy the look was taken under, and however many reports there are since."""
    desk = published
    first = registered(desk)
    registered(desk, cut_offs=(0.6,))
    assert desk.store.gates.keep(StoredReport("1" * 64, first, 2, False, "{}", "ada", desk.now))
    other = registered(desk, policy="q" * 64)
    for number in range(30):
        report = StoredReport(f"{number:064x}", other, number, False, "{}", "ada", desk.now)
        assert desk.store.gates.keep(report)
    with pytest.raises(errors.Misconfigured, match="would look again"):
        registered(desk, cut_offs=(0.7,))
    registered(desk, chain="d" * 64)
    assert [report.registration for report in desk.store.gates.reports(registration=first)] == [first]
    assert len(desk.store.gates.reports(limit=None)) == 31


def test_the_sample_tells_who_can_no_longer_answer(published: Any) -> None:
    desk = published
    key = registered(desk)
    decide(desk, "1")
    decide(desk, "2")
    desk.store.persons.erase([("crm", "1")], needles=[], by="local:me", reason="", now=desk.now)
    sample, population = desk.store.gates.sample(key, look=2)
    assert [(item.drawn.gone, item.drawn.truth) for item in sample] == [(True, None), (False, None)]
    assert population == [Counted("A", True, 2, 2)]
