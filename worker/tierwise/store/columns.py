"""Column types that mean the same on SQLite and PostgreSQL, and what crosses them.

Times go in and come out timezone-aware in UTC; a naive time is a bug and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tierwise.domain.advice import Advice, AdviceValue

NUL = "\x00"
REPLACEMENT = "\ufffd"
UNSURE = "(unsure)"
"""Stands in `known` for a value that the CRM may or may not have taken; equal to nothing that is ever desired."""


class Utc(sa.types.TypeDecorator[datetime]):
    """A point in time, to the microsecond."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        utc = value.astimezone(UTC)
        # SQLite keeps text: without an offset every value sorts as it should.
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def state(*names: str) -> sa.String:
    """Column type of a state; its CHECK constraint is written beside the table."""
    return sa.String(max(len(name) for name in names) + 4)


def literal(value: str) -> sa.BindParameter[str]:
    """A constant in the SQL text itself: a partial index serves only a condition it can see."""
    return sa.literal(value, literal_execute=True)


_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def dumps(value: Any) -> str:
    """JSON text that both engines take: PostgreSQL refuses NUL and half of a surrogate pair."""
    if not value and isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    text = _JSON.encode(value)
    if "\\u0000" in text:
        text = _JSON.encode(_without_nul(value))
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def advice(value: Mapping[str, Any] | None) -> dict[str, AdviceValue]:
    """Stored advice as the domain knows it: JSON has no tuples."""
    return {name: tuple(item) if isinstance(item, list) else item for name, item in (value or {}).items()}


def plain(value: Advice) -> dict[str, Any]:
    """Advice as JSON keeps it."""
    return {name: list(item) if isinstance(item, tuple) else item for name, item in value.items()}


def chunks(values: Iterable[Any], size: int = 1000) -> Iterable[list[Any]]:
    """Slices below the engines' limits on parameters of one statement."""
    every = list(values)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, REPLACEMENT)
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(item) for item in value]
    return value
