"""The queue: urgent first, nobody twice, and only the owner of the lease may finish."""

from __future__ import annotations

import threading
from concurrent import futures
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema, works


def ids(claims: Any) -> list[str]:
    return [claim.record_id for claim in claims]


def test_the_urgent_and_old_come_first(desk: Any) -> None:
    old = desk.now - timedelta(days=400)
    desk.poll(desk.arrival("backfill", modified_at=old))
    desk.wait(10)
    desk.poll(desk.arrival("second"))
    desk.wait(10)
    desk.poll(desk.arrival("third"), desk.arrival("fourth"))
    assert ids(desk.claim(limit=2)) == ["second", "fourth"]
    assert ids(desk.claim(limit=5)) == ["third", "backfill"]
    assert desk.claim() == []


def test_a_claim_may_be_of_one_connection(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1"))
    desk.poll(desk.arrival("2"), connection="other")
    assert ids(desk.claim(connection="other")) == ["2"]
    assert desk.claim(connection="other") == []
    assert ids(desk.claim()) == ["1"]


def test_the_attempt_is_counted_when_it_begins(desk: Any) -> None:
    """A worker that is killed each time cannot forget that it tried."""
    desk.poll(desk.arrival("1"))
    for attempt in (1, 2, 3):
        (claim,) = desk.claim(lease=60)
        assert claim.attempt == attempt
        desk.wait(61)


def test_leads_are_neglected_that_are_due_while_nobody_decides_any(desk: Any) -> None:
    def neglected(seconds: float) -> bool:
        return bool(desk.store.works.neglected(since=desk.now - timedelta(seconds=seconds), now=desk.now))

    desk.poll(desk.arrival("1"), desk.arrival("2"))
    desk.wait(10)
    assert neglected(10)
    assert not neglected(11), "they are not due for so long"
    (claim,) = desk.claim(limit=1, lease=60)
    assert not neglected(0), "somebody is at work: the other one waits for a slot"
    desk.wait(61)
    assert neglected(0), "its lease ran out"
    desk.store.works.retry(claim, run_after=desk.now + timedelta(seconds=60), error="later", now=desk.now)
    (other,) = desk.claim(lease=60)
    desk.store.works.hold(other, run_after=desk.now + timedelta(seconds=30), error="no money", now=desk.now)
    assert not neglected(0), "what is to wait is not neglected"
    desk.wait(60)
    assert neglected(10)
    desk.store.connections.disable("crm", now=desk.now)
    assert not neglected(10), "a connection that is off waits for nobody"


def test_an_expired_lease_is_somebody_elses(desk: Any) -> None:
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    slow = desk.claim(owner="slow", lease=60)
    desk.wait(59)
    assert desk.claim(owner="quick") == []
    desk.wait(2)
    quick = desk.claim(owner="quick")
    assert ids(quick) == ids(slow)
    assert quick[0].token > slow[0].token
    assert desk.store.works.renew(slow, lease=60, now=desk.now) == frozenset()
    assert not desk.store.works.retry(slow[0], run_after=desk.now, error="late", now=desk.now)
    assert not desk.store.works.quarantine(slow[1], error="late", now=desk.now)
    desk.store.works.release(slow, now=desk.now)
    assert desk.commit(slow).lost == {claim.work_id for claim in slow}
    assert desk.claim(owner="third") == []
    assert desk.commit(quick).done == {claim.work_id for claim in quick}


def test_renewing_keeps_the_lease(desk: Any) -> None:
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    claims = desk.claim(lease=60)
    for _ in range(4):
        desk.wait(50)
        assert desk.store.works.renew(claims, lease=60, now=desk.now) == {claim.work_id for claim in claims}
        assert desk.claim(owner="other") == []
    desk.commit(claims[:1])
    assert desk.store.works.renew(claims, lease=60, now=desk.now) == {claims[1].work_id}
    assert desk.store.works.renew([], lease=60, now=desk.now) == frozenset()


def test_a_retry_waits_its_time(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    (claim,) = desk.claim()
    later = desk.now + timedelta(seconds=90)
    assert desk.store.works.retry(claim, run_after=later, error="model busy", now=desk.now)
    assert not desk.store.works.retry(claim, run_after=later, error="twice", now=desk.now)
    assert (desk.claim(), desk.store.works.due(now=desk.now)) == ([], 0)
    desk.wait(90)
    assert desk.store.works.due(now=desk.now) == 1
    (again,) = desk.claim()
    assert again.attempt == 2
    assert desk.store.leads.story("crm", "1")[0].work[0]["error"] == "model busy"


def test_shutting_down_costs_no_attempt(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    desk.store.works.release(desk.claim(), now=desk.now)
    desk.store.works.release([], now=desk.now)
    (claim,) = desk.claim()
    assert claim.attempt == 1


def test_what_was_tried_too_often_is_put_before_a_person(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    (claim,) = desk.claim()
    assert desk.store.works.quarantine(claim, error="ValueError in prompt", now=desk.now)
    assert desk.claim() == []
    assert desk.store.works.counts()["quarantined"] == 1
    (item,) = desk.store.reviews.list()
    assert (item.kind, item.record_id) == ("schema", "1")
    assert "ValueError in prompt" in item.reason
    desk.send()
    assert desk.crm["1"]["tierwise_status"] == "in_review"
    assert "ValueError" not in desk.crm["1"]["tierwise_reasons"]
    desk.poll(desk.arrival("1", company="Other"))
    assert ids(desk.claim()) == ["1"]


def test_a_lead_that_moved_on_is_not_decided_as_it_was(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"))
    (first,) = desk.claim()
    desk.poll(desk.arrival("1", company="B"))
    desk.store.works.retry(first, run_after=desk.now, error="", now=desk.now)
    assert desk.store.works.due(now=desk.now) == 2
    assert [claim.lead.company for claim in desk.claim(limit=1)] == ["B"]
    assert desk.store.works.counts() == {"ready": 0, "leased": 1, "done": 0, "quarantined": 0, "superseded": 1}


def test_what_waits_is_told_by_state_and_connection(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1"), desk.arrival("2"), desk.arrival("3"))
    assert desk.store.works.waiting() == {"ready": 3, "leased": 0}
    (claim,) = desk.claim(limit=1)
    assert desk.store.works.waiting() == {"ready": 2, "leased": 1}
    assert desk.store.works.quarantine(claim, error="", now=desk.now)
    assert desk.store.works.waiting() == {"ready": 2, "leased": 0}
    assert not desk.store.works.undecided("other")
    name = claim.connection
    assert desk.store.works.undecided(name)
    left = desk.claim(limit=2)
    assert desk.store.works.undecided(name)
    for one in left:
        desk.store.works.quarantine(one, error="", now=desk.now)
    assert not desk.store.works.undecided(name)


def test_what_is_asked_every_few_seconds_never_reads_the_history(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    asked: list[tuple[str, Any]] = []
    database = desk.store._database

    def keep(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT") and "FROM work" in statement:
            asked.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", keep)
    desk.store.works.waiting()
    desk.store.works.undecided("nobody")
    assert desk.store.works.due(now=desk.now) == 1
    assert len(desk.claim()) == 1
    assert desk.store.works.claim(limit=5, owner="w", lease=60, now=desk.now, connection=desk.name) == []
    assert not desk.store.works.neglected(since=desk.now, now=desk.now)
    sa.event.remove(database.engine, "before_cursor_execute", keep)
    assert len(asked) == 2 + 2 + 2 + 3 + 2 + 1
    for statement, parameters in asked:
        plan = _plan(database, statement, parameters)
        assert "ix_work_ready" in plan or "ix_work_leased" in plan, plan


def test_after_a_full_claim_it_is_not_asked_first_whether_there_is_more(desk: Any) -> None:
    desk.poll(*(desk.arrival(str(number)) for number in range(3)))
    asked: list[str] = []
    database = desk.store._database

    def keep(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT work.id \n"):
            asked.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", keep)
    looks = []
    for expected in (2, 1, 0, 0):
        asked.clear()
        assert len(desk.claim(limit=2)) == expected
        looks.append(len(asked))
    sa.event.remove(database.engine, "before_cursor_execute", keep)
    assert looks == [1, 0, 2, 2]


def _plan(database: engine.Database, statement: str, parameters: Any) -> str:
    with database.engine.connect() as connection:
        if database.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:
            # A table of one row is read whole by any planner that is not told otherwise.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return " ".join(str(row) for row in rows)


def test_what_may_kill_its_worker_is_claimed_alone(desk: Any) -> None:
    """Three die together twice; then each is tried alone, so that only one of them is found guilty."""
    desk.poll(*(desk.arrival(str(number)) for number in range(3)))
    for _ in range(2):
        assert len(desk.claim(lease=60)) == 3
        desk.wait(61)
    desk.poll(desk.arrival("innocent"))
    alone = [desk.claim(lease=60) for _ in range(3)]
    assert [len(claims) for claims in alone] == [1, 1, 1]
    assert ids(desk.claim(lease=60)) == ["innocent"]
    assert {claims[0].attempt for claims in alone} == {3}


def test_an_ordinary_error_makes_nobody_suspect(desk: Any) -> None:
    desk.poll(*(desk.arrival(str(number)) for number in range(3)))
    for _ in range(4):
        for claim in desk.claim():
            desk.store.works.retry(claim, run_after=desk.now, error="busy", now=desk.now)
    assert len(desk.claim()) == 3


def test_a_lead_of_another_version_does_not_stop_the_queue(desk: Any, store_url: str) -> None:
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    lead = schema.lead
    older = sa.update(lead).where(lead.c.record_id == "1").values(canonical={"company": "A", "shoe_size": 46})
    database = engine.Database(store_url)
    database.write(lambda connection: connection.execute(older))
    database.close()
    assert ids(desk.claim()) == ["2"]
    assert desk.store.works.counts()["quarantined"] == 1
    (item,) = desk.store.reviews.list()
    assert (item.kind, item.record_id, item.reason) == ("schema", "1", works.UNREADABLE)
    assert desk.store.leads.story("crm", "1")[0].lead is None
    assert desk.poll(desk.arrival("1", company="Changed")).changed == 1
    assert ids(desk.claim()) == ["1"]
    assert desk.store.reviews.list() == []


def test_no_row_goes_to_two_claimers(desk: Any) -> None:
    desk.poll(*(desk.arrival(str(number)) for number in range(120)))
    start = threading.Barrier(4)

    def drain(owner: int) -> list[Any]:
        start.wait(20)
        mine: list[Any] = []
        while claims := desk.claim(limit=7, owner=str(owner)):
            mine += claims
        return mine

    with futures.ThreadPoolExecutor(4) as pool:
        claimed = [claim for mine in pool.map(drain, range(4)) for claim in mine]
    assert len(claimed) == len({claim.work_id for claim in claimed}) == 120


@pytest.mark.parametrize(("tokens", "expected"), [([], {}), ([(2, 9), (1, 5), (2, 3), (2, 9)], {1: [5], 2: [3, 9]})])
def test_claims_are_grouped_by_token(tokens: Any, expected: Any) -> None:
    class Held:
        def __init__(self, token: int, work_id: int) -> None:
            self.token, self.work_id = token, work_id

    assert works.by_token([Held(*pair) for pair in tokens]) == expected
