from __future__ import annotations

import pluggy
import pytest

from tierwise import sdk
from tierwise.sdk import hooks


def test_a_plugin_is_a_module_or_object_with_a_marked_function() -> None:
    kind = sdk.ConnectorType("files", "Files in a folder", lambda connection: None, dict)  # type: ignore[arg-type, return-value]

    class Plugin:
        @sdk.hookimpl
        def tierwise_connector_types(self) -> list[sdk.ConnectorType]:
            return [kind]

    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(Plugin())
    assert manager.hook.tierwise_connector_types() == [[kind]]


def test_a_misspelt_hook_is_found() -> None:
    class Plugin:
        @sdk.hookimpl
        def tierwise_conector_types(self) -> list[sdk.ConnectorType]:
            return []

    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(Plugin())
    with pytest.raises(pluggy.PluginValidationError, match="tierwise_conector_types"):
        manager.check_pending()
