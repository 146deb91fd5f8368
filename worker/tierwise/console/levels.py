"""Levels for Prometheus, read from the database at the moment of the scrape.

Exact, the same from every console, and right after a restart, which counters of processes are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import tierwise
from tierwise import ports
from tierwise.console import health
from tierwise.domain import review
from tierwise.errors import TierwiseError
from tierwise.telemetry import Gauge

_LEADS = {
    "leads": ("tierwise_leads", "Leads that are known."),
    "undecided": ("tierwise_leads_undecided", "Leads without a decision on their present form."),
    "undelivered": ("tierwise_leads_undelivered", "Decided leads whose advice was not read back from the CRM yet."),
    "rejected": ("tierwise_leads_rejected", "Records that do not conform to the schema."),
}


def read(store: ports.Store, *, now: datetime, budgets: ports.Budgets = ports.UNLIMITED) -> list[Gauge]:
    """All levels; where the database does not answer only that it does not."""
    up = Gauge("tierwise_database_up", "1 where the database answers.", (), {(): 1})
    build = Gauge("tierwise_build_info", "Version of the console.", ("version",), {(tierwise.__version__,): 1})
    try:
        accounts = [*_leads(store), *_health(store, now)]
        work = [*_queues(store, now), *_money(store, budgets, now), *_processes(store, now)]
        return [build, up, *accounts, *work, *_policy(store)]
    except TierwiseError:
        return [build, up._replace(values={(): 0})]


def _leads(store: ports.Store) -> list[Gauge]:
    states = store.connections.list()
    counts = {state.name: store.leads.counts(state.name) for state in states}
    return [
        *(
            Gauge(
                name, text, ("connection",), {(connection,): found.get(key, 0) for connection, found in counts.items()}
            )
            for key, (name, text) in _LEADS.items()
        ),
        Gauge(
            "tierwise_connection_enabled",
            "1 where the connection is polled.",
            ("connection",),
            {(state.name,): float(state.enabled and not state.paused) for state in states},
        ),
        Gauge(
            "tierwise_connection_paused",
            "1 where the connection rests until a person acts.",
            ("connection",),
            {(state.name,): float(state.paused is not None) for state in states},
        ),
        Gauge(
            "tierwise_crm_calls_left",
            "Calls that the account has left today, as it last told; part of them is kept for people.",
            ("connection",),
            {(state.name,): float(state.quota.left) for state in states if state.quota is not None},
        ),
        Gauge(
            "tierwise_crm_calls_reserve",
            "Calls of the day that are kept for people: no work goes on below.",
            ("connection",),
            {(state.name,): float(state.quota.reserve) for state in states if state.quota is not None},
        ),
        Gauge(
            "tierwise_connection_watermark_timestamp_seconds",
            "Everything that the CRM changed before this moment is stored.",
            ("connection",),
            {(state.name,): state.watermark.timestamp() for state in states if state.watermark is not None},
        ),
        Gauge(
            "tierwise_connection_polled_timestamp_seconds",
            "End of the last poll.",
            ("connection",),
            {(state.name,): state.last_polled_at.timestamp() for state in states if state.last_polled_at is not None},
        ),
    ]


def _health(store: ports.Store, now: datetime) -> list[Gauge]:
    found = store.health.list()
    resting: dict[tuple[str, ...], float] = {}
    for one in found:
        rests = one.resting_until is not None and one.resting_until > now
        resting[one.connection,] = max(float(rests), resting.get((one.connection,), 0.0))
    return [
        Gauge(
            "tierwise_connection_failures",
            "Tries in a row that failed, by what was tried.",
            ("connection", "step"),
            {(one.connection, one.step): float(one.failures) for one in found},
        ),
        Gauge(
            "tierwise_connection_failing_since_timestamp_seconds",
            "When the first of them failed, and its fault.",
            ("connection", "step", "fault"),
            {
                (one.connection, one.step, one.fault): one.failing_since.timestamp()
                for one in found
                if one.failing_since is not None
            },
        ),
        Gauge(
            "tierwise_connection_breaker_open",
            "1 where the account is left in peace after too many failures.",
            ("connection",),
            resting,
        ),
    ]


def _queues(store: ports.Store, now: datetime) -> list[Gauge]:
    reviews = store.reviews.counts()
    return [
        Gauge("tierwise_work", "Leads in the queue of decisions, by state.", ("state",), _one(store.works.waiting())),
        Gauge("tierwise_work_due", "Leads that could be decided now.", (), {(): store.works.due(now=now)}),
        Gauge("tierwise_outbox_due", "Records to write back now.", ("connection",), _one(store.outbox.due(now=now))),
        Gauge(
            "tierwise_reviews_open",
            "Review items that wait for a person.",
            ("kind",),
            _one({**dict.fromkeys(review.KINDS, 0), **reviews}),
        ),
        Gauge(
            "tierwise_automations",
            "Writes of the organisation's own tier field, by how they ended; begun and unsure are in doubt.",
            ("connection", "state"),
            {key: float(number) for key, number in store.automations.counts().items()},
        ),
    ]


def _processes(store: ports.Store, now: datetime) -> list[Gauge]:
    beats = store.heartbeats.latest()
    ages: dict[tuple[str, ...], float] = {}
    alive: dict[tuple[str, ...], float] = dict.fromkeys([(role,) for role in health.ROLES], 0)
    for beat in beats:
        seconds = health.age(beat.at, now=now)
        ages[beat.role,] = min(seconds, ages.get((beat.role,), seconds))
        alive[beat.role,] = alive.get((beat.role,), 0) + (seconds <= health.FRESH.total_seconds())
    return [
        Gauge(
            "tierwise_heartbeat_age_seconds", "Since the last sign of life of any process of a role.", ("role",), ages
        ),
        Gauge("tierwise_processes", "Processes with a sign of life in the last minute.", ("role",), alive),
    ]


def _policy(store: ports.Store) -> Sequence[Gauge]:
    active = store.policies.active()
    info: dict[tuple[str, ...], float] = {}
    since: dict[tuple[str, ...], float] = {}
    if active is not None:
        info[active.digest, active.version] = 1
        since[()] = active.at.timestamp()
    return [
        Gauge("tierwise_policy_info", "The active policy.", ("digest", "version"), info),
        Gauge("tierwise_policy_activated_timestamp_seconds", "When it was activated.", (), since),
    ]


def _money(store: ports.Store, budgets: ports.Budgets, now: datetime) -> Sequence[Gauge]:
    levels = {(level.scope, level.period): level for level in store.money.levels(budgets, now=now)}
    today = now.date().replace(day=1)
    spent: dict[tuple[str, ...], float] = {}
    for entry in store.money.entries(since=today):
        key = (entry.connection, entry.model)
        spent[key] = spent.get(key, 0) + entry.nano_usd / ports.NANO
    labels = ("scope", "period")
    return [
        Gauge("tierwise_leads_batched", "Leads that wait for a batch.", ("connection",), _one(store.batches.waiting())),
        Gauge("tierwise_leads_held", "Leads that wait for a budget.", ("connection",), _one(store.works.held())),
        Gauge(
            "tierwise_budget_usd",
            "The most that models may cost in the running UTC day or month.",
            labels,
            {key: level.limit / ports.NANO for key, level in levels.items()},
        ),
        Gauge(
            "tierwise_budget_spent_usd",
            "Spent of it, and reserved for calls under way.",
            labels,
            {key: (level.spent + level.reserved) / ports.NANO for key, level in levels.items()},
        ),
        Gauge(
            "tierwise_model_spend_usd",
            "Spent on models in the running UTC month, as far as prices are known.",
            ("connection", "model"),
            spent,
        ),
    ]


def _one(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): float(value) for name, value in values.items()}
