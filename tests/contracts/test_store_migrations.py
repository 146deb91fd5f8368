"""The tables come about, go, and come again on both engines, and are the ones that the code declares."""

from __future__ import annotations

import threading
import warnings
from concurrent import futures
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tierwise import errors, store
from tierwise.store import engine, migrations, schema


def test_up_down_and_up_again(database_url: str) -> None:
    assert store.current(database_url) == (None, schema.HEAD)
    store.upgrade(database_url)
    assert store.current(database_url) == (schema.HEAD, schema.HEAD)
    migrations.downgrade(database_url, revision="base")
    database = engine.Database(database_url)
    with database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {migrations.VERSION_TABLE, "sqlite_sequence"}
    database.close()
    store.upgrade(database_url)
    store.upgrade(database_url)
    assert store.current(database_url) == (schema.HEAD, schema.HEAD)


def test_the_tables_are_those_of_the_schema(database_url: str) -> None:
    store.upgrade(database_url)
    database = engine.Database(database_url)
    with database.read() as connection:
        # On SQLite alembic takes a default of '' for another one than ''.
        options = {"compare_type": True, "compare_server_default": not database.is_sqlite}
        context = MigrationContext.configure(connection, opts=options)
        found = autogenerate.compare_metadata(context, schema.metadata)
        inspector = sa.inspect(connection)
        checks = {
            (table, check["name"])
            for table in schema.metadata.tables
            for check in inspector.get_check_constraints(table)
        }
        partial = {
            str(index["name"])
            for table in schema.metadata.tables
            for index in inspector.get_indexes(table)
            if index.get("dialect_options", {}).get(f"{connection.dialect.name}_where") is not None
        }
    database.close()
    assert found == []
    # Neither is compared by alembic.
    declared = {
        (table.name, f"ck_{table.name}_{str(item.name).removeprefix(f'ck_{table.name}_')}")
        for table in schema.metadata.tables.values()
        for item in table.constraints
        if isinstance(item, sa.CheckConstraint)
    }
    assert checks == declared
    assert partial == {
        str(index.name)
        for table in schema.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }


def test_the_head_that_the_code_names_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(migrations.configuration())
    assert scripts.get_heads() == [schema.HEAD]


def test_many_processes_may_upgrade_at_once(database_url: str) -> None:
    barrier = threading.Barrier(4)

    def run(_: int) -> None:
        barrier.wait(20)
        store.open_store(database_url, migrate=True).close()

    with futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert store.current(database_url) == (schema.HEAD, schema.HEAD)


def test_an_old_schema_is_refused_with_the_remedy(database_url: str) -> None:
    with pytest.raises(errors.Misconfigured, match="tierwise db upgrade"):
        store.open_store(database_url)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    store.upgrade(database_url)
    database = engine.Database(database_url)
    database.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()
    with pytest.raises(errors.Misconfigured, match="newer version"):
        store.open_store(database_url, migrate=True)


def test_upgrade_makes_the_folder_of_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'tierwise.db'}"
    assert store.current(url) == (None, schema.HEAD)
    assert not (tmp_path / "a").exists()
    store.open_store(url, migrate=True).close()
    assert (tmp_path / "a" / "b" / "tierwise.db").is_file()


def test_alembic_says_nothing_on_the_way(database_url: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store.upgrade(database_url)
    assert [str(warning.message) for warning in caught] == []


def test_new_passes_begin_where_the_poll_stands(database_url: str) -> None:
    migrations.upgrade(database_url, revision="0001")
    database = engine.Database(database_url)
    at = "2026-11-02 09:00:00"
    rows = (
        f"INSERT INTO connection (name, type, created_at, updated_at) VALUES ('crm', 'hubspot', '{at}', '{at}')",
        f"INSERT INTO cursor (connection, watermark, version) VALUES ('crm', '{at}', 7)",
    )
    database.write(lambda connection: [connection.execute(sa.text(row)) for row in rows])
    migrations.upgrade(database_url)
    query = sa.text("SELECT kind, version FROM cursor ORDER BY kind")
    with database.read() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    assert found == [("changes", 7), ("outcomes", 0), ("reconcile", 0)]
    migrations.downgrade(database_url, revision="0001")
    with database.read() as connection:
        left = [tuple(row) for row in connection.execute(sa.text("SELECT connection, version FROM cursor"))]
    assert left == [("crm", 7)]
    database.close()
