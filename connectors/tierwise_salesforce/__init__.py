"""Salesforce: leads (or contacts) read by system time stamp, advice written a thousand records to an API call.

Registers the type only; the client library and HTTP are imported when a connection is opened.
"""

from __future__ import annotations

from tierwise import sdk
from tierwise_salesforce.settings import Settings


def _open(connection: sdk.Connection) -> sdk.Connector:
    from tierwise_salesforce import connector

    return connector.Salesforce(connection)


@sdk.hookimpl
def tierwise_connector_types() -> list[sdk.ConnectorType]:
    """The one type of this plugin."""
    return [sdk.ConnectorType("salesforce", "Salesforce leads or contacts", _open, Settings)]
