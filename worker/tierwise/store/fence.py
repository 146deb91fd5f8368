"""Lease tokens: every claim draws the next one, so that of two owners the later one is always known."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store import schema

_DRAW = sa.insert(schema.fence).returning(schema.fence.c.token)
_EMPTY = sa.delete(schema.fence)


def draw(connection: sa.Connection) -> int:
    """A token greater than every token drawn before, on this database by anybody."""
    if connection.dialect.name == "postgresql":
        # No row lock: claims of different owners do not wait for each other.
        sequence = sa.func.pg_get_serial_sequence(schema.fence.name, schema.fence.c.token.name)
        return int(connection.execute(sa.select(sa.func.nextval(sequence))).scalar_one())
    token = int(connection.execute(_DRAW).scalar_one())
    connection.execute(_EMPTY)
    return token
