from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise import errors, sdk
from tierwise.sdk import testing
from tierwise_hubspot import values

NOW = 1_795_000_000_000  # ms: the portal's clock
NAMES = ("email", "company")


def _window(since: int = 0, until: int = NOW + 10_000) -> tuple[datetime, datetime]:
    return values.moment(since), values.moment(until)


def _ids(pages: Sequence[sdk.Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def test_a_thousand_changed_records_cost_five_searches(crm: Any) -> None:
    ids = crm.load(range(NOW - 1_000, NOW))
    pages = list(crm.connector().changes(*_window(), properties=NAMES))
    assert _ids(pages) == ids
    assert crm.count("/search") == len(crm.calls) == 5


def test_more_records_in_one_millisecond_than_a_page(crm: Any) -> None:
    """Ids of four and of five digits, so that an order of ids as text would show."""
    ids = crm.load([NOW - 5] * 3, first_id=9_000) + crm.load([NOW - 4] * 120) + crm.load([NOW - 3] * 3)
    assert {len(key) for key in ids} == {4, 5}
    pages = list(crm.connector(page_size=20).changes(*_window(), properties=NAMES))
    assert sorted(_ids(pages)) == sorted(ids)
    for page in pages[:-1]:
        position = json.loads(json.dumps(page.position))
        rest = list(crm.connector(page_size=20).changes(*_window(), properties=NAMES, position=position))
        before = pages[: pages.index(page) + 1]
        assert set(_ids(before)) | set(_ids(rest)) == set(ids)


def test_a_person_who_edits_during_the_read_hides_nobody(crm: Any) -> None:
    ids = crm.load(range(NOW - 100, NOW))
    connector = crm.connector(page_size=10)
    got: list[str] = []
    for page in connector.changes(*_window(until=NOW), properties=NAMES):
        got += [record.id for record in page.records]
        for record_id in (page.records[0].id, str(int(page.records[-1].id) + 3)):
            if crm.portal.store.get(record_id):
                from tierwise_sandbox.store import Write

                crm.portal.store.update([Write(int(record_id), {"company": f"c{len(got)}"})], by="person")
    edited = {entry["id"] for entry in crm.portal.store.journal()}
    assert set(got) >= set(ids) - edited
    # Edited ones are in the next window: the end of this one was fixed before the first request.
    following = _ids(list(connector.changes(values.moment(NOW), values.moment(NOW + 60_000), properties=NAMES)))
    assert set(got) | set(following) == set(ids)


@pytest.mark.parametrize("first_id", [10_000, 400_000_000_000])
def test_the_echo_of_batches_costs_a_search_more_at_most(crm: Any, first_id: int) -> None:
    """A hundred records written at once share a stamp: what a page has seen of it must not fill the next one again."""
    ids = crm.load([NOW - 1_000 + number // 100 for number in range(1_000)], first_id=first_id)
    names = ("email", "company", "company_size", "monthly_volume", "lead_touchpoint", "recent_conversion_date")
    pages = list(crm.connector().changes(*_window(), properties=names))
    assert sorted(_ids(pages)) == sorted(ids)
    assert crm.count("/search") <= 6


@pytest.mark.parametrize(("lag", "met"), [(0, False), (30, True)])
def test_what_the_index_shows_late_is_met_by_the_next_window(crm: Any, lag: float, met: bool) -> None:
    """airbyte#69203, estuary#1861: without an overlap the record is in neither window."""
    crm.portal.store.index_lag = 8.0
    (late,) = crm.portal.store.create([({"email": "late@example.org"}, None)], by="person")
    connector = crm.connector(index_lag_seconds=lag)
    end = NOW + 2_000
    assert _ids(list(connector.changes(*_window(NOW - 60_000, end), properties=NAMES))) == [], "not in the index yet"
    crm.clock.now += 10
    following = _ids(list(connector.changes(*_window(end, end + 8_000), properties=NAMES)))
    assert following == ([str(late.id)] if met else [])


def test_records_are_in_canonical_types(crm: Any) -> None:
    connector = crm.connector(provisioned=True)
    (key,) = crm.load([NOW])
    connector.write([testing.update(key, testing.EXAMPLE)])
    (page,) = connector.changes(*_window(until=NOW + 60_000), properties=("email", "company", "tierwise_score"))
    (record,) = page.records
    assert record.own == testing.EXAMPLE
    assert record.properties == {"email": "r0@example.org", "company": None}
    assert record.modified_at.tzinfo is UTC
    assert page.position is None


def test_so_many_properties_that_search_does_not_take_them_are_read_by_id(crm: Any) -> None:
    ids = crm.load(range(NOW - 250, NOW))
    names = ["email", *(f"a_rather_long_property_name_{number}" for number in range(120))]
    pages = list(crm.connector().changes(*_window(), properties=names))
    assert _ids(pages) == ids
    assert pages[0].records[0].properties["email"] == "r0@example.org"
    assert max(len(json.dumps(body)) for body in crm.bodies("/search")) <= 3_000
    assert (crm.count("/search"), crm.count("/batch/read")) == (2, 3)


def test_a_record_that_is_gone_before_it_is_read_by_id_is_left_out(crm: Any) -> None:
    ids = crm.load(range(NOW - 20, NOW))
    names = ["email", *(f"a_rather_long_property_name_{number}" for number in range(120))]

    def merged_meanwhile(method: str, path: str, body: Any) -> None:
        if path.endswith("/batch/read") and crm.portal.store.get(ids[4]).id == int(ids[4]):
            crm.portal.store.merge(ids[4], ids[9])

    crm.instead = merged_meanwhile
    (page,) = crm.connector().changes(*_window(), properties=names)
    assert [record.id for record in page.records] == [key for key in ids if key not in {ids[4], ids[9]}]


def test_nothing_is_left_out_where_search_refuses_to_leave_ids_out(crm: Any) -> None:
    ids = crm.load([NOW - 40 + number // 3 for number in range(90)])

    def refuse(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        operators = {one["operator"] for group in (body or {}).get("filterGroups", ()) for one in group["filters"]}
        return (400, {"message": "NOT_IN is not supported for hs_object_id"}) if "NOT_IN" in operators else None

    crm.instead = refuse
    pages = list(crm.connector(page_size=10).changes(*_window(), properties=NAMES))
    assert _ids(pages) == ids
    refused = sum("NOT_IN" in json.dumps(body) for body in crm.bodies("/search"))
    assert refused == 1, "asked once, then not any more"


@pytest.mark.parametrize(
    ("object_type", "modified"),
    [
        ("contacts", "lastmodifieddate"),
        ("0-1", "lastmodifieddate"),
        ("leads", "hs_lastmodifieddate"),
        ("0-136", "hs_lastmodifieddate"),
        ("2-1234567", "hs_lastmodifieddate"),
    ],
)
def test_every_object_type_has_its_own_property_of_change(crm: Any, object_type: str, modified: str) -> None:
    crm.instead = lambda method, path, body: (200, {"total": 0, "results": []})
    list(crm.connector(object_type=object_type).changes(*_window(), properties=NAMES))
    (_, path, body), *_ = crm.calls
    assert path == f"/crm/objects/2026-09/{object_type}/search"
    assert body["sorts"] == [{"propertyName": modified, "direction": "ASCENDING"}]
    assert body["filterGroups"][0]["filters"][0]["propertyName"] == modified
    assert modified in body["properties"]
    assert body["after"] == "0"


def test_the_window_is_asked_in_milliseconds_with_both_ends(crm: Any) -> None:
    since, until = datetime(2026, 11, 21, 8, 0, 0, 120_999, UTC), datetime(2026, 11, 21, 9, tzinfo=UTC)
    list(crm.connector(index_lag_seconds=0).changes(since, until, properties=NAMES))
    (window,) = crm.calls[0][2]["filterGroups"][0]["filters"]
    assert window["operator"] == "BETWEEN"
    # Rounded down: a bound rounded up would leave a record out.
    assert values.moment(int(window["value"])) == since.replace(microsecond=120_000)
    assert values.moment(int(window["highValue"])) == until


def test_a_window_that_ends_before_it_begins_is_empty_without_a_call(crm: Any) -> None:
    now = values.moment(NOW)
    (page,) = crm.connector().changes(now, now - timedelta(minutes=5), properties=NAMES)
    assert page == sdk.Page((), None)
    assert crm.calls == []


def test_a_position_of_another_version_starts_the_window_again(crm: Any) -> None:
    ids = crm.load(range(NOW - 30, NOW))
    pages = list(crm.connector().changes(*_window(), properties=NAMES, position={"after": "200", "v": 0}))
    assert _ids(pages) == ids


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"total": 3, "results": None},
        {"total": 3, "results": []},
        {"total": 1, "results": [{"id": "1", "properties": {}}]},
        {
            "total": 9,
            "results": [
                {"id": "1", "properties": {"lastmodifieddate": "2026-11-21T08:00:00Z"}},
                {"id": "2", "properties": {"lastmodifieddate": "2026-11-21T07:00:00Z"}},
            ],
        },
    ],
)
def test_an_answer_without_sense_is_asked_again_later_and_never_taken_for_the_end(crm: Any, answer: Any) -> None:
    crm.instead = lambda method, path, body: (200, answer)
    with pytest.raises(errors.RetryLater, match=r"connections\.portal-"):
        list(crm.connector().changes(*_window(), properties=NAMES))


def test_reading_by_id_leaves_out_what_is_not_there(crm: Any) -> None:
    ids = crm.load(range(NOW - 3, NOW))
    found = crm.connector().read([*ids, "77", "not-an-id", ids[0]], properties=NAMES)
    assert sorted(record.id for record in found) == sorted(ids)
    assert found[0].properties == {"email": found[0].properties["email"], "company": None}


def test_reading_by_id_takes_a_hundred_to_a_call(crm: Any) -> None:
    ids = crm.load(range(NOW - 250, NOW))
    assert len(crm.connector().read(ids, properties=NAMES)) == 250
    assert [len(body["inputs"]) for body in crm.bodies("/batch/read")] == [100, 100, 50]


def test_a_batch_of_which_nothing_is_there_is_empty(crm: Any) -> None:
    crm.instead = lambda method, path, body: (404, {"category": "OBJECT_NOT_FOUND", "message": "none"})
    assert crm.connector().read(["5"], properties=NAMES) == []


def test_a_merged_record_comes_under_its_new_id(crm: Any) -> None:
    first, second = crm.load([NOW - 2, NOW - 1])
    merged = crm.portal.store.merge(first, second)
    found = crm.connector().read([first, second], properties=NAMES)
    assert {record.id for record in found} == {str(merged.id)}
