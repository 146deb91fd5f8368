"""Files as people export them, and results that come back as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierwise import sdk
from tierwise_files import rows


def _read(path: Path, data: str | bytes, **options: str) -> dict[str, Any]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return rows.read(path, **{"encoding": "utf-8-sig", "id_column": "id", **options})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("\ufeffEmail,Company Name\na@acme.com,Acme\n", {"email": "a@acme.com", "company_name": "Acme"}),
        ("Email;Company Name\r\na@acme.com;Acme, Inc\r\n", {"email": "a@acme.com", "company_name": "Acme, Inc"}),
        ("email\tcompany_name\na@acme.com\tAcme", {"email": "a@acme.com", "company_name": "Acme"}),
        ("email,note\na@acme.com", {"email": "a@acme.com", "note": ""}),
        ("email\na@acme.com,too,many", {"email": "a@acme.com"}),
        ('email,note\na@acme.com,"two\nlines"\n', {"email": "a@acme.com", "note": "two\nlines"}),
        ("E-Mail Address\na@acme.com", {"e_mail_address": "a@acme.com"}),
        (b"email,note\na@acme.com,caf\xe9\n", {"email": "a@acme.com", "note": "caf\ufffd"}),
        ("email,note\na@acme.com," + "x" * 200_000, {"email": "a@acme.com", "note": "x" * 200_000}),
    ],
)
def test_csv_as_it_comes(tmp_path: Path, data: str | bytes, expected: dict[str, Any]) -> None:
    assert _read(tmp_path / "a.csv", data) == {"a.csv:1": expected}


def test_a_line_that_is_no_object_is_a_row_without_values(tmp_path: Path) -> None:
    """It ends in the review queue under its number; the rows around it are read."""
    text = '{"Email": "a@acme.com", "n": 0}\n\nnonsense\n[1]\n{"email": "b@acme.com"}'
    assert _read(tmp_path / "a.jsonl", text) == {
        "a.jsonl:1": {"email": "a@acme.com", "n": 0},
        "a.jsonl:2": {}, "a.jsonl:3": {}, "a.jsonl:4": {"email": "b@acme.com"},
    }  # fmt: skip


def test_an_id_names_its_row_and_hides_no_other(tmp_path: Path) -> None:
    text = "Lead ID,email\n0,a@acme.com\n,b@acme.com\n0,c@acme.com\n"
    found = _read(tmp_path / "a.csv", text, id_column="Lead ID")
    assert {key: row["email"] for key, row in found.items()} == {
        "a.csv:0": "a@acme.com", "a.csv:2": "b@acme.com", "a.csv:0~2": "c@acme.com",
    }  # fmt: skip


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    text = "email,company\na@acme.com,Ümlaut\n"
    assert _read(tmp_path / "a.csv", text.encode("utf-16"), encoding="utf-16")["a.csv:1"]["company"] == "Ümlaut"
    assert len(_read(tmp_path / "a.csv", b"\xff", encoding="utf-16")) <= 1


def test_results_stand_under_the_files_name() -> None:
    assert rows.beside(Path("in/leads.csv")) == Path("in/leads.tierwise.csv")


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(-5, 100) | st.just(0.5),
    "boolean": st.booleans(),
    "multi_choice": st.lists(st.sampled_from(["BIG", "=SMALL", "-X"]), min_size=1, unique=True).map(tuple),
}
_OWN = st.fixed_dictionaries({}, optional={f.name: _BY_KIND.get(f.kind, _TEXT) for f in sdk.FIELDS})


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=st.dictionaries(_TEXT, _OWN, max_size=3))
def test_what_is_written_is_read(tmp_path: Path, suffix: str, results: dict[str, Any]) -> None:
    path = tmp_path / f"a.tierwise.{suffix}"
    rows.write_results(path, results)
    found = rows.read_results(path)
    assert {key: {n: v for n, v in row.items() if v is not None} for key, row in found.items()} == results
    assert [other.name for other in tmp_path.iterdir()] == [path.name], "nothing is left beside it"
