"""The only place where parts meet: settings in, a ready pipeline out. One object per process.

Everything is opened when it is first needed, so that a command pays only for what it uses: litellm, above all,
is imported only where a model is called.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tierwise import content, limits, plugins, policies, ports, store, telemetry
from tierwise.domain import mapping
from tierwise.domain.advice import AdviceField, fields_for
from tierwise.domain.lead import digest
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rubric import Assessment
from tierwise.errors import Misconfigured, TierwiseError
from tierwise.pipeline import decide, enrich, guard, outcomes, poll, write_back
from tierwise.pipeline import reconcile as trailing
from tierwise.pipeline.map import Enrich
from tierwise.pipeline.poll import Polled
from tierwise.sdk import Connection, Connector, Enriching, Limiter, TellsQuota
from tierwise.settings import ConnectionSettings, EnricherSettings, Settings

if TYPE_CHECKING:
    from tierwise.llm.loop import LoopThread

ACTIVE_FOR = 2.0
"""Seconds that the active policy is remembered: an activation reaches every worker well within five."""


def clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


class Wiring:
    """Parts of one process, opened on demand. Thread-safe; not for use across a fork."""

    def __init__(
        self,
        settings: Settings,
        *,
        broker_url: str | None = None,
        uncached: bool = False,
        answers: Callable[[Collection[str]], Mapping[str, Assessment]] | None = None,
    ) -> None:
        """`uncached`: no database is at hand, so no assessment is looked up or kept (`tierwise score`). `answers`
        looks assessments up elsewhere (`tierwise eval`)."""
        self.settings = settings
        self._uncached = uncached
        self._answers = answers
        self.broker_url = broker_url or settings.broker_url
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        """Unique per process start, so that a restarted process never passes for its predecessor."""
        self._lock = threading.RLock()
        self._store: ports.Store | None = None
        self._limiter: Limiter | None = None
        self._enrichment: enrich.Enrichment | None = None
        self._judge: ports.Judge | None = None
        self._loop: LoopThread | None = None
        self._runnables: dict[str, Runnable] = {}
        self._active: tuple[float, str] | None = None
        self._pumping = threading.Lock()

    # -- parts -------------------------------------------------------------------------------------------------

    @property
    def store(self) -> ports.Store:
        """The database; Misconfigured where its schema is out of date, Unreachable where it does not answer."""
        with self._lock:
            if self._store is None:
                url = self.settings.database_url
                if url.startswith("sqlite"):
                    self.settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = store.open_store(url)
            return self._store

    @property
    def limiter(self) -> Limiter:
        """Token buckets: shared through the broker's server, or local where there is none."""
        with self._lock:
            if self._limiter is None:
                self._limiter = limits.RedisLimiter(self.broker_url) if self.broker_url else limits.LocalLimiter()
            return self._limiter

    @property
    def enrichment(self) -> enrich.Enrichment | None:
        """The configured enrichers, open; None where there are none. Misconfigured names enricher and option."""
        with self._lock:
            if self._enrichment is None and self.settings.enrichers:
                seats = [self._seat(name, settings) for name, settings in self.settings.enrichers.items()]
                self._enrichment = enrich.Enrichment(
                    seats, seconds=self.settings.enrich_seconds, monotonic=time.monotonic
                )
            return self._enrichment

    def _seat(self, name: str, settings: EnricherSettings) -> enrich.Seat:
        enriching = Enriching(name, settings.secret(name), settings.options, self.limiter, settings.seconds)
        return enrich.Seat(
            name,
            plugins.installed().open_enricher(settings.type, enriching),
            version=digest([settings.type, settings.options]),
            seconds=settings.seconds,
        )

    def judge(self) -> tuple[ports.Judge, LoopThread]:
        """The chain of models and the one event loop it lives on. Imports litellm."""
        from tierwise.llm import cascade, loop

        with self._lock:
            if self._judge is None or self._loop is None:
                models = self.settings.model
                self._loop = loop.LoopThread()
                self._judge = cascade.Cascade(
                    primary=models.primary,
                    secondary=models.secondary,
                    timeout_seconds=models.timeout_seconds,
                    in_flight=models.in_flight,
                    attempts=models.attempts,
                    cache=self._answers or (None if self._uncached else self.store.assessments.get),
                )
            return self._judge, self._loop

    def close(self) -> None:
        """Let go of everything that was opened."""
        with self._lock:
            judge, loop, opened, limiter = self._judge, self._loop, self._store, self._limiter
            self._judge, self._loop, self._store, self._limiter = None, None, None, None
            enrichment, self._enrichment = self._enrichment, None
        try:
            if judge is not None and loop is not None:
                with contextlib.suppress(TimeoutError):
                    loop.submit(judge.close()).result(timeout=10)
                loop.stop()
        finally:
            if enrichment is not None:
                enrichment.close()
            if isinstance(limiter, limits.RedisLimiter):
                limiter.close()
            if opened is not None:
                opened.close()

    # -- policy ------------------------------------------------------------------------------------------------

    def policy_directory(self) -> Path:
        """Where the configured policy files are."""
        return content.find(self.settings.policy_dir)

    def ensure_policy(self) -> ports.Activation:
        """The active policy; an empty database gets the configured directory published and activated."""
        active = self.store.policies.active()
        if active is not None:
            return active
        directory = self.policy_directory()
        policy = policies.read(directory)
        digest = self.store.policies.publish(policy, by="tierwise", note="first policy", now=clock())
        return self.store.policies.activate(digest, by="tierwise", note="database was empty", now=clock())

    def runnable(self, digest: str | None = None) -> Runnable:
        """The policy of that digest, by default the active one, compiled once per process."""
        digest = digest or self._active_digest()
        with self._lock:
            found = self._runnables.get(digest)
            if found is None:
                policy = self.store.policies.get(digest)
                if policy is None:
                    raise Misconfigured(f"policy {digest[:12]} is not in the database")
                found = self._runnables[digest] = policies.compile(policy)
            return found

    def _active_digest(self) -> str:
        now = time.monotonic()
        if self._active is None or now - self._active[0] > ACTIVE_FOR:
            self._active = (now, self.ensure_policy().digest)
        return self._active[1]

    # -- connections -------------------------------------------------------------------------------------------

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
    def connector(self, name: str) -> Iterator[Connector]:
        """The connector of one connection, open for the block."""
        settings = self.connection(name)
        connection = Connection(
            name=name, type=settings.type, token=self.token(name), options=settings.options, limiter=self.limiter
        )
        connector = guard.Guarded(lambda: plugins.open_connector(connection), name=name, seconds=self.call_seconds)
        try:
            yield cast(Connector, connector)
        finally:
            self._note_quota(name, connector)
            connector.close()

    def _note_quota(self, name: str, connector: TellsQuota) -> None:
        """Beside the work: that it cannot be noted is no reason to fail."""
        with contextlib.suppress(TierwiseError):
            quota = connector.quota()
            if quota is not None:
                self.store.connections.note_quota(name, quota)

    def field_map(self, name: str, policy: Policy) -> mapping.FieldMap:
        """The policy's map for the connection's type."""
        type_ = self.connection(name).type
        found = policy.maps.get(type_)
        if found is None:
            raise Misconfigured(
                f"the active policy has no field map for connections of type '{type_}'",
                place=f"rules/maps/{type_}.yaml",
                remedy="add the map and run `tierwise policy activate DIR`",
            )
        return found

    def advice_fields(self) -> tuple[AdviceField, ...]:
        """Our CRM fields with the options of the active policy."""
        return fields_for(self.runnable().policy)

    # -- steps -------------------------------------------------------------------------------------------------

    def poll(self, name: str) -> poll.Polled | None:
        """Poll one connection once; None where another process does or it is off."""
        runnable = self.runnable()
        field_map = self.field_map(name, runnable.policy)
        settings = self.settings
        pace = poll.Pace(
            every=self.connection(name).poll_seconds or settings.poll_seconds,
            overlap=settings.overlap_seconds,
        )
        with self.connector(name) as connector, telemetry.bind(connection=name, policy=runnable.digest[:12]):
            return poll.poll(
                self.store,
                connector,
                connection=name,
                field_map=field_map,
                properties=mapping.properties(field_map),
                policy=runnable.digest,
                owner=self.owner,
                clock=clock,
                monotonic=time.monotonic,
                pace=pace,
                stop=self.stopping.is_set,
                enrich=self._enrich(name),
            )

    def _enrich(self, name: str) -> Enrich | None:
        """Every pass over a connection enriches alike, or a lead would change back and forth."""
        if self.enrichment is None:
            return None
        stored = functools.partial(self.store.leads.provenance, name)
        return functools.partial(self.enrichment.page, stored=stored)

    def reconcile(self, name: str) -> Polled | None:
        """Follow the poll of one connection by the index lag; None where there is nothing to do yet."""
        if not self.trails(name, "reconcile"):
            return None
        runnable = self.runnable()
        field_map = self.field_map(name, runnable.policy)
        with self.connector(name) as connector, telemetry.bind(connection=name, policy=runnable.digest[:12]):
            return trailing.reconcile(
                self.store,
                connector,
                connection=name,
                field_map=field_map,
                properties=mapping.properties(field_map),
                policy=runnable.digest,
                owner=self.owner,
                clock=clock,
                monotonic=time.monotonic,
                pace=poll.Pace(),
                trail=self._trail(),
                stop=self.stopping.is_set,
                enrich=self._enrich(name),
            )

    def outcomes(self, name: str) -> outcomes.Told | None:
        """Look at what became of one connection's leads; None where there is nothing to do yet."""
        if not self.trails(name, "outcomes"):
            return None
        with self.connector(name) as connector, telemetry.bind(connection=name):
            return outcomes.outcomes(
                self.store,
                connector,
                connection=name,
                owner=self.owner,
                clock=clock,
                monotonic=time.monotonic,
                pace=poll.Pace(),
                trail=self._trail(),
            )

    def trails(self, name: str, kind: ports.CursorKind) -> bool:
        """Whether that pass over a connection has anything to read yet."""
        return self._trail().due(self.store.cursors.watermark(name, kind), now=clock())

    def _trail(self) -> trailing.Trail:
        settings = self.settings.trail
        return trailing.Trail(lag=settings.lag_seconds, window=settings.window_seconds)

    def pump(
        self, *, connection: str | None = None, on_round: Callable[[], None] = lambda: None
    ) -> decide.Pumped | None:
        """Decide what is due; None where this process pumps already. `on_round` is called every few moments."""
        if not self._pumping.acquire(blocking=False):
            return None
        try:
            settings = self.settings
            judge, loop = self.judge()
            tools = decide.Tools(
                store=self.store,
                judge=judge,
                submit=loop.submit,
                runnable=self.runnable,
                clock=clock,
                monotonic=time.monotonic,
                random=random.random,
                new_trace=telemetry.new_trace,
            )
            pace = decide.Pace(
                longest=settings.pump.seconds,
                chunk=settings.pump.chunk,
                batch=settings.pump.batch,
                flush=settings.pump.flush_ms / 1000,
                in_flight=settings.model.in_flight * 4,
                lease=settings.pump.lease_seconds,
                attempts=settings.pump.max_attempts,
            )

            def stop() -> bool:
                on_round()
                return self.stopping.is_set()

            return decide.Pump(tools, owner=self.owner, pace=pace, connection=connection).run(stop=stop)
        finally:
            self._pumping.release()

    stopping = threading.Event()
    """Set when the worker's main process was asked to end: a pump of its threads claims no more, drains and releases.

    A prefork child does not see it: there a pump ends by its own deadline, which the grace of `run` allows for.
    """

    def write_back(self, name: str, *, full_only: bool = False) -> write_back.WroteBack:
        """Drain one connection's outbox; `full_only` leaves what does not fill a batch."""
        settings = self.settings.write
        pace = write_back.Pace(lease=settings.lease_seconds, attempts=settings.max_attempts)
        with self.connector(name) as connector, telemetry.bind(connection=name):
            return write_back.write_back(
                self.store,
                connector,
                connection=name,
                owner=self.owner,
                clock=clock,
                monotonic=time.monotonic,
                random=random.random,
                new_id=lambda: uuid.uuid4().hex,
                pace=pace,
                stop=self.stopping.is_set,
                full_only=full_only,
            )
