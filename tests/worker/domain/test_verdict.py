from __future__ import annotations

import pydantic
import pytest

from tierwise.domain import rubric, verdict


def test_an_assessment_comes_back_as_it_was_stored() -> None:
    said = verdict.Verdict(criterion="need", level="high", probability=0.9, decided_by="openai/x", quote="we need")
    made = verdict.Assessment(model="openai/x", verdicts=(said,), content_hash="h", cost_usd=None)
    assert verdict.Assessment.model_validate_json(made.model_dump_json()) == made
    assert rubric.Assessment is verdict.Assessment


def test_a_probability_is_one() -> None:
    with pytest.raises(pydantic.ValidationError):
        verdict.Verdict(criterion="need", level="high", probability=1.1, decided_by="rule")
