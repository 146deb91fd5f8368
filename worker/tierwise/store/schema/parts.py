"""The one metadata object, and what the tables of every topic are made of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

GENESIS = "0" * 64
RECORD_ID = sa.String(200)
NAME = sa.String(100)
HASH = sa.String(64)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, *names: str) -> sa.CheckConstraint:
    """The column holds one of these words."""
    return sa.CheckConstraint(f"{column} IN ({', '.join(repr(name) for name in names)})", name=column)


def connection_name() -> sa.Column[str]:
    """Whose record it is."""
    return sa.Column("connection", NAME, sa.ForeignKey("connection.name"), nullable=False)


def where(condition: str) -> dict[str, Any]:
    """A partial index, in both dialects."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
