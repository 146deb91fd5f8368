from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox import card
from tierwise_sandbox.definitions import Definitions


@pytest.fixture
def definitions() -> Definitions:
    definitions = Definitions(1)
    definitions.create_group({"name": "tierwise", "label": "Tierwise"})

    def add(name: str, kind: str, field_type: str, *options: str) -> None:
        listed = [{"label": option.replace("_", " ").title(), "value": option} for option in options]
        definitions.create_property(
            {
                "name": name,
                "label": name,
                "type": kind,
                "fieldType": field_type,
                "groupName": "tierwise",
                "options": listed,
            }
        )

    add("tierwise_status", "enumeration", "select", "scored", "in_review")
    add("tierwise_score", "number", "number")
    add("tierwise_tier", "enumeration", "select", "A", "B", "C", "D")
    add("tierwise_reasons", "string", "textarea")
    add("tierwise_outcome", "enumeration", "select", "accept")
    add("tierwise_request_review", "bool", "booleancheckbox")
    add("tierwise_feedback", "enumeration", "select", "right", "too_high")
    return definitions


def record(**held: str) -> dict[str, str]:
    return {f"tierwise_{name}": value for name, value in held.items()}


def test_a_portal_without_the_fields_says_so() -> None:
    html = card.render(record(), Definitions(1).properties(), "/contacts/1")
    assert "not provisioned" in html
    assert "<form" not in html


def test_an_unscored_contact_says_so_and_can_already_be_sent_to_review(definitions: Definitions) -> None:
    html = card.render(record(), definitions.properties(), "/contacts/1")
    assert "Not scored yet" in html
    assert 'name="tierwise_request_review"' in html


def test_the_advice_is_shown_line_by_line_with_the_portals_labels(definitions: Definitions) -> None:
    held = record(status="in_review", score="81", tier="A", reasons="First\n\nSecond & third", outcome="accept")
    html = card.render(held, definitions.properties(), "/contacts/1")
    assert "<li>First</li><li>Second &amp; third</li>" in html
    assert "In review" in html
    assert "<dd>Accept</dd>" in html
    assert '<strong class="score">81</strong>' in html


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ({}, {"tierwise_request_review": "false"}),
        (
            {"tierwise_request_review": ["on"], "tierwise_feedback": ["too_high"]},
            {"tierwise_request_review": "true", "tierwise_feedback": "too_high"},
        ),
        (
            {"tierwise_feedback": [""], "firstname": ["x"]},
            {"tierwise_request_review": "false", "tierwise_feedback": ""},
        ),
    ],
)
def test_the_form_sets_the_reps_two_fields_and_nothing_else(
    definitions: Definitions, form: dict[str, list[str]], values: dict[str, Any]
) -> None:
    assert card.form_values(definitions.properties(), form) == values


def test_a_set_field_is_ticked_and_chosen(definitions: Definitions) -> None:
    held = record(status="scored", request_review="true", feedback="too_high")
    html = card.render(held, definitions.properties(), "/leads/1")
    assert '<form method="post" action="/leads/1">' in html
    assert "checked" in html
    assert '<option value="too_high" selected>' in html
