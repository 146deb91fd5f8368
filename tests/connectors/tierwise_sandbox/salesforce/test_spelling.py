from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.salesforce import spelling


def test_the_checksum_is_salesforces() -> None:
    # An id of Salesforce's own documentation, in both forms.
    assert spelling.long_id("001D000000IRFma") == "001D000000IRFmaIAH"
    assert spelling.long_id("001D000000IRFmaIAH") == "001D000000IRFmaIAH"


@pytest.mark.parametrize("text", ["", "00Q", "00Q'--", "001D000000IRFm\n", "001D000000IRFmaIA"])
def test_what_is_no_id_has_no_long_form(text: str) -> None:
    assert spelling.long_id(text) == ""


@given(st.integers(1, 62**6), st.integers(1, 62**6))
def test_later_ids_sort_after_earlier_ones(one: int, two: int) -> None:
    first, second = (spelling.record_id("00Q", number) for number in (one, two))
    assert (first < second) == (one < two)
    assert len(first) == 18


@given(st.integers(0, 4_000_000_000))
def test_a_moment_is_whole_seconds_and_reads_back(seconds: int) -> None:
    text = spelling.moment(seconds * 1000 + 789)
    assert text.endswith(".000+0000")
    assert spelling.parse_moment(text) == seconds * 1000


@pytest.mark.parametrize("text", ["2026-11-21T08:00:00", "2026-13-21T08:00:00Z", "21.11.2026", ""])
def test_a_moment_without_a_zone_or_sense_is_none(text: str) -> None:
    assert spelling.parse_moment(text) is None


def test_days_and_http_dates() -> None:
    assert spelling.parse_day("2026-02-28") == "2026-02-28"
    assert spelling.parse_day("2026-02-30") is None
    assert spelling.http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
