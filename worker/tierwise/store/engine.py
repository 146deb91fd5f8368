"""The way to the database: addresses, connections, transactions, and errors in our own families.

A transaction is short and never open across a model or CRM call. No address or message here shows a password.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import interfaces

from tierwise import errors
from tierwise.store import columns

T = TypeVar("T")
Insert = postgresql.Insert | sqlite.Insert

WRITING = "tierwise_writing"
BUSY_MS = 15_000
CONNECT_SECONDS = 10
STATEMENT_MS = 60_000
ATTEMPTS = 5
AGAIN = ("40001", "40P01")
"""Serialization failure and deadlock: nothing was stored, the same transaction may succeed at once."""
UPGRADE = "run `tierwise db upgrade`"
SETTING = "set TIERWISE_DATABASE_URL to sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
_REFUSED = ("password authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


def address(url: str) -> sa.URL:
    """The parsed address. Misconfigured where it is none that we know."""
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise errors.Misconfigured("this is not a database address", place="database", remedy=SETTING) from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise errors.Misconfigured("a database in memory forgets everything", place="database", remedy=SETTING)
        return parsed.set(drivername="sqlite+pysqlite")
    raise errors.Misconfigured(f"no database of kind {parsed.drivername}", place="database", remedy=SETTING)


def shown(url: sa.URL) -> str:
    """The address for people: where it is, never with what secret."""
    if url.get_backend_name() == "sqlite":
        return f"database {url.database}"
    return f"database {url.database or url.username or ''} at {url.host or url.query.get('host') or 'localhost'}"


class Database:
    """One engine, and how everything else here talks to it. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet. Misconfigured where the address is wrong."""
        self.url = address(url)
        self.place = shown(self.url)
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = self.engine.execution_options(**{WRITING: True})
        self._turn = threading.Lock()
        self._prepared: dict[Hashable, Any] = {}
        self.notifiers: dict[str, Collection[str]] = {}
        """Who is told what happens, and about which events (none named: all)."""

    @property
    def is_sqlite(self) -> bool:
        """Which of the two engines."""
        return self.url.get_backend_name() == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection on which every statement stands alone."""
        with self._translated(), self._reader.connect() as connection:
            yield connection

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction; all of it is stored, or nothing. It may run more than once."""
        for attempt in range(1, ATTEMPTS + 1):
            with self._translated():
                try:
                    with self._alone(), self._writer.begin() as connection:
                        return work(connection)
                except exc.DBAPIError as error:
                    if sqlstate(error) not in AGAIN or attempt == ATTEMPTS:
                        raise
            time.sleep(random.uniform(0.0, 0.02 * attempt))  # noqa: S311 - jitter, no secret
        raise AssertionError("unreachable")

    def insert(self, table: sa.Table) -> Insert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def prepared(self, build: Callable[[Database], T], *, key: Hashable = None) -> T:
        """What `build` makes of this database, made once: to make a statement costs as much as to execute it.

        `build` is known by itself, or by `key`.
        """
        key = key or build
        if key not in self._prepared:
            self._prepared[key] = build(self)
        made: T = self._prepared[key]
        return made

    def exists(self) -> bool:
        """False where the database file is not there yet; True for a server, which is asked when used."""
        return not self.is_sqlite or Path(str(self.url.database)).exists()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        # SQLite has one writer; queueing here is fair, its own busy handler only polls.
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_MS / 1000):
            raise errors.RetryLater("the database is busy", place=self.place)
        try:
            yield
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise self._translate(error) from error
        except exc.TimeoutError as error:
            raise errors.RetryLater("all connections to the database are in use", place=self.place) from error

    def _translate(self, error: exc.DBAPIError) -> Exception:
        text, code = str(error.orig).lower(), sqlstate(error)
        if code in ("42P01", "42703") or "no such table" in text or "no such column" in text:
            why, remedy = "the schema is not the one this version needs", UPGRADE
        elif any(words in text for words in ("unable to open database file", "not a database", "readonly database")):
            why, remedy = "the file cannot be opened as a database", "check its path and permissions"
        elif code in ("28P01", "28000", "3D000") or (code is None and any(words in text for words in _REFUSED)):
            why, remedy = "the server refuses this user or has no such database", SETTING
        elif "locked" in text or code in ("55P03", "57014", "25P03", *AGAIN):
            return errors.RetryLater("the database is busy", place=self.place)
        elif "disk is full" in text or code in ("53100", "53200", "53300"):
            return errors.RetryLater("the database has no room or no connections left", place=self.place)
        elif isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
            return errors.Unreachable("the database does not answer", place=self.place, remedy="is it running?")
        else:
            return error
        return errors.Misconfigured(why, place=self.place, remedy=remedy)


def sqlstate(error: exc.DBAPIError) -> str | None:
    """PostgreSQL's code of the error, None on SQLite and where no server answered."""
    return getattr(error.orig, "sqlstate", None)


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url, hide_parameters=True, json_serializer=columns.dumps, connect_args={"timeout": BUSY_MS / 1000}
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: interfaces.DBAPIConnection, _: Any) -> None:
        # The driver must not begin transactions by itself: it would begin them as readers.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON",
            # 16 MB: a batch of decisions is 1 MB, and with every 4 of them most pages were written twice.
            "wal_autocheckpoint=4000",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(WRITING):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    given = url.query.get("options", "")
    limits = f"-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout={STATEMENT_MS}"
    return sa.create_engine(
        url,
        hide_parameters=True,
        json_serializer=columns.dumps,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=30,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "tierwise",
            # A server that vanished without a word: the limits above are kept by the server itself.
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
            "options": f"{limits} {given}".strip(),
        },
    )
