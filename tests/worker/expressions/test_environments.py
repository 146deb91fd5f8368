from __future__ import annotations

from tierwise import expressions
from tierwise.domain.lead import CATALOGUE


def test_a_gate_sees_the_lead_and_nothing_that_is_decided_later() -> None:
    assert set(expressions.variables("gate")) == {f"lead.{name}" for name in CATALOGUE}
    assert expressions.variables("contradiction") == expressions.variables("gate")


def test_what_is_decided_can_be_read_from_its_stage_on() -> None:
    route = set(expressions.variables("route")) - set(expressions.variables("gate"))
    assert route == {f"result.{name}" for name in ("score", "fit", "intent", "tier", "confidence")}
    guardrail = set(expressions.variables("guardrail")) - set(expressions.variables("route"))
    assert guardrail == {"result.outcome", "result.route"}


def test_kinds_and_values_are_those_of_the_catalogue() -> None:
    region = expressions.variables("gate")["lead.region"]
    assert (region.kind, region.values) == ("choice", CATALOGUE["region"].values)
    assert expressions.variables("guardrail")["result.outcome"].values == ("accept", "nurture", "reject", "review")
