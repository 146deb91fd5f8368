"""Addresses, transactions, and what a database's refusals become."""

from __future__ import annotations

import socket
import sqlite3
import threading
from concurrent import futures
from pathlib import Path

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.store import engine, schema


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite+pysqlite"),
        ("sqlite+pysqlite:////tmp/x.db", "sqlite+pysqlite"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),  # what hosted databases hand out
    ],
)
def test_addresses_that_are_taken(url: str, driver: str) -> None:
    assert engine.address(url).drivername == driver


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d", "sqlite://", "sqlite:///:memory:"],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(errors.Misconfigured, match="TIERWISE_DATABASE_URL") as caught:
        engine.address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:secret@db.example:5433/leads?password=hidden", "database leads at db.example"),
        ("postgresql://ann:secret@/leads?host=/run/pg", "database leads at /run/pg"),
        ("sqlite:////data/leads.db", "database /data/leads.db"),
    ],
)
def test_people_see_where_but_no_secret(url: str, shown: str) -> None:
    assert engine.shown(engine.address(url)) == shown


def test_nothing_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    database = engine.Database(f"postgresql://ann:secret@127.0.0.1:{port}/leads")
    with pytest.raises(errors.Unreachable) as caught, database.read():
        pass
    assert "secret" not in str(caught.value)
    assert "leads at 127.0.0.1" in str(caught.value)
    database.close()


def test_a_database_that_does_not_exist(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(database="not_there").render_as_string(hide_password=False)
    database = engine.Database(url)
    with pytest.raises(errors.Misconfigured, match="no such database"), database.read():
        pass
    database.close()


def test_a_user_that_does_not_exist(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(username="stranger", password="secret").render_as_string(hide_password=False)
    database = engine.Database(url)
    with pytest.raises(errors.Misconfigured, match="refuses this user") as caught, database.read():
        pass
    assert "secret" not in str(caught.value)
    database.close()


@pytest.mark.parametrize("content", [None, b"this is a text, not a database, and long enough to be told apart" * 20])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folder" / "x.db" if content is None else tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    database = engine.Database(f"sqlite:///{path}")
    with pytest.raises(errors.Misconfigured, match="cannot be opened"), database.read():
        pass
    database.close()


def test_tables_that_are_not_there(database_url: str) -> None:
    database = engine.Database(database_url)
    with pytest.raises(errors.Misconfigured, match="tierwise db upgrade"), database.read() as connection:
        connection.execute(sa.select(schema.lead))
    database.close()


def test_all_or_nothing(store_url: str) -> None:
    database = engine.Database(store_url)

    def half(connection: sa.Connection) -> None:
        connection.execute(sa.insert(schema.heartbeat).values(role="r", instance="i", at=NOW, info={}))
        raise errors.LeaseLost

    with pytest.raises(errors.LeaseLost):
        database.write(half)
    with database.read() as connection:
        assert connection.execute(sa.select(schema.heartbeat)).all() == []
    database.close()


def test_sqlite_is_set_up_for_a_queue(tmp_path: Path) -> None:
    database = engine.Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.read() as connection:
        asked = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    database.close()
    assert asked == PRAGMAS


def test_postgresql_is_given_limits(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).update_query_dict({"options": "-c work_mem=5MB"}).render_as_string(False)
    database = engine.Database(url)
    with database.read() as connection:
        asked = {name: connection.execute(sa.text(f"SHOW {name}")).scalar() for name in LIMITS}
    database.close()
    assert asked == LIMITS


def test_a_writer_that_is_stuck_is_reported_as_busy(tmp_path: Path) -> None:
    database = engine.Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.read() as connection:
        # The pool hands out this same connection below.
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        connection.exec_driver_sql("CREATE TABLE t (a)")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(errors.RetryLater, match="busy"):
        database.write(lambda connection: connection.exec_driver_sql("INSERT INTO t VALUES (1)"))
    other.execute("ROLLBACK")
    other.close()
    database.write(lambda connection: connection.exec_driver_sql("INSERT INTO t VALUES (1)"))
    database.close()


def test_a_deadlock_is_resolved_by_doing_it_again(store_url: str) -> None:
    """Two transactions that take two rows in opposite order: PostgreSQL ends one, and it starts over."""
    database = engine.Database(store_url)
    row = schema.heartbeat
    for name in ("a", "b"):
        database.write(
            lambda connection, name=name: connection.execute(
                sa.insert(row).values(role="r", instance=name, at=NOW, info={"n": 0})
            )
        )
    met = threading.Barrier(2)
    tries: list[str] = []

    def both(names: tuple[str, str]) -> None:
        def work(connection: sa.Connection) -> None:
            tries.append(names[0])
            first = len(tries) <= 2 and not database.is_sqlite
            for name in names:
                connection.execute(sa.update(row).where(row.c.instance == name).values(info={"n": names[0]}))
                if first and name == names[0]:
                    met.wait(20)

        database.write(work)

    with futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(both, [("a", "b"), ("b", "a")]))
    assert len(tries) == (2 if database.is_sqlite else 3)
    database.close()


def test_a_failing_statement_shows_no_values(store_url: str) -> None:
    database = engine.Database(store_url)
    row = {"outbox_id": 1, "connection": "nobody", "record_id": "1", "batch": "b", "version": 1, "generation": 1}
    values = {"tierwise_reasons": "ada@acme.example"}
    statement = sa.insert(schema.write_attempt).values(**row, values=values, at=NOW)
    with pytest.raises(sa.exc.IntegrityError) as caught:
        database.write(lambda connection: connection.execute(statement))
    assert "ada@" not in str(caught.value)
    database.close()


NOW = sa.func.current_timestamp()
PRAGMAS = {"journal_mode": "wal", "busy_timeout": engine.BUSY_MS, "synchronous": 1, "foreign_keys": 1}
LIMITS = {
    "application_name": "tierwise",
    "statement_timeout": "1min",
    "idle_in_transaction_session_timeout": "1min",
    "work_mem": "5MB",
}


def test_a_statement_is_made_once_for_each_database(tmp_path: Path) -> None:
    made = []

    def build(database: engine.Database) -> str:
        made.append(database)
        return f"for {len(made)}"

    one, two = (engine.Database(f"sqlite:///{tmp_path / name}") for name in ("1.db", "2.db"))
    assert [one.prepared(build), one.prepared(build), two.prepared(build)] == ["for 1", "for 1", "for 2"]
    assert [one.prepared(build, key="other"), one.prepared(build, key="other")] == ["for 3", "for 3"]
    one.close()
    two.close()
