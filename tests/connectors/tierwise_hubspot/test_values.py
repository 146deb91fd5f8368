from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tierwise import sdk
from tierwise.domain import echo
from tierwise_hubspot import values


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("tierwise_score", 82, "82"),
        ("tierwise_score", 0, "0"),
        ("tierwise_score", 82.0, "82"),
        ("tierwise_score", 82.5, "82.5"),
        # HubSpot takes neither an exponent nor a comma.
        ("tierwise_score", 1e20, "100000000000000000000"),
        ("tierwise_score", 1e-7, "0.0000001"),
        ("tierwise_tier", "A", "A"),
        ("tierwise_tier", None, ""),
        ("tierwise_reason_codes", ("B", "A"), "A;B"),
        ("tierwise_reason_codes", (), ""),
        ("tierwise_request_review", True, "true"),
        ("tierwise_request_review", False, "false"),
        ("tierwise_scored_at", "2026-11-21T08:15:30.120Z", "1795248930120"),
        ("tierwise_scored_at", "2026-11-21T09:15:30.120+01:00", "1795248930120"),
        ("tierwise_reasons", "• one\n• two, “three”", "• one\n• two, “three”"),
        # A field of the organisation's own, which is not in our list.
        ("lead_tier", "A", "A"),
    ],
)
def test_travels_as_text(name: str, value: sdk.AdviceValue, wire: str) -> None:
    assert values.to_wire(name, value) == wire


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tierwise_score", math.nan),
        ("tierwise_score", -math.inf),
        ("tierwise_reason_codes", ("A;B",)),
        ("tierwise_reason_codes", ("A", "")),
        ("tierwise_scored_at", "yesterday"),
    ],
)
def test_what_would_become_something_else_is_not_sent(name: str, value: sdk.AdviceValue) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.to_wire(name, value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("tierwise_score", "82", 82),
        ("tierwise_score", "82.0", 82),
        ("tierwise_score", "82.5", 82.5),
        ("tierwise_score", "1E2", 100),
        ("tierwise_reason_codes", "B;A;B;", ("A", "B")),
        ("tierwise_reason_codes", ";", None),
        ("tierwise_request_review", "true", True),
        ("tierwise_request_review", "false", False),
        ("tierwise_scored_at", "1795248930120", "2026-11-21T08:15:30.120Z"),
        ("tierwise_scored_at", "2026-11-21T08:15:30.120Z", "2026-11-21T08:15:30.120Z"),
        ("tierwise_scored_at", "2026-11-21", "2026-11-21T00:00:00.000Z"),
        ("tierwise_tier", "", None),
        ("tierwise_tier", None, None),
        # What a portal holds though it does not fit is a person's, and shown as it is.
        ("tierwise_score", "eighty", "eighty"),
        ("tierwise_score", "Infinity", "Infinity"),
        ("tierwise_score", "NaN", "NaN"),
        ("tierwise_score", "1E999999999", "1E999999999"),
        ("tierwise_scored_at", "soon", "soon"),
        ("tierwise_request_review", "maybe", "maybe"),
    ],
)
def test_comes_back_in_canonical_form(name: str, text: str | None, value: sdk.AdviceValue) -> None:
    found = values.from_wire(name, text)
    assert found == value
    assert type(found) is type(value)


_BY_KIND: dict[str, st.SearchStrategy[sdk.AdviceValue]] = {
    "number": st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False)),
    "text": st.text(min_size=1),
    "long_text": st.text(min_size=1),
    "choice": st.sampled_from("ABCD"),
    "multi_choice": st.lists(st.sampled_from(["A_B", "C", "D-E", "é"]), min_size=1, unique=True).map(tuple),
    "timestamp": st.datetimes(datetime(2001, 9, 9, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: values.canonical(values.stamp(moment))
    ),
    "boolean": st.booleans(),
}


@given(st.sampled_from(sdk.FIELDS).flatmap(lambda field: st.tuples(st.just(field), _BY_KIND[field.kind])))
def test_what_is_read_back_is_what_was_written(given_: tuple[sdk.AdviceField, sdk.AdviceValue]) -> None:
    field, value = given_
    wire = values.to_wire(field.name, value)
    assert echo.same(values.from_wire(field.name, wire), value)
    if field.kind == "number":
        assert re.fullmatch(r"-?\d+(\.\d+)?", wire)


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive(stamp: int) -> None:
    assert values.stamp(values.moment(stamp)) == stamp
    assert values.milliseconds(values.canonical(stamp)) == stamp


def test_own_fields_are_told_from_the_rest() -> None:
    held = {"email": "a@example.org", "tierwise_score": "7", "tierwise_tier": "", "tierwise_other": "x"}
    assert values.own(held) == {"tierwise_score": 7}
