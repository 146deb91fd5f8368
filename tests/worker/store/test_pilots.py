"""Leads of a period with all that happened to them: on both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tierwise import ports
from tierwise.sdk import Outcome

DAY = timedelta(days=1)


def read(desk: Any, **more: Any) -> list[Any]:
    given = {"since": desk.now - DAY, "until": desk.now + DAY, **more}
    return list(desk.store.pilots.leads(**given))


def test_a_lead_with_decisions_labels_and_its_first_write(desk: Any) -> None:
    submitted = desk.now - timedelta(minutes=3)
    review = ports.ReviewRequest("low_confidence", 1000, "Not certain")
    desk.decide(desk.arrival("1", submitted_at=submitted), review=review, route="emea", cost_usd=0.25)
    desk.wait(7)
    assert desk.send() == 1
    shown = desk.now
    desk.wait(60)
    desk.decide(desk.arrival("1", submitted_at=submitted, employee_count=9), tier="B", route="us", cost_usd=None)
    desk.wait(7)
    desk.send()
    claim = desk.store.cursors.claim("crm", owner="o", lease=60, now=desk.now, kind="outcomes")
    won = Outcome("1", "deal:7", "won", desk.now, "Won", amount=900.0, currency="EUR", won=True)
    desk.store.labels.keep_outcomes(claim, [won], position=None, watermark=desk.now, now=desk.now)
    (lead,) = read(desk)
    assert (lead.connection, lead.record_id, lead.submitted_at, lead.shown_at) == ("crm", "1", submitted, shown)
    assert [(made.tier, made.route, made.codes, made.cost_usd, made.drawn) for made in lead.decisions] == [
        ("A", "emea", ("BIG",), 0.25, False),
        ("B", "us", ("BIG",), None, False),
    ]
    (label,) = lead.labels
    assert (label.subject, label.won, label.amount, label.currency) == ("deal:7", True, 900.0, "EUR")
    assert not lead.tier_kept
    assert not lead.adopted
    items = desk.store.pilots.items(since=desk.now - DAY, until=desk.now)
    assert [(item.kind, item.state, item.route, item.decided) for item in items] == [
        ("low_confidence", "superseded", "emea", True)
    ]


def test_the_period_is_of_submissions_and_of_first_sights_where_there_is_none(desk: Any) -> None:
    desk.poll(
        desk.arrival("1", submitted_at=desk.now - 40 * DAY), desk.arrival("2"), desk.misfit("3"),
        desk.arrival("4", submitted_at=desk.now),
    )  # fmt: skip
    assert [lead.record_id for lead in read(desk)] == ["2", "3", "4"]
    assert [lead.record_id for lead in read(desk, since=desk.now - 41 * DAY, until=desk.now)] == ["1"], "until is open"
    assert [lead.record_id for lead in read(desk, connection="other")] == []
    (first, *_) = read(desk)
    assert (first.submitted_at, first.shown_at, first.decisions) == (None, None, ())
    (item,) = desk.store.pilots.items(since=desk.now - DAY, until=desk.now + DAY)
    assert (item.kind, item.route, item.decided) == ("schema", None, False)
    assert desk.store.pilots.items(since=desk.now - DAY, until=desk.now + DAY, connection="other") == []


def test_a_persons_tier_in_our_field_is_told(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.send()
    desk.apply("1", {"tierwise_tier": "C"})
    desk.wait(60)
    desk.poll(desk.arrival("1"))
    assert [lead.tier_kept for lead in read(desk)] == [True]


def test_from_when_outcomes_are_known(desk: Any) -> None:
    start = desk.now
    (before,) = desk.store.pilots.watched()
    assert (before.connection, before.outcomes_from, before.outcomes_until) == ("crm", start, start)
    assert before.subjects == frozenset()
    desk.decide(desk.arrival("1"))
    desk.wait(60)
    claim = desk.store.cursors.claim("crm", owner="o", lease=60, now=desk.now, kind="outcomes")
    said = [Outcome("1", "stage", "lead", desk.now), Outcome("1", "deal:1", "x", desk.now)]
    desk.store.labels.keep_outcomes(claim, said, position=None, watermark=desk.now, now=desk.now)
    desk.store.cursors.release(claim, next_poll_at=desk.now, error="", now=desk.now)
    (after,) = desk.store.pilots.watched("crm")
    assert (after.outcomes_from, after.outcomes_until, after.subjects) == (start, desk.now, {"stage", "deal"})
    # Who reads further back knows more from then on.
    desk.store.cursors.rewind("crm", watermark=start - 30 * DAY, now=desk.now, kind="outcomes")
    (more,) = desk.store.pilots.watched()
    assert (more.outcomes_from, more.outcomes_until) == (start - 30 * DAY, start - 30 * DAY)
    desk.store.cursors.rewind("crm", watermark=desk.now, now=desk.now, kind="outcomes")
    assert desk.store.pilots.watched() == [more], "never forward"
    desk.enable("second")
    assert [one.connection for one in desk.store.pilots.watched()] == ["crm", "second"]


def test_a_merged_record_is_one_lead_with_the_history_of_both(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.wait(5)
    desk.send()
    desk.wait(5)
    desk.poll(desk.arrival("2")._replace(former_ids=("1",)))
    found = read(desk)
    assert [lead.record_id for lead in found] == ["2"]
    assert [made.tier for made in found[0].decisions] == ["A"]
    assert found[0].shown_at == desk.now - timedelta(seconds=5)
