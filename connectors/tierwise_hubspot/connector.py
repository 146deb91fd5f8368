"""The connector itself: one portal, put together from its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from tierwise import sdk
from tierwise_hubspot import checks, properties
from tierwise_hubspot.client import Client, server_time
from tierwise_hubspot.outcomes import Outcomes
from tierwise_hubspot.reader import Reader
from tierwise_hubspot.settings import Settings
from tierwise_hubspot.writer import BATCH, Writer


class HubSpot:
    """See `tierwise.sdk.Connector`, which says what each method promises."""

    batch_size: ClassVar[int] = BATCH

    def __init__(self, connection: sdk.Connection) -> None:
        settings = Settings.model_validate(dict(connection.options))
        self._name = connection.name
        self._client = Client(connection, settings)
        self._reader = Reader(self._client)
        self._writer = Writer(self._client)

    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        """Token, scopes, mapped properties, our fields, the day's quota, the clock."""
        return checks.run(self._client, name=self._name, wanted=properties, fields=fields)

    def now(self) -> datetime:
        """The portal's clock, by the Date header: whole seconds, rounded down, so a window never ends too late."""
        headers = self._client.headers(self._client.account("details"))
        return server_time(headers) or datetime.now(UTC)

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        """Pages of at most `page_size` records; costs one search each."""
        return self._reader.changes(since, until, properties=properties, position=position)

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[sdk.OutcomePage]:
        """Stage and status of what changed, deals, touches by sales: a search for each kind, one call for its ties."""
        return Outcomes(self._client, self._reader).read(since, until, position=position)

    def quota(self) -> sdk.Quota | None:
        """The day's calls, by the last answer that told them."""
        return self._client.daily.known

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """A record that was merged comes under its new id."""
        return self._reader.read(record_ids, properties=properties)

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """One call for up to a hundred, more only to find the bad ones in a batch that is refused as a whole."""
        return self._writer.write(updates)

    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        """Group, properties and options that are missing."""
        return properties.provision(self._client, fields, dry_run=dry_run)

    def describe(self) -> dict[str, str]:
        """Property name to HubSpot's type (string, number, enumeration, datetime, date, bool, phone_number)."""
        return {name: str(held["type"]) for name, held in properties.definitions(self._client).items()}

    def close(self) -> None:
        """Release sockets."""
        self._client.close()
