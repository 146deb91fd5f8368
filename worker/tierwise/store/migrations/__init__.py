"""Bringing a database to this version's tables. Alembic is imported only here, when it is needed (it takes a second).

Works from a wheel: no alembic.ini, the scripts are found beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tierwise import errors
from tierwise.store import engine, schema

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "alembic_version"


def upgrade(url: str, *, revision: str = "head") -> None:
    """Bring the tables to `revision`; several processes may call it at once. Unreachable, Misconfigured, RetryLater."""
    database = engine.Database(url)
    if database.is_sqlite:
        Path(str(database.url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    _run(database, "upgrade", revision)


def downgrade(url: str, *, revision: str) -> None:
    """Take the tables back to `revision` (`base`: none are left)."""
    _run(engine.Database(url), "downgrade", revision)


def current(url: str) -> tuple[str | None, str]:
    """The database's revision (None: it has no tables yet) and the newest one of this version."""
    database = engine.Database(url)
    try:
        return revision_of(database), schema.HEAD
    finally:
        database.close()


def revision_of(database: engine.Database) -> str | None:
    """The database's revision, without alembic. Unreachable, Misconfigured."""
    if not database.exists():
        return None
    with database.read() as connection:
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        row = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608 - a constant
    return str(row[0]) if row is not None else None


def configuration() -> Config:
    """Alembic's configuration: where the scripts are, nothing else."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _run(database: engine.Database, direction: str, revision: str) -> None:
    from alembic import command, util

    def work(connection: sa.Connection) -> None:
        if not database.is_sqlite:
            # One at a time; SQLite's write transaction is such a lock already.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('tierwise migrations'))"))
        config = configuration()
        config.attributes["connection"] = connection
        if direction == "upgrade":
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)

    try:
        database.write(work)
    except util.CommandError as error:
        raise errors.Misconfigured(
            "the database was made by a newer version of Tierwise",
            place=database.place,
            remedy="install that version, or restore a backup",
        ) from error
    finally:
        database.close()
