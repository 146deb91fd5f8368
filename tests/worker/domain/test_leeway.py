"""The bounds of small steps."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tierwise.domain.leeway import Bounds


@pytest.mark.parametrize("wrong", [{"weight": -1}, {"cut_off": 101}, {"points": 2}, {"wieght": 3}])
def test_bounds_are_amounts_that_are_known(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Bounds.model_validate(wrong)
