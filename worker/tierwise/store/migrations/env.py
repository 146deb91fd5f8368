"""What alembic runs for every command: our tables, on the connection and transaction that it was handed."""

from __future__ import annotations

from alembic import context

from tierwise.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    # SQLite cannot alter most of a table in place.
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
