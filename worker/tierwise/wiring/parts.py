"""What a process opens, each part when it is first needed, so that a command pays only for what it uses.

litellm, above all, is imported only where a model is called.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tierwise import limits, plugins, ports, store, telemetry
from tierwise.domain.calibration import Calibration
from tierwise.domain.lead import digest
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment
from tierwise.errors import TierwiseError
from tierwise.pipeline import clocks, enrich
from tierwise.pipeline.map import Enrich
from tierwise.sdk import Enriching, Limiter
from tierwise.settings import EnricherSettings, Settings
from tierwise.wiring import stopping

if TYPE_CHECKING:
    from tierwise.llm import cost
    from tierwise.llm.loop import LoopThread

log = telemetry.log(__name__)


def clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


def _budget(daily: float | None, monthly: float | None) -> ports.Budget:
    return ports.Budget(*(None if usd is None else round(usd * ports.NANO) for usd in (daily, monthly)))


def told(failure: TierwiseError) -> None:
    """A model's call that failed, whatever comes of its lead: counted, and in the log."""
    kind = failure.fault
    telemetry.count("tierwise_model_failures_total", model=failure.place, kind=kind)
    log.warning("a model's call failed", model=failure.place, kind=kind, error=str(failure))


class Parts:
    """Parts of one process, opened on demand. Thread-safe; not for use across a fork."""

    stopping = stopping.Flag()
    """Set when the worker was asked to end: the pumps of its threads or children claim no more, drain and release."""

    def __init__(
        self,
        settings: Settings,
        *,
        broker_url: str | None = None,
        uncached: bool = False,
        answers: Callable[[Collection[str]], Mapping[str, Assessment]] | None = None,
        clock: ports.Clock = clock,
    ) -> None:
        """`uncached`: no database is at hand, so no assessment is looked up or kept (`tierwise score`). `answers`
        looks assessments up elsewhere (`tierwise eval`)."""
        self.settings = settings
        self.clock = clock
        self._uncached = uncached
        self._answers = answers
        self.broker_url = broker_url or settings.broker_url
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        """Unique per process start, so that a restarted process never passes for its predecessor."""
        self._lock = threading.RLock()
        self._store: ports.Store | None = None
        self._limiter: Limiter | None = None
        self._enrichment: enrich.Enrichment | None = None
        self._judges: dict[str, ports.Judge] = {}
        self._loop: LoopThread | None = None
        # What the layers above remember. It stands here, so that one signature makes a process's wiring.
        self._runnables: dict[str, Runnable] = {}
        self._asks: dict[str, str] = {}
        self._active: tuple[float, str] | None = None
        self._in_force: tuple[float, Calibration | None] | None = None
        self._misfit: tuple[str, str] | None = None
        self._counted: tuple[float, bool] | None = None
        self._pumping = threading.Lock()
        self._inquiring = threading.Lock()
        self.servers = clocks.Clocks(monotonic=time.monotonic)

    @property
    def store(self) -> ports.Store:
        """The database; Misconfigured where its schema is out of date, Unreachable where it does not answer."""
        with self._lock:
            if self._store is None:
                url = self.settings.database_url
                if url.startswith("sqlite"):
                    self.settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = store.open_store(url)
                self._store.notifications.listen({name: one.events for name, one in self.settings.notifiers.items()})
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

    def enrich_unstored(self) -> Enrich | None:
        """As polls enrich, for leads of which nothing is stored: `score` and `preview`."""
        if self.enrichment is None:
            return None
        return functools.partial(self.enrichment.page, stored=lambda _: {})

    def _seat(self, name: str, settings: EnricherSettings) -> enrich.Seat:
        enriching = Enriching(name, settings.secret(name), settings.options, self.limiter, settings.seconds)
        return enrich.Seat(
            name,
            plugins.installed().open_enricher(settings.type, enriching),
            version=digest([settings.type, settings.options]),
            seconds=settings.seconds,
        )

    @property
    def budgets(self) -> ports.Budgets:
        """What models may cost, as the settings say."""
        settings = self.settings
        return ports.Budgets(
            total=_budget(settings.budgets.daily_usd, settings.budgets.monthly_usd),
            connections={
                name: _budget(found.daily_budget_usd, found.monthly_budget_usd)
                for name, found in settings.connections.items()
                if (found.daily_budget_usd, found.monthly_budget_usd) != (None, None)
            },
        )

    @property
    def prices(self) -> cost.Prices:
        """What tokens cost: the settings' words, else litellm's price list."""
        from tierwise.llm import client, cost

        own = {name: cost.Price(set_.input, set_.output, set_.cached) for name, set_ in self.settings.prices.items()}
        shares = {name: set_.batch for name, set_ in self.settings.prices.items()}
        return cost.Prices(own, listed=client.price_list, shares=shares)

    def judge(self, *, holds: bool = False) -> tuple[ports.Judge, LoopThread]:
        """The chain of models and the one event loop it lives on. Imports litellm.

        `holds`: where a budget is spent it raises Held, whatever the settings have leads do.
        """
        from tierwise.llm import cascade, ledger, loop

        with self._lock:
            self._loop = self._loop or loop.LoopThread()
            when_spent = "hold" if holds else self.settings.budgets.when_spent
            if when_spent not in self._judges:
                models = self.settings.model
                self._judges[when_spent] = cascade.Cascade(
                    primary=models.primary,
                    secondary=models.secondary,
                    timeout_seconds=models.timeout_seconds,
                    in_flight=models.in_flight,
                    attempts=models.attempts,
                    samples=models.samples,
                    decisions=models.decisions,
                    prices=self.prices,
                    ledger=None
                    if self._uncached or self._answers
                    else ledger.Ledger(
                        self.store.money, owner=self.owner, budgets=self.budgets, prices=self.prices, clock=clock
                    ),
                    when_spent=when_spent,
                    told=told,
                    cache=self._answers or (None if self._uncached else self.store.assessments.get),
                )
            return self._judges[when_spent], self._loop

    def close(self) -> None:
        """Let go of everything that was opened."""
        with self._lock:
            judges, loop, opened, limiter = self._judges, self._loop, self._store, self._limiter
            self._judges, self._loop, self._store, self._limiter = {}, None, None, None
            enrichment, self._enrichment = self._enrichment, None
        try:
            if loop is not None:
                for judge in judges.values():
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
