"""Connections: their settings, secrets and open connectors, always behind the guard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

from tierwise import plugins, telemetry
from tierwise.domain import mapping
from tierwise.domain.advice import AdviceField, fields_for
from tierwise.domain.policy import Policy
from tierwise.errors import Misconfigured, TierwiseError
from tierwise.pipeline import contact, guard
from tierwise.sdk import Connection, Connector, TellsQuota, breaker, calls
from tierwise.settings import ConnectionSettings
from tierwise.wiring.calibrated import Calibrated

_WRITES = "write_back"
log = telemetry.log(__name__)


class Accounts(Calibrated):
    """Parts that know the connections."""

    def connection(self, name: str) -> ConnectionSettings:
        """Settings of one connection."""
        found = self.settings.connections.get(name)
        if found is None:
            known = ", ".join(sorted(self.settings.connections)) or "none"
            raise Misconfigured(
                f"there is no connection '{name}' in the settings",
                place=str(self.settings.file or ""),
                remedy=f"known: {known}; `tierwise connections add {name} --type hubspot` writes one",
            )
        return found

    call_seconds = guard.CALL_SECONDS
    """Longest call of a connector."""

    def token(self, name: str) -> str:
        """The connection's token; "" where its type needs none and none is set. Raises Misconfigured."""
        settings = self.connection(name)
        given = settings.token is not None or settings.token_file is not None
        return settings.secret(name) if given or plugins.needs_token(settings.type) else ""

    @contextmanager
    def connector(self, name: str, *, step: str | None = None) -> Iterator[Connector]:
        """The connector of one connection, open for the block. How it went is kept as that of `step`."""
        calls.listen(contact.request_ended)
        settings = self.connection(name)
        connection = Connection(
            name=name, type=settings.type, token=self.token(name), options=settings.options, limiter=self.limiter
        )
        seen = contact.Contact(name)
        try:
            connector = guard.Guarded(
                lambda: plugins.open_connector(connection), name=name, seconds=self.call_seconds, contact=seen
            )
            try:
                yield cast(Connector, connector)
            finally:
                self._note_quota(name, connector)
                connector.close()
        finally:
            if step is not None:
                self._note_health(name, step, seen)

    def _note_health(self, name: str, step: str, seen: contact.Contact) -> None:
        """Beside the work, too."""
        now, health = self.clock(), self.store.health
        with contextlib.suppress(TierwiseError):
            if seen.trouble is not None:
                rest = breaker.rest_left(f"{contact.PREFIX}{name}")
                resting_until = now + timedelta(seconds=rest) if rest > 0 else None
                health.failed(name, step, **seen.trouble._asdict(), resting_until=resting_until, now=now)
            elif seen.worked and health.well(name, step, now=now):
                log.info("works again", connection=name, step=step)

    def _read_back(self, name: str) -> None:
        """A write that failed on the way back had arrived all the same: reading shows it, and nothing is left to do."""
        with contextlib.suppress(TierwiseError):
            ails = any(
                one.failures for one in self.store.health.list() if (one.connection, one.step) == (name, _WRITES)
            )
            if ails and not self.store.leads.counts(name)["undelivered"]:
                self.store.health.well(name, _WRITES, now=self.clock())

    def _note_quota(self, name: str, connector: TellsQuota) -> None:
        """Beside the work: that it cannot be noted is no reason to fail."""
        with contextlib.suppress(TierwiseError):
            quota = connector.quota()
            if quota is not None:
                self.store.connections.note_quota(name, quota)

    def field_map(self, name: str, policy: Policy) -> mapping.FieldMap:
        """The policy's map for the connection's type and what it reads there."""
        settings = self.connection(name)
        wanted = plugins.field_map(settings.type, settings.options, place=f"connections.{name}")
        found = policy.maps.get(wanted)
        if found is None:
            raise Misconfigured(
                f"the active policy has no field map '{wanted}', which connection '{name}' needs",
                place=f"rules/maps/{wanted}.yaml",
                remedy="add the map and run `tierwise policy activate DIR`",
            )
        return found

    def advice_fields(self) -> tuple[AdviceField, ...]:
        """Our CRM fields with the options of the active policy."""
        return fields_for(self.runnable().policy)
