"""docs/sdk.md names everything that the contract has, under its version, and its example is true."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from tierwise import sdk, settings
from tierwise.sdk import hooks, testing

TEXT = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")


def test_it_is_about_this_version() -> None:
    assert TEXT.startswith(f"# The plugin contract, version {sdk.VERSION}\n")


def test_it_names_everything_that_is_exported() -> None:
    words = set(re.findall(r"\w+", TEXT))
    assert [name for name in sdk.__all__ if name not in words] == []
    specs = [name for name, value in vars(hooks).items() if name.startswith("tierwise_") and callable(value)]
    assert len(specs) == 3
    assert [name for name in specs if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize("protocol", [sdk.Connector, sdk.Enricher, sdk.Notifier])
def test_it_names_every_member_of_a_protocol(protocol: type) -> None:
    members = [name for name in vars(protocol) if not name.startswith("_")]
    assert len(members) >= 2
    assert [name for name in members if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize(
    "kind", [sdk.ConnectorType, sdk.EnricherType, sdk.NotifierType, sdk.Enriching, sdk.Notifying, sdk.Notice]
)
def test_it_lists_the_fields_of_what_a_plugin_makes_or_gets(kind: type) -> None:
    fields = ", ".join(inspect.signature(kind).parameters)
    assert f"`{kind.__name__}({fields})`" in TEXT or f"`{kind.__name__}` ({fields})" in TEXT.replace("\n", " ")


def test_its_examples_work(tmp_path: Path) -> None:
    python, toml = (re.search(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for kind in ("python", "toml"))
    assert python is not None
    assert toml is not None
    names: dict[str, type] = {}
    exec(python[1], names)
    assert issubclass(names["TestMine"], testing.ConnectorContract)
    assert set(tomllib.loads(toml[1])) == {"enrichers"}
    (tmp_path / "tierwise.toml").write_text(toml[1])
    assert list(settings.load(tmp_path / "tierwise.toml", environ={}).enrichers) == ["country", "firms"]
