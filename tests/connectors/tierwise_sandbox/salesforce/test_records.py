from __future__ import annotations

from dataclasses import replace
from typing import Any

from tierwise_sandbox.salesforce.org import ADMIN
from tierwise_sandbox.salesforce.records import Records, Row


def made(records: Records, **values: Any) -> str:
    return records.load("Lead", {"LastName": "Doe", **values}, by=ADMIN)


def edit(records: Records, key: str, *, delay: float = 0.0, **values: Any) -> Row:
    row = records.latest(key)
    assert row is not None
    return records.put(replace(row, values={**row.values, **values}), by=ADMIN, delay=delay)


def value(records: Records, key: str, name: str = "Title") -> Any:
    row = records.get(key)
    return row.values.get(name) if row else "not there"


def test_a_row_is_stamped_when_written_and_seen_when_committed(clock: Any) -> None:
    records = Records(clock)
    key = made(records)
    start = int(clock()) * 1000
    clock.seconds += 10.7
    late = edit(records, key, delay=600, Title="late")
    assert late.stamp == start + 10_000  # whole seconds, of the statement
    clock.seconds += 500
    assert value(records, key) is None
    assert records.is_locked(key)
    assert [row.stamp for row in records.window("Lead", start + 10_000, None)] == []
    clock.seconds += 100
    assert value(records, key) == "late"
    assert not records.is_locked(key)
    # It turns up in a window that was read, and found empty, ten minutes ago.
    assert [row.id for row in records.window("Lead", start + 10_000, start + 10_000)] == [key]


def test_a_later_edit_of_a_locked_row_waits_its_turn_and_loses_nothing(clock: Any) -> None:
    records = Records(clock)
    key = made(records)
    edit(records, key, delay=60, Title="first")
    edit(records, key, delay=0, City="second")
    assert value(records, key) is None
    clock.seconds += 60
    assert (value(records, key), value(records, key, "City")) == ("first", "second")


def test_a_new_row_can_be_late_too_and_all_can_be_committed_at_once(clock: Any) -> None:
    records = Records(clock)
    key = records.load("Lead", {"LastName": "Late"}, by=ADMIN, delay=300)
    assert records.get(key) is None
    edit(records, key, delay=5, Title="x")
    records.commit_all()
    assert value(records, key) == "x"
    assert not records.is_locked(key)


def test_rows_are_in_order_of_change_then_id_whatever_the_order_of_writing(clock: Any) -> None:
    records = Records(clock)
    stamp = int(clock()) * 1000
    keys = [made(records, CreatedDate=stamp - n % 3 * 1000) for n in range(9)]
    edit(records, keys[4])
    found = [(row.stamp, row.id) for row in records.window("Lead", None, None)]
    assert found == sorted(found)
    assert len(found) == 9
    inside = records.window("Lead", stamp - 1000, stamp - 1000)
    assert {row.id for row in inside} == {keys[1], keys[7]}  # keys[4] has moved


def test_a_transaction_is_taken_back_as_a_whole(clock: Any) -> None:
    records = Records(clock)
    key = made(records)
    with records.transaction() as roll_back:
        clock.seconds += 5
        row = edit(records, key, Title="never")
        records.note(row, {"Title": "never"}, by="api", changed=True)
        made(records)
        roll_back()
    assert value(records, key) is None
    assert records.count("Lead") == 1
    assert (records.journal(), records.writes) == ([], 0)
    assert [row.stamp for row in records.window("Lead", None, None)] == [int(clock()) * 1000 - 5_000]


def test_the_journal_keeps_who_wrote_what(clock: Any) -> None:
    records = Records(clock)
    row = edit(records, made(records), Title="x")
    records.note(row, {"Title": "x"}, by="api", changed=True)
    records.note(row, {"Title": "y"}, by="person", changed=False)
    assert [(one["by"], one["values"], one["changed"]) for one in records.journal()] == [
        ("api", {"Title": "x"}, True),
        ("person", {"Title": "y"}, False),
    ]
    assert len(records.journal(since=1)) == 1
    assert (records.writes, records.edits) == (1, 1)
    records.reset_tally()
    assert (records.writes, records.edits) == (0, 0)


def test_short_ids_find_their_row(clock: Any) -> None:
    records = Records(clock)
    key = made(records)
    assert records.get(key[:15]) == records.get(key)
    assert records.get("nonsense") is None
