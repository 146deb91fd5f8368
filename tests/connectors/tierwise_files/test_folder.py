"""What a folder holds; the connector over it is tested beside."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tierwise import errors, sdk
from tierwise_files import Settings
from tierwise_files.folder import GONE, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "a.csv").write_text("id,email\n1,ada@acme.example\n2,bob@acme.example\n")
    (tmp_path / "b.jsonl").write_text('{"id": 1, "email": "eve@else.example"}\n')
    return Folder(Settings(folder=tmp_path))


def test_rows_of_all_files(folder: Folder) -> None:
    found = {record.id: record.properties for record in folder.records(["email"])}
    assert found == {
        "a.csv:1": {"email": "ada@acme.example"},
        "a.csv:2": {"email": "bob@acme.example"},
        "b.jsonl:1": {"email": "eve@else.example"},
    }
    assert folder.columns() == ["email", "id"]
    assert [record.id for record in folder.of(["a.csv:2", "a.csv:9"], ["email"])] == ["a.csv:2"]


def test_files_that_did_not_change_stay_closed(folder: Folder) -> None:
    later = folder.now() + timedelta(hours=1)
    assert list(folder.records(["email"], since=later)) == []


def test_results_are_kept_by_place_and_refusals_are_told(folder: Folder) -> None:
    updates = [
        sdk.Update("a.csv:1", {"tierwise_score": 7}, "t1"),
        sdk.Update("a.csv:2", {"tierwise_score": 8}, "t2"),
        sdk.Update("c.csv:1", {"tierwise_score": 9}, "t3"),
    ]
    told = folder.keep(updates, refusal=lambda update: "no" if update.record_id.endswith("2") else "")
    assert told == ["", "no", GONE]
    assert {record.id: record.own for record in folder.records([]) if record.own} == {"a.csv:1": {"tierwise_score": 7}}


def test_what_the_system_refuses_is_told_with_the_remedy(tmp_path: Path) -> None:
    away = Folder(Settings(folder=tmp_path / "away"))
    with pytest.raises(errors.Unreachable, match="cannot be used") as caught, away.open():
        away.now()
    assert caught.value.place == str(tmp_path / "away")


def test_declared_fields_are_remembered(folder: Folder) -> None:
    assert folder.declared() == {}
    folder.declare({"tierwise_tier": ["A"]})
    assert folder.declared() == {"tierwise_tier": ["A"]}
