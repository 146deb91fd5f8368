"""Files that Tierwise writes for a person."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from tierwise import errors, settings
from tierwise.settings import names, reading

REPOSITORY = Path(__file__).parents[3]
MINE = """\
# our portal
tick_seconds = 3   # quick

[connections.first]
type = "hubspot"   # the old one
# base_url = "x"

[pump]
chunk = 5
"""


def test_the_example_names_every_setting_and_changes_nothing(tmp_path: Path) -> None:
    example = settings.render_example()
    file = tmp_path / "tierwise.toml"
    file.write_text(example)
    assert settings.load(file, environ={}).model_dump() == settings.load(environ={}).model_dump()
    # With every comment taken away it is still a valid file that says what the defaults are.
    lines = [line.removeprefix("# ") for line in example.splitlines()]
    file.write_text("\n".join(line for line in lines if line.startswith("[") or " = " in line))
    found = settings.load(file, environ={"TIERWISE_HOME": str(Path.cwd() / ".tierwise")})
    given = {key for key, _, origin in settings.origins(found) if origin != "default"}
    named = {"connections": {}, "enrichers": {}, "notifiers": {}, "prices": {}}
    assert {**found.model_dump(), **named} == settings.load(environ={}).model_dump()
    unset = {
        "database_url",
        "broker_url",
        "policy_dir",
        "token",
        "model.primary",
        "model.secondary",
        "kill_file",
        "flags.provider",
    }
    unset |= {"budgets.daily_usd", "budgets.monthly_usd", "metrics.port", "kill_file", "flags.provider"}
    assert given >= {names.dotted(path) for path in reading.variables()} - unset


def test_the_example_in_the_repository_is_this_one() -> None:
    assert (REPOSITORY / "ops" / "tierwise.example.toml").read_text() == settings.render_example()


def test_a_connection_is_added_and_everything_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "tierwise.toml"
    file.write_text(MINE)
    assert settings.add_connection(file, "hubspot-emea", "hubspot", {"object_type": "contacts"}) == file
    text = file.read_text()
    for line in MINE.splitlines():
        assert line in text
    found = settings.load(file, environ={settings.token_variable("hubspot-emea"): "t"})
    assert [*found.connections] == ["first", "hubspot-emea"]
    assert found.connections["hubspot-emea"].options == {"object_type": "contacts"}
    assert found.connections["hubspot-emea"].secret("hubspot-emea") == "t"
    assert found.pump.chunk == 5


def test_without_a_file_it_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.add_connection(None, "a", "hubspot") == tmp_path / "tierwise.toml"
    assert [*settings.load(environ={}).connections] == ["a"]
    monkeypatch.setenv("TIERWISE_CONFIG", str(tmp_path / "other.toml"))
    assert settings.add_connection(None, "b", "hubspot") == tmp_path / "other.toml"
    assert [*settings.load().connections] == ["b"]


def test_a_missing_file_is_made_and_a_second_connection_follows(tmp_path: Path) -> None:
    file = tmp_path / "new" / "tierwise.toml"
    settings.add_connection(file, "a", "hubspot")
    settings.add_connection(file, "b-c", "files", {"folder": "in", "nothing": None})
    assert tomllib.loads(file.read_text()) == {
        "connections": {"a": {"type": "hubspot"}, "b-c": {"type": "files", "folder": "in"}}
    }


def test_a_token_is_written_only_on_request_and_then_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "tierwise.toml"
    settings.add_connection(file, "a", "hubspot")
    assert "token" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    settings.add_connection(file, "b", "hubspot", token="t")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings.add_connection(file, "c", "hubspot")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "an edit does not open it again"
    assert settings.load(file, environ={}).connections["b"].secret("b") == "t"
    assert [path.name for path in tmp_path.iterdir()] == ["tierwise.toml"]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (MINE, "first", "is there already"),
        ("[connections.a_b]\ntype = 'x'", "a-b", "`a_b` is there already"),
        (MINE, "Hub Spot", "no name for a connection"),
        (MINE, "a.b", "no name for a connection"),
        ("connections = 1", "a", "must be a table"),
        ("a = 1\nb = ", "a", "tierwise.toml:2: is not TOML"),
    ],
)
def test_a_refusal_leaves_the_file_as_it_was(tmp_path: Path, text: str, name: str, said: str) -> None:
    file = tmp_path / "tierwise.toml"
    file.write_text(text)
    with pytest.raises(errors.Misconfigured) as caught:
        settings.add_connection(file, name, "hubspot")
    assert said in str(caught.value)
    assert file.read_text() == text


def test_an_unwritable_place_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.Misconfigured, match="cannot be"):
        settings.add_connection(tmp_path / "file" / "tierwise.toml", "a", "hubspot")
