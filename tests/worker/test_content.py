from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import content
from tierwise.errors import Misconfigured


def test_the_setting_comes_first(tmp_path: Path) -> None:
    content.lay_out(tmp_path)
    assert content.find(tmp_path) == tmp_path


def test_without_a_setting_the_shipped_files_are_found() -> None:
    directory = content.find(None)
    assert (directory / "prompts" / "qualify.md").is_file()
    assert (directory / "rules" / "reasons.yaml").is_file()


def test_a_setting_without_a_policy_is_told_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"qualify\.md is missing") as caught:
        content.find(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_laying_out_copies_every_file_and_a_second_time_none(tmp_path: Path) -> None:
    target = tmp_path / "mine"
    written = content.lay_out(target)
    shipped = content.find(None)
    assert target / "prompts" / "qualify.md" in written
    assert {path.relative_to(target) for path in written} == {
        path.relative_to(shipped)
        for folder in content.FOLDERS
        for path in (shipped / folder).rglob("*")
        if path.suffix in {".md", ".yaml", ".json"}
    }
    for path in written:
        assert path.read_bytes() == (shipped / path.relative_to(target)).read_bytes()
    assert content.lay_out(target) == []


def test_laying_out_never_overwrites(tmp_path: Path) -> None:
    mine = tmp_path / "rules" / "reasons.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")
    written = content.lay_out(tmp_path)
    assert mine.read_text() == "mine"
    assert mine not in written
    assert written


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("")
    with pytest.raises(Misconfigured, match="stands where a directory"):
        content.lay_out(target)
