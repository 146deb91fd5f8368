from __future__ import annotations

from pathlib import Path

import pytest

from tierwise_sandbox.definitions import Definitions
from tierwise_sandbox.leads.files import property_name, read


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_columns_become_properties_as_they_are(tmp_path: Path) -> None:
    text = "\ufeffemail,Company Size,lastmodifieddate,hs_object_id\nA@B.example,51-200,2026-11-21T08:00:00Z,77\n,,,\n"
    definitions = Definitions(1)
    rows = read(written(tmp_path, "a.csv", text), definitions)
    stamp = 1_795_248_000_000
    assert rows == [({"email": "A@B.example", "company_size": "51-200"}, stamp, stamp, 77), ({}, None, None, None)]


def test_unknown_columns_become_text_properties_of_the_portal(tmp_path: Path) -> None:
    definitions = Definitions(1)
    text = '\ufeff{"email": "a@b.example", "Anzahl Läden": 12, "tags": ["x", "y"], "vip": true, "note": null}\n\n'
    ((held, *_),) = read(written(tmp_path, "a.jsonl", text), definitions)
    assert held == {"email": "a@b.example", "anzahl_l_den": "12", "tags": '["x", "y"]', "vip": "true"}
    assert definitions.property("anzahl_l_den")["label"] == "Anzahl Läden"
    assert definitions.types()["tags"] == "string"
    assert "note" not in definitions.types()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"a": 1}\n{"a"', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", "[1]", r"a\.jsonl:1: a JSON object"),
        ("a.csv", "email\na@b.example,more\n", r"a\.csv:2: more cells"),
        ("a.csv", "createdate\nyesterday\n", r"a\.csv:2: createdate: 'yesterday'"),
        ("a.csv", "hs_object_id\nx1\n", r"a\.csv:2: hs_object_id 'x1'"),
        ("a.csv", "!!\nx\n", r"a\.csv:2: column '!!'"),
        ("a.csv", 'email\n"open\n', r"a\.csv:\d: not CSV"),
        ("a.xlsx", "", r"\.csv or \.jsonl"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(written(tmp_path, name, text), Definitions(1))


@pytest.mark.parametrize(
    ("column", "name"),
    [("Email ", "email"), ("Monthly Volume (#)", "monthly_volume"), ("2nd phone", "p_2nd_phone"), ("--", "")],
)
def test_names_are_spelled_as_hubspot_would(column: str, name: str) -> None:
    assert property_name(column) == name
