"""The hooks that a plugin may implement. A plugin is a distribution with an entry point in group `tierwise`."""

from __future__ import annotations

import pluggy

from tierwise.sdk.connector import ConnectorType

PROJECT = "tierwise"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def tierwise_connector_types() -> list[ConnectorType]:
    """The kinds of system this plugin connects."""
    return []
