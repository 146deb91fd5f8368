from __future__ import annotations

import importlib.metadata
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tierwise import errors, plugins
from tierwise.sdk import connector, testing

GOOD = """
    from pydantic import BaseModel, ConfigDict, Field
    from tierwise import sdk

    class Settings(BaseModel):
        model_config = ConfigDict(extra="forbid")
        folder: str = Field("inbox", description="Where files are.")
        page_size: int = Field(10, ge=1, description="Rows to a page.")

    @sdk.hookimpl
    def tierwise_connector_types():
        return [sdk.ConnectorType("{name}", "Files", lambda connection: connection, Settings)]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., plugins.Plugins]:
    """Installs distributions (module name -> source) on the path and loads their entry points."""

    def load(sources: Mapping[str, str]) -> plugins.Plugins:
        for module, source in sources.items():
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
            info = tmp_path / f"dist_{module}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{module}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[tierwise]\n{module} = {module}\n")
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        found = importlib.metadata.entry_points(group=plugins.GROUP)
        return plugins.Plugins(entry for entry in found if entry.value in sources)

    return load


def _connection(kind: str = "files", **options: Any) -> connector.Connection:
    return connector.Connection("drop-folder", kind, "s3cret-token", options, testing.FreeLimiter())


def test_ours_is_found_the_way_a_strangers_is() -> None:
    found = plugins.connector_types()
    assert found["hubspot"].summary
    assert list(found) == sorted(found)


def test_every_option_of_every_installed_type_is_described() -> None:
    for kind in plugins.connector_types().values():
        silent = [name for name, field in kind.settings.model_fields.items() if not field.description]
        assert silent == [], f"{kind.name}: {silent}"


def test_opens_with_the_options_checked_and_completed(install: Callable[..., plugins.Plugins]) -> None:
    loaded = install({"plug_a": GOOD.format(name="files")})
    opened: Any = loaded.open_connector(_connection(page_size="5"))
    assert opened.options == {"folder": "inbox", "page_size": 5}
    assert opened.name == "drop-folder"


def test_an_unknown_type_is_explained(install: Callable[..., plugins.Plugins]) -> None:
    loaded = install({"plug_a": GOOD.format(name="files"), "plug_b": GOOD.format(name="hubspot")})
    with pytest.raises(errors.Misconfigured) as caught:
        loaded.open_connector(_connection("hubsopt"))
    assert caught.value.place == "connections.drop-folder.type"
    assert caught.value.remedy == "did you mean 'hubspot'?"
    with pytest.raises(errors.Misconfigured, match="known: files, hubspot"):
        loaded.open_connector(_connection("zzz"))


def test_a_wrong_option_is_named_with_its_remedy_and_without_its_value(
    install: Callable[..., plugins.Plugins],
) -> None:
    loaded = install({"plug_a": GOOD.format(name="files")})
    with pytest.raises(errors.Misconfigured) as caught:
        loaded.open_connector(_connection(page_sise="s3cret-token"))
    assert caught.value.place == "connections.drop-folder.page_sise"
    assert caught.value.remedy == "did you mean 'page_size'?"
    assert "s3cret-token" not in str(caught.value)
    with pytest.raises(errors.Misconfigured) as caught:
        loaded.open_connector(_connection(page_size=0, folder=["s3cret-token"]))
    assert caught.value.place == "connections.drop-folder"
    assert "page_size: " in caught.value.message
    assert "folder: " in caught.value.message
    assert "s3cret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "import no_such_library_x",
        "def broken(:",
        "1 / 0",
        "{}['missing']",
        "from tierwise import sdk\nsdk.no_such_name",
        "from tierwise import sdk\n@sdk.hookimpl\ndef tierwise_connector_types():\n    raise RuntimeError('no')",
        "from tierwise import sdk\n@sdk.hookimpl\ndef tierwise_connector_types(wrong):\n    return []",
        "from tierwise import sdk\n@sdk.hookimpl\ndef tierwise_connector_types():\n    return 5",
        "from tierwise import sdk\n@sdk.hookimpl\ndef tierwise_connector_types():\n    return ['hubspot']",
    ],
)
def test_a_broken_plugin_is_named_with_its_distribution(install: Callable[..., plugins.Plugins], source: str) -> None:
    with pytest.raises(errors.Misconfigured) as caught:
        install({"plug_c": source})
    assert "dist-plug_c" in caught.value.message
    assert caught.value.place == "entry point plug_c"
    assert "dist-plug_c" in caught.value.remedy


def test_a_misspelt_hook_is_not_silently_no_plugin(install: Callable[..., plugins.Plugins]) -> None:
    source = "from tierwise import sdk\n@sdk.hookimpl\ndef tierwise_conector_types():\n    return []"
    with pytest.raises(errors.Misconfigured, match="dist-plug_d"):
        install({"plug_d": source})


def test_two_plugins_with_the_same_type_are_refused(install: Callable[..., plugins.Plugins]) -> None:
    with pytest.raises(errors.Misconfigured, match="dist-plug_a and from dist-plug_b"):
        install({"plug_a": GOOD.format(name="files"), "plug_b": GOOD.format(name="files")})
