from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox import moments


@given(st.integers(0, 4_102_444_800_000))
def test_going_out_and_coming_back_changes_nothing(milliseconds: int) -> None:
    text = moments.iso(milliseconds)
    assert len(text) == 24
    assert text.endswith("Z")
    assert moments.parse(text) == milliseconds
    assert moments.parse(str(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1_000),
        ("1970-01-01T01:00:00+01:00", 0),
        (" 1970-01-01T00:00:00.25Z ", 250),
        ("yesterday", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_what_counts_as_a_moment(text: str, milliseconds: int | None) -> None:
    assert moments.parse(text) == milliseconds


def test_spoken_for_people() -> None:
    assert moments.spoken(0) == "1 Jan 1970, 00:00 UTC"
