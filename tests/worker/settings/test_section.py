from __future__ import annotations

import pydantic
import pytest

from tierwise.settings.section import Count, Money, Seconds, Section


class Table(Section):
    """One of a test's own."""

    seconds: Seconds = 1
    money: Money = 0
    count: Count = 1


@pytest.mark.parametrize("given", [{"seconds": 0}, {"seconds": "inf"}, {"money": -1}, {"count": 0}, {"other": 1}])
def test_what_no_table_takes(given: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        Table.model_validate(given)


def test_a_table_stays_as_it_is() -> None:
    with pytest.raises(pydantic.ValidationError):
        Table().count = 2  # type: ignore[misc]  # that is the point
