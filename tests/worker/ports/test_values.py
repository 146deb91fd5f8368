"""Plain values: nothing in them can change under whoever holds them, and `ports` names them all."""

from __future__ import annotations

import inspect
import typing
from datetime import UTC, datetime
from typing import Any

import pytest

from tierwise import ports
from tierwise.domain.lead import Lead
from tierwise.ports import calibrations, models, money, policies, reviews, seen, stores, values

VALUES = [
    item
    for module in (calibrations, policies, reviews, seen, values)
    for item in vars(module).values()
    if inspect.isclass(item) and item.__module__ == module.__name__ and issubclass(item, tuple)
]


def test_everything_is_found_under_ports() -> None:
    declared = {
        name
        for module in (calibrations, models, money, policies, reviews, seen, stores, values)
        for name, item in vars(module).items()
        if getattr(item, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert set(ports.__all__) == declared | {"ALL", "Clock", "CursorKind", "DecisionKey", "NANO", "QUEUES", "UNLIMITED"}
    assert all(hasattr(ports, name) for name in ports.__all__)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_a_value_is_a_tuple_whose_types_resolve(value: Any) -> None:
    assert issubclass(value, tuple)
    assert inspect.getdoc(value)
    hints = typing.get_type_hints(value)
    assert set(hints) == set(value._fields)
    made = value(*range(len(value._fields)))
    with pytest.raises(AttributeError):
        setattr(made, value._fields[0], None)


def test_what_was_sent_by_default_is_nothing_and_shared_with_nobody() -> None:
    row = ports.Outgoing(1, "crm", "7", {}, {}, (), version=1, generation=1, attempt=1, token=1)
    settled = ports.Settled(row, "unchanged")
    assert (dict(settled.sent), settled.new_id, settled.error, settled.run_after) == ({}, None, "", None)
    with pytest.raises(TypeError):
        settled.sent["tierwise_tier"] = "A"  # type: ignore[index]  # a caller without types must not write either


def test_a_claim_holds_the_lead_itself() -> None:
    """No second read between claiming and deciding: what was claimed is what is decided."""
    lead = Lead(email="ada@acme.example")
    claim = ports.Claim(1, "crm", "7", lead.fingerprint(), "policy", revision=1, attempt=1, token=1, lead=lead)
    assert claim.lead is lead


def test_an_open_review_item_has_no_answer() -> None:
    item = ports.ReviewItem(
        1, "crm", "7", "schema", "open", 500, "why", datetime(2026, 11, 2, tzinfo=UTC), None, None, None, None
    )
    assert (item.answered_at, item.answered_by, item.answer) == (None, None, None)
