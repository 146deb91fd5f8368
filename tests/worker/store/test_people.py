"""Who may change things, from the first person on."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.store import engine, schema


def test_a_token_opens_what_only_its_hash_is_stored_of(desk: Any, store_url: str) -> None:
    people = desk.store.people
    assert not people.exist()
    token = people.add("ada", roles=["admin", "ops"], by="local:root", now=desk.now)
    assert people.exist()
    found = people.of_token(token)
    assert (found.name, found.roles, found.by, found.disabled_at) == ("ada", {"admin", "ops"}, "local:root", None)
    assert people.of_token(token + "x") is None
    assert people.of_token("") is None
    database = engine.Database(store_url)
    with database.read() as connection:
        stored = str([dict(row._mapping) for row in connection.execute(sa.select(schema.person))])
        told = str([dict(row._mapping) for row in connection.execute(sa.select(schema.admin_event))])
    database.close()
    assert token not in stored + told
    assert people.list() == [found]


def test_the_first_person_is_an_admin_and_only_an_admin_adds_others(desk: Any) -> None:
    people = desk.store.people
    with pytest.raises(errors.Refused, match="must be an admin"):
        people.add("sam", roles=["sales"], by="local:root", now=desk.now)
    people.add("ada", roles=["admin"], by="local:root", now=desk.now)
    people.add("sam", roles=["sales"], by="ada", now=desk.now)
    for by in ("sam", "local:root", "nobody"):
        with pytest.raises(errors.Refused):
            people.add("eve", roles=["admin"], by=by, now=desk.now)
    with pytest.raises(errors.Refused, match="already"):
        people.add("sam", roles=["ops"], by="ada", now=desk.now)
    assert [item.name for item in people.list()] == ["ada", "sam"]
    refused = [(item.actor, item.subject) for item in desk.store.admin_events.list() if item.refused]
    assert refused == [
        ("ada", "person sam"), ("nobody", "person eve"), ("local:root", "person eve"), ("sam", "person eve"),
        ("local:root", "person sam"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["tierwise", "local:ada", " ", "x" * 101])
def test_names_that_mean_something_else_are_refused(desk: Any, name: str) -> None:
    with pytest.raises(errors.Misconfigured):
        desk.store.people.add(name, roles=["admin"], by="local:root", now=desk.now)


@pytest.mark.parametrize("roles", [[], ["boss"], ["admin", "boss"]])
def test_roles_are_those_that_are_known(desk: Any, roles: list[str]) -> None:
    with pytest.raises(errors.Misconfigured, match="role"):
        desk.store.people.add("ada", roles=roles, by="local:root", now=desk.now)


def test_who_was_disabled_opens_nothing_and_stays_on_the_list(desk: Any) -> None:
    people = desk.store.people
    people.add("ada", roles=["admin"], by="local:root", now=desk.now)
    token = people.add("sam", roles=["sales"], by="ada", now=desk.now)
    with pytest.raises(errors.Refused, match="last admin"):
        people.disable("ada", by="ada", now=desk.now)
    with pytest.raises(errors.Refused):
        people.disable("ada", by="sam", now=desk.now)
    people.disable("sam", by="ada", now=desk.wait(1))
    assert people.of_token(token) is None
    assert [item.disabled_at for item in people.list()] == [None, desk.now]
    with pytest.raises(errors.Misconfigured):
        people.disable("sam", by="ada", now=desk.now)
    with pytest.raises(errors.Misconfigured):
        people.disable("nobody", by="ada", now=desk.now)
