"""The hooks that a plugin may implement. A plugin is a distribution with an entry point in group `tierwise`."""

from __future__ import annotations

import pluggy

from tierwise.sdk.connector import ConnectorType
from tierwise.sdk.enricher import EnricherType
from tierwise.sdk.notifier import NotifierType

PROJECT = "tierwise"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def tierwise_connector_types() -> list[ConnectorType]:
    """The kinds of system this plugin connects."""
    return []


@hookspec
def tierwise_enrichers() -> list[EnricherType]:
    """The kinds of enricher this plugin brings."""
    return []


@hookspec
def tierwise_notifiers() -> list[NotifierType]:
    """The kinds of notifier this plugin brings."""
    return []
