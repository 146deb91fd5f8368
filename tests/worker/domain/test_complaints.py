from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError, ValidationInfo, model_validator

from tierwise.domain.complaints import Complaint, Gathered, tell


class Pair(BaseModel):
    small: int
    large: int

    @model_validator(mode="after")
    def _ordered(self, info: ValidationInfo) -> Pair:
        found = [Complaint(("large",), "large is not larger")] if self.large <= self.small else []
        tell(self, [*found, *([Complaint(("small",), "small is negative")] if self.small < 0 else [])], info)
        return self


def test_a_model_raises_all_that_is_wrong_with_it() -> None:
    with pytest.raises(ValidationError, match="large is not larger; small is negative"):
        Pair(small=-1, large=-2)
    assert Pair(small=1, large=2).large == 2


def test_who_gathers_is_told_of_what_and_gets_the_model() -> None:
    gathered = Gathered()
    made = Pair.model_validate({"small": -1, "large": -2}, context=gathered)
    assert [(owner is made, complaint.path) for owner, complaint in gathered] == [
        (True, ("large",)),
        (True, ("small",)),
    ]
    with pytest.raises(ValidationError):
        Pair.model_validate({"small": 2, "large": 1}, context={"anything": "else"})


def test_what_was_meant_is_part_of_the_sentence() -> None:
    assert (
        str(Complaint((), "no such tier: 'AA'", word="AA", choices=("A", "B")))
        == "no such tier: 'AA'; did you mean 'A'?"
    )
    assert str(Complaint((), "no such tier: 'S'", word="S", choices=("A", "B"))) == "no such tier: 'S'"
