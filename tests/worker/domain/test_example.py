from __future__ import annotations

import pytest
from pydantic import ValidationError

from tierwise.domain.example import Example


def test_an_example_names_a_lead_and_its_tier() -> None:
    example = Example.model_validate({"name": "small", "lead": {"employee_count": 3}, "tier": "C"})
    assert (example.levels, example.lead["employee_count"]) == ({}, 3)
    with pytest.raises(ValidationError):
        Example.model_validate({"name": "small", "lead": {}, "tier": "C", "expect": "C"})
