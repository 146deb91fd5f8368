"""Nothing of a person is left in any table, others keep theirs, and the chain still verifies."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.lead import canonical_json, digest
from tierwise.domain.rubric import Assessment
from tierwise.ports import UNLIMITED, ReviewRequest
from tierwise.ports.batches import Ending, Plan, Wanted
from tierwise.sdk import Notice
from tierwise.store import engine, erasure, schema

ADA = {
    "email": "ada@acme.example", "phone": "+4930123456", "first_name": "Ada", "last_name": "Lovelace",
    "company": "Analytical Engines", "message": "we are many, call Lovelace",
}  # fmt: skip
WORDS = ("ada@acme.example", "4930123456", "lovelace", "analytical engines")


def everything(desk: Any) -> str:
    """All rows of all tables as one text."""
    found = []
    with desk.store._database.read() as reader:
        for table in schema.metadata.sorted_tables:
            for row in reader.execute(sa.select(table)):
                found.append(canonical_json([table.name, *(str(value) for value in row)]))
    return "\n".join(found).lower()


@pytest.fixture
def filled(desk: Any) -> Any:
    """Ada's record through everything that is stored on the way, and Bob's."""
    own = {"tierwise_feedback": "too_high", "tierwise_request_review": True}
    bob = desk.arrival("2", email="bob@firm.example", company="Firm", message="ask ada@acme.example")
    desk.decide(desk.arrival("1", **ADA), bob, review=ReviewRequest("low_confidence", 5, "unsure"))
    desk.send()
    desk.poll(desk.arrival("1", own=own, **{**ADA, "message": "Lovelace again"}))
    desk.store.notifications.put(
        ["ops"], Notice("k", "warning", "ada@acme.example failed", "of Ada@acme.example", desk.now, event="x"),
        quiet=None, now=desk.now,
    )  # fmt: skip
    for item in desk.store.reviews.list():
        if item.record_id == "1":
            desk.store.reviews.answer(item.id, by="eva", answer={"note": "Lovelace is fine"}, advice=None, now=desk.now)
    desk.store.flags.alert("drift", "x", "seen with ada@acme.example", now=desk.now)
    return desk


def test_nothing_is_left_and_the_chain_verifies(filled: Any) -> None:
    before = everything(filled)
    assert [word for word in WORDS if word not in before] == [], "the test is about what is there"
    persons = filled.store.persons
    assert persons.find(needles=["ada@acme.example"]) == [("crm", "1")], "Bob only mentions her"
    assert persons.find(needles=["+4930123456"]) == [("crm", "1")]
    done = persons.erase(
        [("crm", "1")], needles=["ada@acme.example"], by="local:me", reason="asked by ada@acme.example",
        now=filled.now,
    )  # fmt: skip
    assert done.records == 1
    assert done.tables["decision"] >= 2
    assert done.tables["assessment"] == 1, "the model's answer held a quote"
    after = everything(filled)
    assert [word for word in WORDS if word in after] == []
    assert filled.store.decisions.verify("crm").broken_at is None
    (story,) = filled.store.leads.story("crm", "2")
    assert (story.lead.email, story.lead.message) == ("bob@firm.example", f"ask {erasure.GONE}")
    assert filled.store.leads.story("crm", "1")[0].decisions[0].decision.tier == "A"
    (event,) = [event for event in filled.store.admin_events.list() if event.action == "person.erase"]
    assert (event.subject, event.reason, event.after["records"]) == ("person", f"asked by {erasure.GONE}", 1)
    assert filled.claim() == [], "nothing of it is decided any more"
    assert filled.outgoing() == [] or all(row.record_id != "1" for row in filled.outgoing())


def test_every_row_of_a_person_is_given_out(filled: Any) -> None:
    rows = filled.store.persons.export([("crm", "1")])
    assert {"lead", "work", "decision", "outbox", "write_attempt", "review_item", "label"} <= {
        name for name, found in rows.items() if found
    }
    text = json.dumps(rows, default=str).lower()
    assert "lovelace" in text
    assert "bob@" not in text


def test_only_an_admin_erases(filled: Any) -> None:
    filled.store.people.add("ann", roles=["admin"], by="local:root", now=filled.now)
    before = everything(filled)
    with pytest.raises(errors.Refused):
        filled.store.persons.erase([("crm", "1")], needles=[], by="local:me", reason="", now=filled.now)
    assert "lovelace" in everything(filled)
    assert "lovelace" in before


def test_what_stays_is_named_and_exists() -> None:
    """A column that is added later is emptied, unless somebody names it here."""
    tables = schema.metadata.tables
    for name, kept in erasure.PLAIN.items():
        assert kept <= set(tables[name].c.keys()), name
    assert set(tables) >= erasure.SEALED


def test_the_sweep_overwrites_nothing_that_others_write_meanwhile(filled: Any, store_url: str) -> None:
    """Another process has changed a row that holds the address, and commits while the sweep looks at it."""
    connection = schema.connection
    mine = sa.update(connection).where(connection.c.name == "crm")
    erased: list[Any] = []
    other = engine.Database(store_url)

    def erase() -> None:
        done = filled.store.persons.erase(
            [("crm", "1")], needles=["ada@acme.example"], by="local:me", reason="", now=filled.now
        )
        erased.append(done)

    worker = threading.Thread(target=erase)

    def write(transaction: sa.Connection) -> None:
        transaction.execute(mine.values(paused="again ada@acme.example", type="salesforce"))
        worker.start()
        if not other.is_sqlite:
            _until_somebody_waits(other)

    filled.store._database.write(lambda held: held.execute(mine.values(paused="first ada@acme.example")))
    other.write(write)
    worker.join(30)
    other.close()
    assert erased[0].tables["connection"] == 1
    with filled.store._database.read() as reader:
        assert reader.execute(sa.select(connection.c.paused, connection.c.type)).all() == [
            (f"again {erasure.GONE}", "salesforce")
        ]


def _until_somebody_waits(database: engine.Database) -> None:
    with database.read() as reader:
        for _ in range(3000):
            if reader.execute(sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")).first() is not None:
                return
            reader.execute(sa.text("SELECT pg_sleep(0.01)"))
    raise AssertionError("the sweep does not wait")


def test_what_a_batch_brought_before_any_decision_goes_as_well(desk: Any) -> None:
    batches, now = desk.store.batches, desk.now
    batches.backfill("crm", since=now - timedelta(days=9), until=now - timedelta(days=2), now=now)
    desk.poll(desk.arrival("1", modified_at=now - timedelta(days=5), **ADA))
    (waiter,) = batches.waiters(limit=9, now=now)
    for name in ("first", "second"):
        wanted = Wanted(waiter.work_id, digest(name), "crm", 1)
        plan = Plan("m", "primary", "", "p" * 64, (wanted,))
        made = batches.plan(plan, budgets=UNLIMITED, deadline=now + timedelta(hours=2), now=now)
        batch = batches.claim(made.batch, lease=60, now=now)
        answer = Assessment(model=name, verdicts=(), content_hash=digest(name), cost_usd=0.5)
        batches.end(batch, Ending("completed", (), (answer,)), now=now)
    keys = [digest("first"), digest("second")]
    assert set(desk.store.assessments.get(keys)) == set(keys)
    done = desk.store.persons.erase([("crm", "1")], needles=["ada@acme.example"], by="local:me", reason="", now=now)
    assert done.tables["assessment"] == 2
    assert desk.store.assessments.get(keys) == {}
    with desk.store._database.read() as reader:
        assert reader.execute(sa.select(schema.batch_wait.c.answered)).scalars().all() in ([None], [])
