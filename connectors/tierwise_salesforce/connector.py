"""The connector itself: one org, put together from its parts."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from tierwise import sdk
from tierwise_salesforce import checks, schema, values
from tierwise_salesforce.bulk import Job
from tierwise_salesforce.client import Client
from tierwise_salesforce.outcomes import Outcomes
from tierwise_salesforce.reader import Reader
from tierwise_salesforce.settings import Settings
from tierwise_salesforce.writer import BATCH, FLUSH, Writer


class Salesforce:
    """See `tierwise.sdk.Connector`, which says what each method promises."""

    batch_size: ClassVar[int] = BATCH
    flush_size: ClassVar[int] = FLUSH

    def __init__(
        self,
        connection: sdk.Connection,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        settings = Settings.model_validate(dict(connection.options))
        self._name = connection.name
        self._client = Client(connection, settings, sleep=sleep)
        self._reader = Reader(self._client)
        self._writer = Writer(self._client, job=functools.partial(Job, clock=clock, sleep=sleep))
        self._outcomes = Outcomes(self._client, self._reader)

    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        """Login, object, mapped fields, our fields, the day's API calls, the clock."""
        return checks.run(self._client, name=self._name, wanted=properties, fields=fields, hidden=self._outcomes.hidden)

    def now(self) -> datetime:
        """The org's clock, by the Date header: whole seconds, rounded down, so a window never ends too late."""
        return self._client.server_time() or datetime.now(UTC)

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        """Pages of at most `page_size` records; costs one API call each. Converted leads are left out."""
        return self._reader.changes(since, until, properties=properties, position=position)

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[sdk.OutcomePage]:
        """Status and conversion, the opportunity's stage and amount, closed tasks and events of what changed."""
        return self._outcomes.read(since, until, position=position)

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """One API call for two hundred."""
        return self._reader.read(record_ids, properties=properties)

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """One API call for a thousand, more only to find a row that makes a part of them unreadable."""
        return self._writer.write(updates)

    def flush(self, updates: Sequence[sdk.Update]) -> Iterator[Mapping[int, sdk.Written]]:
        """One API call for a thousand, a bulk job of some eight calls above six thousand."""
        return self._writer.flush(updates)

    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        """What is missing, and the command that deploys it: nothing is created by API."""
        return schema.provision(self._client, fields, dry_run=dry_run)

    def describe(self) -> dict[str, str]:
        """Field name to Salesforce's type; our own fields by our names."""
        held = schema.fields(self._client)
        return {values.OWN.get(name, name): str(one["type"]) for name, one in held.items()}

    def close(self) -> None:
        """Release sockets."""
        self._client.close()
