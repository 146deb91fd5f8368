"""Who may change things: names, roles, and the hashes of their tokens.

As long as nobody is listed, everybody who reaches the database may do everything: that is how an installation begins.
From the first person on, every change names one of them, and `why_not` is asked in the transaction that makes it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.ports import Person
from tierwise.store import admin_events, engine, schema

TABLE = schema.person
ROLES = ("sales", "revops", "ops", "admin")
SYSTEM = "tierwise"
"""Acts where nobody does: it brings the first policy of an empty database, and nothing else."""
PREFIX = "tw_"


class People:
    """ports.People over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def add(self, name: str, *, roles: Collection[str], by: str, now: datetime) -> str:
        """The token, told once. The first one must be an admin. Raises Refused and Misconfigured."""
        unknown = sorted(set(roles) - set(ROLES))
        if unknown or not roles:
            raise errors.Misconfigured(
                f"'{unknown[0]}' is no role" if unknown else "a person needs a role",
                place="--role",
                remedy=f"any of {', '.join(ROLES)}",
            )
        if not name.strip() or name == SYSTEM or name.startswith("local:") or len(name) > 100:
            raise errors.Misconfigured(f"'{name}' cannot be the name of a person", place="users add")
        token = PREFIX + secrets.token_urlsafe(32)

        def work(connection: sa.Connection) -> str | None:
            lock(self._database, connection)
            why = why_not(connection, by, ("admin",))
            if why is None and not _listed(connection) and "admin" not in roles:
                why = "the first person must be an admin, or nobody could add the second"
            if why is None and _row(connection, name) is not None:
                why = f"there is a {name} already"
            after = {"roles": sorted(roles)}
            admin_events.note(
                connection, by, "users.add", subject=f"person {name}", reason="", now=now, refused=why, after=after
            )
            if why is None:
                row = {"name": name, "roles": sorted(roles), "token_hash": hashed(token), "by": by, "created_at": now}
                connection.execute(sa.insert(TABLE).values(row))
            return why

        refuse(self._database.write(work), place=f"person {name}", remedy="an admin adds people")
        return token

    def disable(self, name: str, *, by: str, now: datetime) -> None:
        """From now on their token opens nothing, and their approvals no longer count. Raises Refused."""

        def work(connection: sa.Connection) -> str | None:
            lock(self._database, connection)
            row = _row(connection, name)
            if row is None or row.disabled_at is not None:
                raise errors.Misconfigured(f"there is no active person {name}", remedy="tierwise users list")
            why = why_not(connection, by, ("admin",))
            others = [item for item in _enabled(connection) if "admin" in item.roles and item.name != name]
            if why is None and not others:
                why = "the last admin cannot be disabled: nobody could add another"
            admin_events.note(
                connection, by, "users.disable", subject=f"person {name}", reason="", now=now, refused=why,
                before={"roles": row.roles},
            )  # fmt: skip
            if why is None:
                connection.execute(sa.update(TABLE).where(TABLE.c.name == name).values(disabled_at=now))
            return why

        refuse(self._database.write(work), place=f"person {name}", remedy="an admin disables people")

    def list(self) -> list[Person]:
        """Everybody, in the order of their coming."""
        with self._database.read() as connection:
            return [_person(row) for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.id))]

    def of_token(self, token: str) -> Person | None:
        """None where nobody has it, or who has it was disabled."""
        query = sa.select(TABLE).where(TABLE.c.token_hash == hashed(token), TABLE.c.disabled_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _person(row) if row is not None else None

    def exist(self) -> bool:
        """Whether anybody is listed, disabled ones too."""
        with self._database.read() as connection:
            return _listed(connection)


def hashed(token: str) -> str:
    """What is stored of a token: it is long and random, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def lock(database: engine.Database, connection: sa.Connection) -> None:
    """One change of people or policies after the other; SQLite has one writer anyway."""
    if not database.is_sqlite:
        connection.execute(sa.text("LOCK TABLE person, policy_activation IN EXCLUSIVE MODE"))


def why_not(connection: sa.Connection, by: str, roles: Sequence[str]) -> str | None:
    """Why `by` may not do what needs one of these roles; None where they may."""
    if not _listed(connection):
        return None
    row = _row(connection, by)
    if row is None:
        return f"{by} is not among the people of this installation"
    if row.disabled_at is not None:
        return f"{by} was disabled"
    if not set(roles) & set(row.roles):
        return f"{by} has role {', '.join(row.roles)}; this needs {' or '.join(roles)}"
    return None


def listed(connection: sa.Connection) -> bool:
    """Whether anybody is."""
    return _listed(connection)


def roles_of(connection: sa.Connection) -> dict[str, frozenset[str]]:
    """Roles by name of those who are not disabled."""
    return {row.name: frozenset(row.roles) for row in _enabled(connection)}


def refuse(why: str | None, *, place: str, remedy: str) -> None:
    """Raise what a transaction found and recorded: it must not raise itself, or the record would be gone."""
    if why is not None:
        raise errors.Refused(why, place=place, remedy=remedy)


def _listed(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(TABLE.c.id).limit(1)).first() is not None


def _row(connection: sa.Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(TABLE).where(TABLE.c.name == name)).one_or_none()


def _enabled(connection: sa.Connection) -> Sequence[sa.Row[tuple[object, ...]]]:
    return connection.execute(sa.select(TABLE).where(TABLE.c.disabled_at.is_(None))).all()


def _person(row: sa.Row[tuple[object, ...]]) -> Person:
    return Person(row.id, row.name, frozenset(row.roles), row.by, row.created_at, row.disabled_at)
