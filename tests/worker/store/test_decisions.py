"""What was decided is found again, and nobody changed it since."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import ports
from tierwise.domain import chain
from tierwise.store import commit, decisions, engine, schema

TABLE = schema.decision


@pytest.fixture
def database(store_url: str) -> Any:
    made = engine.Database(store_url)
    yield made
    made.close()


@pytest.fixture
def three(desk: Any) -> Any:
    """Three links."""
    for number in range(3):
        desk.decide(desk.arrival(str(number), company=f"Company {number}"))
    return desk


def change(database: Any, sequence: int, **values: Any) -> None:
    statement = sa.update(TABLE).where(TABLE.c.sequence == sequence).values(**values)
    database.write(lambda connection: connection.execute(statement))


def row_of(database: Any, sequence: int) -> dict[str, Any]:
    with database.read() as connection:
        return dict(connection.execute(sa.select(TABLE).where(TABLE.c.sequence == sequence)).mappings().one())


def test_a_decision_is_found_by_what_makes_it_the_same(desk: Any) -> None:
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    one, two = desk.claim()
    made = desk.finished(one, score=42)
    desk.store.decisions.commit([made], now=desk.now)
    keys = [(claim.connection, claim.record_id, claim.fingerprint, claim.policy) for claim in (one, two)]
    others = [("other", *keys[0][1:]), (*keys[0][:2], "x", keys[0][3]), (*keys[0][:3], "x")]
    assert desk.store.decisions.find([*keys, *others]) == {keys[0]: made.decision}
    assert desk.store.decisions.find([]) == {}


def test_it_is_known_when_the_newest_was_made(desk: Any) -> None:
    assert desk.store.decisions.latest() is None
    for number in range(2):
        desk.wait(10)
        desk.decide(desk.arrival(str(number)))
    (newest,) = desk.store.leads.story("crm", "1")[0].decisions
    assert desk.store.decisions.latest() == newest.decision.decided_at
    assert newest.decision.decided_at == desk.now


def test_an_untouched_chain_verifies(three: Any) -> None:
    report = three.store.decisions.verify("crm")
    story = three.store.leads.story("crm", "2")[0]
    assert report == ("crm", 3, story.decisions[0].hash, None)
    assert story.decisions[0].sequence == 3


def test_an_empty_chain_verifies(desk: Any) -> None:
    assert desk.store.decisions.verify("crm") == ("crm", 0, schema.GENESIS, None)
    assert desk.store.decisions.verify("nobody").broken_at is None


@pytest.mark.parametrize(
    "values",
    [
        {"body": sa.func.replace(TABLE.c.body, '"score":80', '"score":81')},  # a better score
        {"score": 81},  # only where SQL looks
        {"tier": "D"},
        {"record_id": "9"},
        {"decided_at": sa.literal("2020-01-01 00:00:00").cast(sa.DateTime)},
        {"personal": sa.func.replace(TABLE.c.personal, "Company", "Other")},  # other input
        {"salt": "0" * 32},
        {"hash": "0" * 64},
        {"previous": "0" * 64},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_changed_link_is_found(three: Any, database: Any, values: dict[str, Any]) -> None:
    if "decided_at" in values:
        values = {"decided_at": three.now.replace(year=2020)}
    change(database, 2, **values)
    report = three.store.decisions.verify("crm")
    assert (report.links, report.broken_at) == (1, 2)


def test_a_link_written_anew_with_a_fitting_hash_breaks_the_next(three: Any, database: Any) -> None:
    row = row_of(database, 2)
    body = row["body"].replace('"score":80', '"score":99')
    change(database, 2, body=body, score=99, hash=chain.hashed(row["previous"], body))
    assert three.store.decisions.verify("crm").broken_at == 3


@pytest.mark.parametrize("name", [name for name in commit.MIRRORED if name != "connection"])
def test_columns_say_what_the_body_says(three: Any, database: Any, name: str) -> None:
    assert decisions.fits(row_of(database, 2), previous=row_of(database, 1)["hash"])
    other = {**row_of(database, 2), name: 7 if name in ("score", "confidence") else "other"}
    assert not decisions.fits(other, previous=row_of(database, 1)["hash"])


@pytest.mark.parametrize(("sequence", "broken_at"), [(1, 1), (2, 2), (3, 3)])
def test_a_missing_link_is_found(three: Any, database: Any, sequence: int, broken_at: int) -> None:
    database.write(lambda connection: connection.execute(sa.delete(TABLE).where(TABLE.c.sequence == sequence)))
    assert three.store.decisions.verify("crm").broken_at == broken_at


def test_erasing_what_is_personal_leaves_the_chain_whole(three: Any, database: Any) -> None:
    change(database, 2, personal=None, salt=None)
    assert three.store.decisions.verify("crm").broken_at is None
    (link,) = three.store.leads.story("crm", "1")[0].decisions
    assert "Company 1" not in link.decision.model_dump_json()
    assert (link.decision.score, link.decision.fields) == (80, {})


def test_a_long_chain_is_walked_in_pages(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.decide(*(desk.arrival(str(number)) for number in range(7)))
    monkeypatch.setattr(decisions, "PAGE", 3)
    assert desk.store.decisions.verify("crm").links == 7


def test_the_newest_decision_on_an_input_under_whatever_policy(desk: Any) -> None:
    desk.decide(desk.arrival("a"), desk.arrival("b"), score=10)
    desk.wait(1)
    desk.poll(desk.arrival("a", company="Other"), policy="p2")
    desk.commit(desk.claim(), score=20)
    desk.poll(desk.arrival("a"), policy="p3")
    desk.commit(desk.claim(), score=30)
    wanted = {("crm", name, desk.lead(**more).fingerprint()) for name, more in
              (("a", {}), ("a", {"company": "Other"}), ("b", {}), ("c", {}))}  # fmt: skip
    found = desk.store.decisions.newest(wanted)
    assert sorted((key[1], made.score, made.policy[:2]) for key, made in found.items()) == [
        ("a", 20, "p2"), ("a", 30, "p3"), ("b", 10, found["crm", "b", desk.lead().fingerprint()].policy[:2]),
    ]  # fmt: skip


def test_of_the_last_decisions_the_newest_of_each_lead_in_shares(desk: Any) -> None:
    for number in range(3):
        desk.decide(*(desk.arrival(name, employee_count=number) for name in "abcd"), score=number)
        desk.wait(1)
    decisions = desk.store.decisions
    everything = list(decisions.recent(limit=100))
    assert sorted((item.record_id, item.body["score"], item.fields["employee_count"]) for item in everything) == [
        (name, 2, 2) for name in "abcd"
    ]  # fmt: skip
    assert len(list(decisions.recent(limit=2))) == 2
    shares = [list(decisions.recent(limit=100, part=part, parts=2, page=1)) for part in range(2)]
    assert sorted(item.id for share in shares for item in share) == [item.id for item in everything]


def test_what_came_up_lately_is_counted_once_a_decision(three: Any, database: Any) -> None:
    store = decisions.Decisions(database)
    whole = store.fired(since=datetime(2000, 1, 1, tzinfo=UTC), limit=100)
    assert whole.decisions == 3
    bodies = [json.loads(row_of(database, number)["body"]) for number in (1, 2, 3)]
    for name, count in whole.rules.items():
        assert count == sum(
            any(hit["rule"] == name and hit["truth"] == "match" for hit in body["hits"]) for body in bodies
        )
    assert whole.reasons == Counter(code for body in bodies for code in {given["code"] for given in body["reasons"]})
    assert store.fired(since=datetime(2000, 1, 1, tzinfo=UTC), limit=2).decisions == 2
    assert store.fired(since=datetime(2999, 1, 1, tzinfo=UTC), limit=2) == ports.Fired(0, {}, {})
