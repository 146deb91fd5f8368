"""The plan of a read, as a property: whatever rows share a stamp and however pages are cut, each comes exactly once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_salesforce import soql, values
from tierwise_salesforce.soql import Row, State, Stuck

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
ID = "00QSb000000000{}IAQ"


def text(at: datetime) -> str:
    return values.datetime_text(at)


STATE = State(text(START), text(START + timedelta(hours=1)))


@given(
    stamps=st.lists(st.integers(0, 4), max_size=30),
    limit=st.integers(1, 7),
    cut=st.lists(st.integers(1, 7), min_size=1, max_size=5),
)
def test_every_row_comes_once_and_in_order(stamps: list[int], limit: int, cut: list[int]) -> None:
    rows = sorted(
        (START + timedelta(seconds=stamp), f"00QSb0000000{number:03}IAQ") for number, stamp in enumerate(stamps)
    )
    state: State | None = STATE
    got: list[tuple[datetime, str]] = []
    turns = 0
    while state is not None:
        since, after = values.moment(state.since), state.after_id
        left = [
            row
            for row in rows
            if (row[0] > since if after else row[0] >= since) or (row[0] == since and row[1] > after)
        ]
        asked = left[:limit]
        shown = asked[: cut[turns % len(cut)]]  # Salesforce may hold rows back
        got += shown
        state = soql.advance(state, [Row(key, at) for at, key in shown], done=shown == asked, limit=limit)
        turns += 1
        assert turns <= len(rows) + 2
    assert got == rows


def test_the_first_query_takes_its_start_in_and_later_ones_go_on_behind_the_last_row() -> None:
    first = soql.page(STATE, ["Email"], source=soql.leads("Lead"), limit=5)
    assert first == (
        "SELECT Id, SystemModstamp, Email FROM Lead WHERE IsConverted = false "
        "AND SystemModstamp >= 2026-11-21T08:00:00.000Z AND SystemModstamp <= 2026-11-21T09:00:00.000Z "
        "ORDER BY SystemModstamp, Id LIMIT 5"
    )
    state = soql.advance(STATE, [Row(ID.format("1"), START)], done=False, limit=5)
    assert state is not None
    later = soql.page(state, ["Email"], source=soql.leads("Contact"), limit=5)
    assert "IsConverted" not in later
    assert (
        f"((SystemModstamp = 2026-11-21T08:00:00.000Z AND Id > '{ID.format('1')}') "
        "OR SystemModstamp > 2026-11-21T08:00:00.000Z)"
    ) in later


def test_a_position_survives_json_and_strange_ones_are_told_apart() -> None:
    state = State(text(START), text(START), ID.format("1"))
    assert soql.restored(state.position()) == state
    for wrong in ({}, {**state.position(), "since": "x"}, {**state.position(), "after_id": "' OR Id != '"}):
        with pytest.raises(ValueError):
            soql.restored(wrong)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row(ID.format("2"), START + timedelta(seconds=1)), Row(ID.format("1"), START)],
        [Row(ID.format("1"), START - timedelta(seconds=1))],
    ],
)
def test_an_answer_that_makes_no_sense_is_not_acted_on(rows: list[Row]) -> None:
    with pytest.raises(Stuck):
        soql.advance(STATE, rows, done=False, limit=5)


def test_ids_and_names_let_nothing_else_into_a_query() -> None:
    assert soql.is_id("00QSb0000000001")
    assert soql.is_id("00QSb0000000001AAA")
    assert not any(
        soql.is_id(text) for text in ("", "00QSb000000000", "00QSb0000000001AA", "00QSb00000000'1", "é" * 15)
    )
    assert soql.is_name("Tierwise_Score__c")
    assert not any(soql.is_name(text) for text in ("", "1a", "a b", "a'", "a,b", "Owner.Name"))


def test_ids_are_quoted() -> None:
    assert soql.by_ids(["a", "b"], ["Email"], object_type="Lead").endswith("WHERE Id IN ('a', 'b')")
    assert "MasterRecordId" in soql.masters(["a"], object_type="Lead")
