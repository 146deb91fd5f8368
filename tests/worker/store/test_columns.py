"""Values come back as they went in, on both engines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from tierwise import store
from tierwise.store import columns

KIRITIMATI = timezone(timedelta(hours=14))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_times_are_utc_in_and_out(dialect: sa.Dialect) -> None:
    kind = columns.Utc()
    bound = kind.process_bind_param(datetime(2026, 1, 1, 1, 30, 0, 7, tzinfo=KIRITIMATI), dialect)
    assert kind.process_result_value(bound, dialect) == datetime(2025, 12, 31, 11, 30, 0, 7, tzinfo=UTC)
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        columns.Utc().process_bind_param(datetime(2026, 1, 1), sqlite.dialect())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "Zoë"}, {"a": "Zoë"}),
        ({"a": "x\x00y", "b": ["\x00"]}, {"a": "x\ufffdy", "b": ["\ufffd"]}),  # PostgreSQL takes no NUL
        ({"a": "\\u0000"}, {"a": "\\u0000"}),  # a backslash and five characters, not a NUL
        ({"a": "\ud800"}, {"a": "?"}),  # half of a surrogate pair is no text
        ({}, {}),
        ([], []),
        ("", ""),
        (0, 0),
        (None, None),
    ],
)
def test_dumps_writes_what_both_engines_take(value: Any, expected: Any) -> None:
    assert json.loads(columns.dumps(value)) == expected


def test_json_goes_through_both_engines(opened: store.SqlStore) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    info = {"text": "NUL \x00, half \ud800, Zoë, 💡, \\u0000", "number": 1.5, "nothing": None, "list": [1, "2"]}
    opened.heartbeats.beat("r", "i", info=info, now=moment)
    assert opened.heartbeats.latest()[0].info == {**info, "text": "NUL \ufffd, half ?, Zoë, 💡, \\u0000"}


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text() | st.tuples(st.text(), st.text())))
def test_advice_comes_back_as_the_domain_knows_it(value: dict[str, Any]) -> None:
    assert columns.advice(json.loads(json.dumps(columns.plain(value)))) == value


def test_chunks_cover_everything_once() -> None:
    assert list(columns.chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(columns.chunks([])) == []
