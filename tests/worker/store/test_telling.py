"""What happens and what is told of it are one transaction: neither is there without the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.rollout import Flag
from tierwise.ports import ReviewRequest
from tierwise.sdk import Notice
from tierwise.store import schema

ALL: dict[str, list[str]] = {"all": [], "pauses": ["connection_paused"]}


@pytest.fixture
def listened(desk: Any) -> Any:
    desk.store.notifications.listen(ALL)
    return desk


def told(desk: Any) -> list[tuple[str, str, str, str]]:
    """Notifier, event, severity and title of what waits, the oldest first."""
    rows = desk.store.notifications.list()
    return [(row.notifier, row.notice.event, row.notice.severity, row.notice.title) for row in reversed(rows)]


def test_a_pause_and_its_end(listened: Any) -> None:
    connections = listened.store.connections
    connections.pause("crm", "the token was revoked", now=listened.now)
    title = "The connection crm is paused"
    assert told(listened) == [
        ("all", "connection_paused", "critical", title), ("pauses", "connection_paused", "critical", title),
    ]  # fmt: skip
    assert "tierwise connections enable crm" in listened.store.notifications.list()[0].notice.text
    connections.pause("crm", "the token was revoked", now=listened.wait(9999))
    assert len(told(listened)) == 2, "it rests already"
    connections.resume("crm", now=listened.now)
    assert {severity for _, _, severity, _ in told(listened)} == {"resolved"}, "what was not told yet is replaced"
    connections.resume("crm", now=listened.wait(9999))
    assert len(told(listened)) == 2, "it works already"


def test_leads_that_could_not_be_decided(listened: Any) -> None:
    listened.poll(listened.arrival("1"), listened.arrival("2", email="b@c.example"))
    for claim in listened.claim():
        assert listened.store.works.quarantine(claim, error="no answer", now=listened.now)
    assert told(listened) == [("all", "work_quarantined", "warning", "2 leads could not be decided")]
    assert not listened.store.works.quarantine(claim, error="late", now=listened.wait(9999))
    assert len(told(listened)) == 1, "a zombie tells nothing"


def test_records_that_the_crm_refuses(listened: Any) -> None:
    listened.decide(listened.arrival("1"))
    listened.send(outcome="refused", error="no such option")
    assert told(listened) == [("all", "write_refused", "warning", "crm refuses 1 record")]


def test_a_flag_that_is_lowered(listened: Any) -> None:
    listened.flag(5)
    notice = Notice("k", "critical", "Automation was ended", "x", listened.now, event="automation_ended")
    listened.store.flags.put(Flag(), by="t", machine=True, reason="r", now=listened.now, notice=notice)
    assert told(listened) == [("all", "automation_ended", "critical", "Automation was ended")]


def test_where_nobody_listens_nothing_is_kept(desk: Any) -> None:
    desk.decide(desk.arrival("1"), review=ReviewRequest("low_confidence", 5, "unsure"))
    desk.send(outcome="refused", error="no")
    desk.store.connections.pause("crm", "x", now=desk.now)
    assert told(desk) == []


@pytest.mark.parametrize("what", ["pause", "quarantine", "refuse", "lower"])
def test_what_cannot_be_told_does_not_happen(listened: Any, what: str) -> None:
    """A crash between the two, or a database that goes away there, leaves both to be done again."""
    listened.flag(5)
    listened.poll(listened.arrival("1"))
    (claim,) = listened.claim()
    if what == "refuse":
        listened.commit([claim])
    database = listened.store._database
    database.write(lambda transaction: transaction.execute(sa.text("ALTER TABLE notification RENAME TO elsewhere")))
    notice = Notice("k", "critical", "t", "x", listened.now, event="automation_ended")
    outgoing = listened.outgoing() if what == "refuse" else []
    before = everything(listened)
    settled = [listened.sent(row, {})._replace(outcome="refused", error="no") for row in outgoing]
    store, now = listened.store, listened.now
    happen: dict[str, Callable[[], object]] = {
        "pause": lambda: store.connections.pause("crm", "x", now=now),
        "quarantine": lambda: store.works.quarantine(claim, error="x", now=now),
        "lower": lambda: store.flags.put(Flag(), by="t", machine=True, reason="r", now=now, notice=notice),
        "refuse": lambda: store.outbox.settle(settled, batch="b", now=now),
    }
    with pytest.raises(errors.Misconfigured, match="schema"):
        happen[what]()
    assert everything(listened) == before
    database.write(lambda transaction: transaction.execute(sa.text("ALTER TABLE elsewhere RENAME TO notification")))


def everything(desk: Any) -> list[Any]:
    tables = (schema.connection, schema.work, schema.outbox, schema.flag_version, schema.review_item)
    with desk.store._database.read() as reader:
        return [
            [tuple(row) for row in reader.execute(sa.select(table).order_by(*table.primary_key))] for table in tables
        ]
