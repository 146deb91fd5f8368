"""A map by itself: read as part of a policy is, with every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import content
from tierwise.domain import mapping
from tierwise.errors import Misconfigured
from tierwise.policies import loading, maps

GOOD = 'connector: files\nowner: ops\nversion: "1"\nfields:\n  email: [mail, e_mail]\n  employee_count: staff\n'

MISTAKES = [
    # what stands in the file, where it is told, what is told, what to do
    ("", "1:1", "the file is empty", ""),
    ("# nothing but this\n", "1:1", "the file is empty", ""),
    ("- a\n", "1:1", "keys and values are needed", "key: value"),
    ("connector: [\n", "2:1", "not YAML", ""),
    (GOOD + "owner: me\n", "7:1", "'owner' stands twice", "line 2"),
    (GOOD.replace("owner: ops\n", ""), "1:1", "'owner' is missing", ""),
    (GOOD.replace("email:", "emial:"), "5:3", "'emial' is not a lead field", "did you mean 'email'?"),
    (GOOD.replace("email:", "email_kind:"), "5:3", "derived by Tierwise", ""),
    (
        GOOD.replace("staff", "{from: staff, transform: rnage}"),
        "6:44",
        "no such transform: 'rnage'",
        "did you mean 'range'?",
    ),
    (GOOD.replace('"1"', "1.10"), "3:10", "text is needed", "quotes"),
]


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "my map.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_map_is_read_and_works(tmp_path: Path, mark: bytes) -> None:
    field_map = maps.read_map(_write(tmp_path, mark + GOOD.encode()))
    assert mapping.properties(field_map) == ("e_mail", "mail", "staff")
    lead = mapping.apply(field_map, {"e_mail": "Ada@Acme.com", "staff": "51-200"}).lead
    assert (lead.email, lead.employee_count) == ("ada@acme.com", 126)


@pytest.mark.parametrize(("text", "where", "message", "remedy"), MISTAKES, ids=[item[2] for item in MISTAKES])
def test_the_first_mistake_is_told_at_its_place(
    tmp_path: Path, text: str, where: str, message: str, remedy: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(Misconfigured) as caught:
        maps.read_map(path)
    assert caught.value.place == f"{path}:{where}"
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (_write(tmp_path, b"owner: M\xfcller\n"), "not UTF-8"),
    ):
        with pytest.raises(Misconfigured, match=why) as caught:
            maps.read_map(path)
        assert (caught.value.place, caught.value.remedy) == (str(path), "name a YAML file")


def test_the_map_that_ships_reads_alone_as_it_does_in_its_policy() -> None:
    folder = content.find(None)
    loaded = loading.load(folder).policy
    assert loaded is not None
    assert loaded.maps
    for name, field_map in loaded.maps.items():
        assert maps.read_map(folder / "rules" / "maps" / f"{name}.yaml") == field_map
