from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierwise_sandbox import moments
from tierwise_sandbox.index import Index
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal
from tierwise_sandbox.search import next_page, parse, run

TYPES = {
    "lastmodifieddate": "datetime", "createdate": "datetime", "hs_object_id": "number", "firstname": "string",
    "annualrevenue": "number", "email": "string",
}  # fmt: skip


def index_of(rows: list[tuple[int, dict[str, str]]]) -> Index:
    """Rows are (last modified ms, properties); ids count from 9901."""
    index = Index()
    index.load(
        [
            (
                ms,
                key,
                {**held, "hs_object_id": str(key), "createdate": moments.iso(ms), "lastmodifieddate": moments.iso(ms)},
            )
            for key, (ms, held) in enumerate(rows, 9_901)
        ]
    )
    return index


def found(index: Index, body: dict[str, Any]) -> tuple[int, list[str]]:
    total, documents = run(parse(body, 100, TYPES), index)
    return total, [document["hs_object_id"] for document in documents]


def only(*filters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"filterGroups": [{"filters": list(filters)}], **more}


SHOP = index_of(
    [
        (1_000, {"firstname": "Ann", "annualrevenue": "100"}),
        (2_000, {"firstname": "bob", "annualrevenue": "9"}),
        (3_000, {"firstname": "Cid"}),
        (4_000, {"annualrevenue": "2000"}),
    ]
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"propertyName": "firstname", "operator": "EQ", "value": "ann"}, ["9901"]),  # text: case does not matter
        ({"propertyName": "firstname", "operator": "NEQ", "value": "Ann"}, ["9902", "9903"]),  # unknown is not "other"
        ({"propertyName": "firstname", "operator": "IN", "values": ["ann", "CID"]}, ["9901", "9903"]),
        ({"propertyName": "firstname", "operator": "NOT_IN", "values": ["ann"]}, ["9902", "9903"]),
        ({"propertyName": "firstname", "operator": "HAS_PROPERTY"}, ["9901", "9902", "9903"]),
        ({"propertyName": "firstname", "operator": "NOT_HAS_PROPERTY"}, ["9904"]),
        ({"propertyName": "firstname", "operator": "CONTAINS_TOKEN", "value": "b*"}, ["9902"]),
        ({"propertyName": "annualrevenue", "operator": "GT", "value": "100"}, ["9904"]),  # as numbers, not as text
        ({"propertyName": "annualrevenue", "operator": "GTE", "value": "100"}, ["9901", "9904"]),
        ({"propertyName": "annualrevenue", "operator": "LT", "value": "100"}, ["9902"]),
        ({"propertyName": "annualrevenue", "operator": "BETWEEN", "value": "9", "highValue": "100"}, ["9901", "9902"]),
        ({"propertyName": "lastmodifieddate", "operator": "GT", "value": "2000"}, ["9903", "9904"]),
        ({"propertyName": "lastmodifieddate", "operator": "LTE", "value": "1970-01-01T00:00:02Z"}, ["9901", "9902"]),
        ({"propertyName": "lastmodifieddate", "operator": "LT", "value": 2000}, ["9901"]),
        ({"propertyName": "createdate", "operator": "BETWEEN", "value": "2000", "highValue": "3000"}, ["9902", "9903"]),
    ],
)
def test_each_operator_finds_what_it_should(condition: dict[str, Any], expected: list[str]) -> None:
    assert found(SHOP, only(condition)) == (len(expected), expected)


def test_groups_are_or_and_filters_are_and() -> None:
    body = {
        "filterGroups": [
            {"filters": [{"propertyName": "firstname", "operator": "EQ", "value": "ann"}]},
            {
                "filters": [
                    {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "3000"},
                    {"propertyName": "annualrevenue", "operator": "HAS_PROPERTY"},
                ]
            },
        ]
    }
    assert found(SHOP, body) == (2, ["9901", "9904"])


def test_sorting_puts_numbers_in_order_of_size_and_missing_values_last() -> None:
    assert found(SHOP, {"sorts": ["annualrevenue"]})[1] == ["9902", "9901", "9904", "9903"]
    descending = [{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}]
    assert found(SHOP, {"sorts": descending})[1] == ["9904", "9903", "9902", "9901"]


def test_free_text_looks_into_names() -> None:
    assert found(SHOP, {"query": "BO"}) == (1, ["9902"])


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": []}] * 6},
        only(*[{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 7),
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 5}] * 4},
        {"limit": 201},
        {"after": "9900", "limit": 200},
        {"after": "ten"},
        {"sorts": ["email", "firstname"]},
        {"sorts": ["nothing"]},
        only({"propertyName": "nothing", "operator": "EQ", "value": "1"}),
        only({"propertyName": "email", "operator": "LIKE", "value": "1"}),
        only({"propertyName": "lastmodifieddate", "operator": "GTE", "value": "yesterday"}),
        only({"propertyName": "email", "operator": "IN"}),
        only({"propertyName": "annualrevenue", "operator": "BETWEEN", "value": "1"}),
    ],
)
def test_what_hubspot_refuses_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        parse(body, 100, TYPES)
    assert refused.value.status == 400


def test_a_body_over_3000_characters_is_refused() -> None:
    parse({}, 3_000, TYPES)
    with pytest.raises(Refusal):
        parse({}, 3_001, TYPES)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    stamps=st.lists(st.integers(0, 40), max_size=60),
    window=st.tuples(st.integers(-1, 41), st.integers(0, 41)),
    named=st.booleans(),
    descending=st.booleans(),
    limit=st.integers(1, 20),
)
def test_paging_a_window_yields_every_match_once_in_order(
    stamps: list[int], window: tuple[int, int], named: bool, descending: bool, limit: int
) -> None:
    low, width = window
    rows = [(ms, {"firstname": "x"} if n % 3 else {}) for n, ms in enumerate(stamps)]
    index = index_of(rows)
    filters = [
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(low)},
        {"propertyName": "lastmodifieddate", "operator": "LT", "value": str(low + width)},
    ]
    if named:
        filters.append({"propertyName": "firstname", "operator": "HAS_PROPERTY"})
    direction = "DESCENDING" if descending else "ASCENDING"
    seen: list[str] = []
    while True:
        body = only(*filters, sorts=[{"propertyName": "lastmodifieddate", "direction": direction}], limit=limit)
        total, page = found(index, {**body, "after": str(len(seen))})
        seen += page
        if not page:
            break
    wanted = sorted(
        (ms, key) for key, (ms, held) in enumerate(rows, 9_901) if low <= ms < low + width and (held or not named)
    )
    if descending:
        wanted.reverse()
    assert seen == [str(key) for _, key in wanted]
    assert total == len(wanted)


def test_ten_thousand_in_one_millisecond_cannot_be_paged_through(search: Any, portal: Portal) -> None:
    at = 1_700_000_000_123
    ids = portal.burst(10_050, at)
    same = {"propertyName": "lastmodifieddate", "operator": "EQ", "value": str(at)}
    assert search(same, limit=200)["total"] == 10_050
    search(same, limit=200, after=9_801, status=400)
    # What is left is the id: EQ on the stamp, GT on hs_object_id.
    beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": str(ids[9_999])}
    rest = search(same, beyond, limit=200, sorts=["hs_object_id"])
    assert [one["id"] for one in rest["results"]] == [str(key) for key in ids[10_000:]]


def test_the_next_page_is_the_same_question(portal: Portal) -> None:
    query = parse({"limit": 5, "after": "10"}, 10, portal.definitions.types())
    assert next_page(query).after == 15
    assert next_page(query).limit == 5
