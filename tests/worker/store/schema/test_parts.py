"""What every table is made of."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store import schema
from tierwise.store.schema import parts


def test_a_word_of_a_closed_list_is_named_after_its_column() -> None:
    table = sa.Table("sample", sa.MetaData(naming_convention=parts.metadata.naming_convention), parts.one_of("a", "x"))
    assert {constraint.name for constraint in table.constraints} >= {"ck_sample_a"}


def test_every_constraint_has_a_name_for_migrations_to_find() -> None:
    nameless = [
        f"{table.name}: {constraint}"
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None and not isinstance(constraint, sa.PrimaryKeyConstraint)
    ]
    assert not nameless


def test_a_partial_index_is_one_on_both_engines() -> None:
    assert {name: str(text) for name, text in parts.where("a = 1").items()} == {
        "sqlite_where": "a = 1",
        "postgresql_where": "a = 1",
    }
