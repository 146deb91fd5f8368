"""Values to Salesforce's JSON and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import sdk
from tierwise_salesforce import values

SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(0, 100),
    "text": st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=200),
    "long_text": st.text(st.characters(categories=["L", "N", "Zs"], include_characters="\n•“"), min_size=1),
    "choice": st.sampled_from(["A", "scored"]),
    "multi_choice": st.sets(st.from_regex(r"[A-Z_]{1,40}", fullmatch=True), min_size=1).map(
        lambda codes: tuple(sorted(codes))
    ),
    "timestamp": st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z").filter(lambda t: len(t) == 24),
    "boolean": st.just(True),
}


def test_a_field_of_the_organisations_own_keeps_its_name() -> None:
    assert values.api_name("Rating") == "Rating"
    assert values.api_name("Their_Tier__c") == "Their_Tier__c"
    assert values.api_name("tierwise_tier") == "Tierwise_Tier__c"
    for name in ("tierwise_nothing", "Id", "a.b", "", "1x", "x y"):
        with pytest.raises(ValueError, match="has no field"):
            values.api_name(name)


@given(data=st.data(), field=st.sampled_from(sdk.FIELDS))
def test_what_was_written_is_read_back(data: st.DataObject, field: sdk.AdviceField) -> None:
    value = data.draw(SHAPES[field.kind])
    wire = values.to_wire(field.name, value)
    # As Salesforce gives them back: numbers as doubles.
    shown = float(wire) if field.kind == "number" and isinstance(wire, int) else wire
    assert values.from_wire(field.name, shown) == value


def test_names() -> None:
    assert values.NAMES["tierwise_score"] == "Tierwise_Score__c"
    assert values.NAMES["tierwise_request_review"] == "Tierwise_Request_Review__c"
    assert values.OWN["Tierwise_Scored_At__c"] == "tierwise_scored_at"
    assert len(values.OWN) == len(sdk.FIELDS)


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("tierwise_reason_codes", ("B", "A", "A"), "A;B"),
        ("tierwise_reason_codes", (), None),
        ("tierwise_request_review", None, False),
        ("tierwise_request_review", False, False),
        ("tierwise_score", None, None),
        ("tierwise_score", 82.5, 82.5),
        ("tierwise_route", "", None),
        ("tierwise_scored_at", "2026-11-21T09:15:30+01:00", "2026-11-21T08:15:30.000Z"),
    ],
)
def test_to_wire(name: str, value: Any, wire: Any) -> None:
    assert values.to_wire(name, value) == wire


@pytest.mark.parametrize(
    ("name", "wire", "value"),
    [
        ("tierwise_score", 82.0, 82),
        ("tierwise_score", 82.5, 82.5),
        ("tierwise_request_review", False, None),  # a checkbox is never empty: unticked is
        ("tierwise_request_review", True, True),
        ("tierwise_reason_codes", "B;A", ("A", "B")),
        ("tierwise_reason_codes", ";", None),
        ("tierwise_reasons", "one\r\ntwo", "one\ntwo"),
        ("tierwise_scored_at", "2026-11-21T08:15:30.000+0000", "2026-11-21T08:15:30.000Z"),
        ("tierwise_scored_at", "soon", "soon"),
        ("tierwise_tier", "Z", "Z"),
        ("tierwise_tier", None, None),
        ("tierwise_route", "", None),
        ("tierwise_score", "high", "high"),
        ("tierwise_tier", ["A"], "['A']"),
    ],
)
def test_from_wire(name: str, wire: Any, value: Any) -> None:
    assert values.from_wire(name, wire) == value


def test_own_leaves_out_what_is_empty_or_not_ours() -> None:
    record = {"Tierwise_Score__c": 0.0, "Tierwise_Tier__c": None, "Tierwise_Request_Review__c": False, "Email": "a@b.c"}
    assert values.own(record) == {"tierwise_score": 0}
