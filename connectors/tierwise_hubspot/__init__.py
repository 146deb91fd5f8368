"""HubSpot: contacts (or another object) read by windows of change, advice written in batches of a hundred.

Registers the type only; the client library and HTTP are imported when a connection is opened.
"""

from __future__ import annotations

from tierwise import sdk
from tierwise_hubspot.settings import Settings


def _open(connection: sdk.Connection) -> sdk.Connector:
    from tierwise_hubspot import connector

    return connector.HubSpot(connection)


@sdk.hookimpl
def tierwise_connector_types() -> list[sdk.ConnectorType]:
    """The one type of this plugin."""
    return [sdk.ConnectorType("hubspot", "HubSpot contacts or another CRM object", _open, Settings)]
