"""The map that ships for files: its own tests, and that each line of it is guarded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import policies
from tierwise.domain import mapping
from tierwise.domain.lead import CATALOGUE
from tierwise.domain.mapping import FieldMap
from tierwise_files import rows

FILE = Path(__file__).parents[2] / "rules" / "maps" / "files.yaml"


@pytest.fixture(scope="module")
def field_map() -> FieldMap:
    return policies.read_map(FILE)


def test_its_own_tests_pass(field_map: FieldMap) -> None:
    assert mapping.run_tests(field_map) == []


def test_its_tests_would_notice_a_broken_rule(field_map: FieldMap) -> None:
    for name in field_map.fields:
        rest = {other: rule for other, rule in field_map.fields.items() if other != name}
        assert mapping.run_tests(field_map.model_copy(update={"fields": rest})), f"nothing guards {name}"
    assert mapping.run_tests(field_map.model_copy(update={"require": ()}))


def test_its_columns_are_spelled_as_the_connector_spells_them(field_map: FieldMap, tmp_path: Path) -> None:
    names = mapping.properties(field_map)
    header = ",".join(name.replace("_", " ").title() for name in names)
    (tmp_path / "a.csv").write_text(f"{header}\n{','.join('x' * len(names))}\n")
    (row,) = rows.read(tmp_path / "a.csv", encoding="utf-8", id_column="id").values()
    assert set(row) == set(names)


def test_it_fills_every_field_but_the_derived_ones(field_map: FieldMap) -> None:
    assert set(field_map.fields) == {name for name, info in CATALOGUE.items() if not info.derived}
