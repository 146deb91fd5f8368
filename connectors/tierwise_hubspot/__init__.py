"""HubSpot: contacts, companies, Leads or a custom object, read by windows of change, advice written in batches.

Registers the type only; the client library and HTTP are imported when a connection is opened.
"""

from __future__ import annotations

from tierwise import sdk
from tierwise_hubspot.settings import Settings


def _open(connection: sdk.Connection) -> sdk.Connector:
    from tierwise_hubspot import connector

    return connector.HubSpot(connection)


def _field_map(settings: Settings) -> str:
    """Each object type has properties of its own, and so a map of its own."""
    return "hubspot" if settings.kind == "contacts" else f"hubspot-{settings.map_word}"


@sdk.hookimpl
def tierwise_connector_types() -> list[sdk.ConnectorType]:
    """The one type of this plugin."""
    return [
        sdk.ConnectorType(
            "hubspot", "HubSpot contacts, companies, Leads or a custom object", _open, Settings, field_map=_field_map
        )
    ]
