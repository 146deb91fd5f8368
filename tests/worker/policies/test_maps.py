from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import content, policies
from tierwise.errors import Misconfigured

Write = Callable[..., Path]


def test_a_map_stands_alone() -> None:
    shipped = content.find(None) / "rules" / "maps" / "hubspot.yaml"
    assert policies.read_map(shipped).connector == "hubspot"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("connector: x\nowner: o\nversion: '1'\nfields:\n  emial: a\n", ":5:3", "'emial' is not a lead field"),
        ("connector: x\nowner: o\nversion: '1'\n", ":1:1", "'fields' is missing"),
        ("a: 1\na: 2\n", ":2:1", "stands twice"),
        ("- a\n", ":1:1", "keys and values"),
        ("", ":1:1", "empty"),
    ],
)
def test_the_first_mistake_has_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=message) as caught:
        policies.read_map(path)
    assert caught.value.place == f"{path}{place}"


def test_what_is_no_file_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        policies.read_map(tmp_path / "nowhere.yaml")
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"owner: M\xfcller")
    with pytest.raises(Misconfigured, match="not UTF-8"):
        policies.read_map(path)
