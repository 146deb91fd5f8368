"""Environment before file before defaults; every mistake with its place and its remedy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import errors, settings
from tierwise.settings import names, reading

Read = Callable[..., settings.Settings]


def test_the_environment_wins_over_the_file(read: Read) -> None:
    found = read(
        "tick_seconds = 5\npoll_seconds = 30\n[pump]\nchunk = 7\nbatch = 8",
        TIERWISE_TICK_SECONDS="1.5",
        TIERWISE_PUMP__CHUNK="9",
    )
    assert (found.tick_seconds, found.poll_seconds, found.pump.chunk, found.pump.batch) == (1.5, 30, 9, 8)


def test_a_variable_finds_its_connection_though_it_cannot_hold_a_dash(read: Read) -> None:
    found = read(
        '[connections.hubspot-emea]\ntype = "hubspot"\nbase_url = "http://file"\n',
        TIERWISE_CONNECTIONS__HUBSPOT_EMEA__TOKEN="t",
        TIERWISE_CONNECTIONS__HUBSPOT_EMEA__BASE_URL="http://environment",
    )
    assert [*found.connections] == ["hubspot-emea"]
    assert found.connections["hubspot-emea"].options == {"base_url": "http://environment"}
    assert found.connections["hubspot-emea"].secret("hubspot-emea") == "t"


def test_a_connection_may_be_all_in_the_environment() -> None:
    found = settings.load(
        environ={"TIERWISE_CONNECTIONS__DEMO__TYPE": "hubspot", "TIERWISE_CONNECTIONS__DEMO__POLL_SECONDS": "5"}
    )
    assert found.connections["demo"].type == "hubspot"
    assert found.connections["demo"].poll_seconds == 5


def test_an_empty_value_is_no_value_in_either_place(read: Read) -> None:
    found = read('broker_url = ""\n[model]\nprimary = ""', TIERWISE_DATABASE_URL="", TIERWISE_POLICY_DIR="")
    assert found.broker_url is None
    assert found.policy_dir is None
    assert found.model.primary is None
    assert found.database_url.startswith("sqlite:///")


def test_paths_in_the_file_are_relative_to_it(read: Read, tmp_path: Path) -> None:
    found = read('home = "data"\npolicy_dir = "."\n[connections.a]\ntype = "hubspot"\ntoken_file = "run/token"\n')
    assert found.home == tmp_path / "data"
    assert found.policy_dir == tmp_path
    assert found.connections["a"].token_file == tmp_path / "run" / "token"


def test_the_file_is_found_by_variable_and_by_its_usual_name(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("tick_seconds = 9")
    assert settings.load(environ={"TIERWISE_CONFIG": str(file)}).tick_seconds == 9
    monkeypatch.chdir(tmp_path)
    found = settings.load(environ={})
    assert (found.tick_seconds, found.file) == (9, file)
    file.unlink()
    assert settings.load(environ={}).file is None


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(errors.Misconfigured, match="no such settings file"):
        settings.load(tmp_path / "none.toml", environ={})
    with pytest.raises(errors.Misconfigured, match="TIERWISE_CONFIG"):
        settings.load(environ={"TIERWISE_CONFIG": str(tmp_path / "none.toml")})


MISTAKES = [
    # file, environment, place, what is said
    ("\ntick_second = 1", {}, ":2", "did you mean `tick_seconds`?"),
    ("[pump]\nchunk = 0", {}, ":2", "`pump.chunk`: should be greater than or equal to 1"),
    ("[pump]\nchonk = 1", {}, ":2", "did you mean `pump.chunk`?"),
    ("[pumps]\nchunk = 1", {}, ":1", "did you mean `pump`?"),
    ("log_level = 'loud'", {}, ":1", "should be 'debug', 'info', 'warning' or 'error'"),
    ("tick_seconds = inf", {}, ":1", "`tick_seconds`"),
    ("connections = 3", {}, ":1", "`connections`"),
    ("connections = 3", {"TIERWISE_CONNECTIONS__A__TOKEN": "x"}, ":1", "`connections`"),
    ("\n[connections.a]\ntoken = 'x'", {}, ":2", "`connections.a.type` is missing"),
    ("[connections.a]\ntype = 'hubspot'\ntokn = 'x'", {}, ":3", "did you mean `connections.a.token`?"),
    ("[connections.a]\ntype = 'x'\noptions = 3", {}, ":3", "`connections.a.options`"),
    ("[connections.a-b]\ntype='x'\n[connections.a_b]\ntype='x'", {}, "tierwise.toml", "cannot be told apart"),
    ("\n\nhome = ", {}, ":3", "is not TOML"),
    ("home = 'a'\nhome = 'b'", {}, ":2", "is not TOML"),
    ("home = '''", {}, ":1", "is not TOML"),
    ("", {"TIERWISE_TICK_SECONDS": "often"}, "TIERWISE_TICK_SECONDS", "should be a valid number"),
    ("", {"TIERWISE_DATABASE_URL": "mysql://x"}, "TIERWISE_DATABASE_URL", "must start with sqlite, postgresql"),
    ("", {"TIERWISE_DATABSE_URL": "x"}, "TIERWISE_DATABSE_URL", "did you mean TIERWISE_DATABASE_URL?"),
    ("", {"TIERWISE_CONSOLE_PORT": "8400"}, "TIERWISE_CONSOLE_PORT", "did you mean TIERWISE_CONSOLE__PORT?"),
    ("", {"TIERWISE_PUMP": "1"}, "TIERWISE_PUMP", "TIERWISE_SECTION__KEY"),
    ("", {"TIERWISE_ENGINE__SIZE": "1"}, "TIERWISE_ENGINE__SIZE", "TIERWISE_SECTION__KEY"),
    ("", {"TIERWISE_CONNECTIONS__TOKEN": "x"}, "TIERWISE_CONNECTIONS__TOKEN", "TIERWISE_CONNECTIONS__NAME__KEY"),
    ("", {"TIERWISE_CONNECTIONS__A__TOKEN": "x"}, "TIERWISE_CONNECTIONS__A__TOKEN", "`connections.a.type` is missing"),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(
    read: Read, file: Path, mistake: tuple[str, dict[str, str], str, str]
) -> None:
    text, environ, place, said = mistake
    with pytest.raises(errors.Misconfigured) as caught:
        read(text, **environ)
    error = caught.value
    assert error.place == (f"{file}{place}" if place.startswith(":") else error.place)
    assert error.place.endswith(place)
    assert said in str(error)
    assert error.remedy or "told apart" in said
    assert error.__cause__ is None


def test_several_mistakes_are_told_at_once(read: Read, file: Path) -> None:
    with pytest.raises(errors.Misconfigured) as caught:
        read("tick_second = 1\n[pump]\nchunk = 0", TIERWISE_CONSOLE__PORT="99999")
    text = str(caught.value)
    assert f"{file}:1: unknown setting" in text
    assert f"{file}:3: `pump.chunk`" in text
    assert "TIERWISE_CONSOLE__PORT: `console.port`" in text


@given(st.text("abcXYZ0189-_", min_size=12, max_size=30))
def test_no_error_shows_a_value(secret: str) -> None:
    """Wrong values are not repeated: they may be a password in the wrong place."""
    for environ in (
        {"TIERWISE_DATABASE_URL": f"mysql://u:{secret}@h"},
        {"TIERWISE_BROKER_URL": f"http://:{secret}@h"},
        {"TIERWISE_CONSOLE__PORT": f"x{secret}"},
        {"TIERWISE_LOG_LEVEL": secret},
        {"TIERWISE_CONNECTIONS__A__TOKEN": secret},
        {"TIERWISE_TOKEN_SECONDS": secret, "TIERWISE_TICK_SECOND": secret},
    ):
        with pytest.raises(errors.Misconfigured) as caught:
            settings.load(environ=environ)
        assert secret not in f"{caught.value!s} {caught.value!r} {caught.value.args}"


def test_what_is_not_ours_is_left_alone(read: Read) -> None:
    found = read(
        TIERWISE_CONSOLE_PORT="tcp://10.0.0.7:8400",  # injected by a cluster for a service of that name
        TIERWISE_CONSOLE_SERVICE_HOST="10.0.0.7",
        TIERWISE_CONSOLE_PORT_8400_TCP_ADDR="10.0.0.7",
        TIERWISE_TEST_DATABASE_URL="postgresql://h/d",
        TIERWISE_WRAPPER="1",
        OTHER="1",
    )
    assert found.console.port == 8400


def test_every_setting_can_be_set_from_the_environment(read: Read) -> None:
    """No setting exists in the file alone."""
    defaults = read()
    for path in reading.variables():
        value = defaults
        for part in path:
            value = getattr(value, part)
        if value is not None:
            assert read(**{names.variable(path): str(value)}).model_dump() == defaults.model_dump()


def test_a_file_that_cannot_be_read_is_said_so(file: Path) -> None:
    file.write_bytes(b"home = '\xff'")
    with pytest.raises(errors.Misconfigured, match="UTF-8"):
        settings.load(file, environ={})
    if os.getuid() != 0:
        file.chmod(0)
        with pytest.raises(errors.Misconfigured, match="cannot be read"):
            settings.load(file, environ={})
