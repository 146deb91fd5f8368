"""Windows and pages over a list lose and repeat nothing; what was not declared is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tierwise import sdk
from tierwise.sdk import listed

START = datetime(2026, 11, 2, tzinfo=UTC)
RECORDS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), unique_by=lambda item: item[1], max_size=25)
TIER = sdk.AdviceField("tierwise_tier", "Tier", "choice", "", (("A", "A"), ("B", "B")))
SCORE = sdk.AdviceField("tierwise_score", "Score", "number", "")


def record(second: int, key: int) -> sdk.Record:
    return sdk.Record(str(key), START + timedelta(seconds=second), {}, {})


@given(RECORDS, st.integers(0, 9), st.integers(0, 9), st.integers(1, 7))
def test_every_record_of_the_window_comes_once_and_in_order(
    given: list[tuple[int, int]], low: int, high: int, size: int
) -> None:
    since, until = START + timedelta(seconds=low), START + timedelta(seconds=high)
    records = [record(second, key) for second, key in given]
    found: list[sdk.Record] = []
    position = None
    while True:  # every page read by a process of its own, from the position before
        page = next(listed.pages(records, since, until, position=position, size=size))
        assert len(page.records) <= size
        found += page.records
        position = page.position
        if position is None:
            break
    assert sorted(item.id for item in found) == sorted(str(key) for second, key in given if low <= second <= high)
    assert [item.modified_at for item in found] == sorted(item.modified_at for item in found)
    whole = [item for page in listed.pages(records, since, until, position=None, size=size) for item in page.records]
    assert whole == found


def test_fields_are_declared_and_never_narrowed() -> None:
    none = listed.Declared({})
    assert [step.action for step in none.plan([TIER, SCORE])] == ["create", "create"]
    assert [line.name for line in none.missing([TIER])] == ["tierwise_tier"]
    held = none.widened([TIER, SCORE])
    assert held == {"tierwise_tier": ["A", "B"], "tierwise_score": []}
    known = listed.Declared(held)
    assert [step.action for step in known.plan([TIER, SCORE])] == ["keep", "keep"]
    wider = TIER._replace(options=(("C", "C"),))
    assert [step.action for step in known.plan([wider])] == ["update"]
    assert known.widened([wider])["tierwise_tier"] == ["A", "B", "C"]


def test_a_value_that_no_field_has_is_refused() -> None:
    known = listed.Declared({"tierwise_tier": ["A", "B"], "tierwise_score": []})
    assert known.refusal(sdk.Update("1", {"tierwise_tier": "B", "tierwise_score": 7}, "t")) == ""
    assert known.refusal(sdk.Update("1", {"tierwise_tier": None}, "t")) == ""
    assert "tierwise_tier" in known.refusal(sdk.Update("1", {"tierwise_tier": "Z"}, "t"))
