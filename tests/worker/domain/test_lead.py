"""The canonical lead: its catalogue, its signals and its fingerprint."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tierwise.domain import lead as leads
from tierwise.domain.advice import FIELDS
from tierwise.domain.lead import CATALOGUE, Lead

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).map(str.strip).filter(bool)
_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXT,
    "integer": st.integers(0, 10**9),
    "decimal": st.floats(0, 1e12, allow_nan=False),
    "boolean": st.booleans(),
    "timestamp": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
}


def values_of(info: leads.FieldInfo) -> st.SearchStrategy[Any]:
    return st.sampled_from(info.values) if info.values else _BY_KIND[info.kind]


LEADS = st.fixed_dictionaries({}, optional={name: values_of(info) for name, info in CATALOGUE.items()})


@given(LEADS, st.randoms())
def test_the_fingerprint_does_not_depend_on_the_order_of_fields(values: dict[str, Any], order: random.Random) -> None:
    shuffled = list(values.items())
    order.shuffle(shuffled)
    assert Lead(**dict(shuffled)).fingerprint() == Lead(**values).fingerprint()


@given(LEADS, st.data())
def test_the_fingerprint_differs_when_one_signal_differs(values: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(CATALOGUE)))
    before = Lead(**values)
    after = before.model_copy(update={name: data.draw(st.none() | values_of(CATALOGUE[name]))})
    same = before.model_dump()[name] == after.model_dump()[name]
    assert (before.fingerprint() == after.fingerprint()) == same


@given(LEADS)
def test_a_lead_survives_storage_with_its_fingerprint(values: dict[str, Any]) -> None:
    lead = Lead(**values)
    again = Lead.model_validate(json.loads(leads.canonical_json(lead.model_dump(mode="json"))))
    assert again == lead
    assert again.fingerprint() == lead.fingerprint()


@given(LEADS)
def test_signals_are_plain_and_hold_only_what_is_present(values: dict[str, Any]) -> None:
    signals = Lead(**values).signals()
    assert set(signals) == set(values)
    assert all(isinstance(value, str | int | float | bool) for value in signals.values())


def test_our_own_fields_cannot_be_part_of_a_fingerprint() -> None:
    """The loop-break: what Tierwise writes is no field of the lead, so writing it changes no fingerprint."""
    assert not {field.name for field in FIELDS} & set(CATALOGUE)
    with pytest.raises(ValidationError, match="tierwise_score"):
        Lead.model_validate({"tierwise_score": 80})


def test_the_same_moment_in_another_zone_is_the_same_lead() -> None:
    utc = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    there = utc.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert Lead(submitted_at=there).fingerprint() == Lead(submitted_at=utc).fingerprint()
    with pytest.raises(ValidationError, match="time zone"):
        Lead(submitted_at=datetime(2026, 3, 1))


def test_the_fingerprint_is_stable_across_releases() -> None:
    """If this changes, every lead of every portal is decided anew: raise SCHEMA_VERSION knowingly."""
    lead = Lead(
        email="a@acme.com", employee_count=51, monthly_volume=3000.0, submitted_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    assert lead.fingerprint() == "00c454201850a64a2ff7be279125115cd9cb27fa4f5ec9203eaa4ecadbd1e942"


@given(LEADS)
def test_a_lead_cannot_be_changed(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Lead(**values).email = "x@acme.com"


def test_the_catalogue_describes_every_field() -> None:
    assert list(CATALOGUE) == list(Lead.model_fields)
    assert all(info.description.endswith(".") for info in CATALOGUE.values())
    assert {name for name, info in CATALOGUE.items() if info.derived} == {
        "company_key", "email_kind", "is_duplicate",
    }  # fmt: skip
    assert {name for name, info in CATALOGUE.items() if info.personal} == {"email", "phone", "first_name", "last_name"}
    assert {name for name, info in CATALOGUE.items() if info.free_text} == {"job_title", "message"}
    assert all(bool(info.values) == (info.kind == "choice") for info in CATALOGUE.values())


def test_canonical_json_is_one_text_and_refuses_what_has_none() -> None:
    assert leads.canonical_json({"b": [1, 2.5], "a": "ü"}) == '{"a":"ü","b":[1,2.5]}'
    with pytest.raises(ValueError, match="JSON"):
        leads.canonical_json(math.nan)
    assert leads.digest({"a": 1, "b": 2}) == leads.digest({"b": 2, "a": 1})


@pytest.mark.parametrize("name", ["employee_count", "annual_revenue", "monthly_volume"])
@pytest.mark.parametrize("value", [-1, -0.5, math.inf, math.nan])
def test_a_quantity_is_a_number_from_0_on(name: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Lead.model_validate({name: value})
    assert Lead.model_validate({name: 0}).signals() == {name: 0}
