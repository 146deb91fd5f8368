"""The counters of the running processes, declared once; whatever is not declared cannot be counted.

Levels (backlogs, ages, states) are not here: the console reads them from the database at scrape time. No label ever
holds a lead's id, and no label grows without bound.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tierwise.telemetry import files

MOST_VALUES = 1000
"""Sets of labels per metric; what comes after is counted as `other`."""
OTHER = "other"

_LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)


class Metric(NamedTuple):
    """One declared metric."""

    name: str
    kind: Literal["counter", "histogram"]
    help: str
    labels: tuple[str, ...]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "tierwise_poll_records_total",
            "counter",
            "Records read from the CRM, by what they turned out to be.",
            ("connection", "result"),
        ),
        Metric(
            "tierwise_late_records_total",
            "counter",
            "New or changed records that the CRM's search showed only after the poll had passed them.",
            ("connection",),
        ),
        Metric("tierwise_leads_decided_total", "counter", "Decisions committed.", ("connection", "tier", "outcome")),
        Metric("tierwise_model_calls_total", "counter", "Calls to models, by how they ended.", ("model", "result")),
        Metric(
            "tierwise_model_failures_total",
            "counter",
            "Calls to models that failed or answered with nothing usable, by kind; retries and repairs count too.",
            ("model", "kind"),
        ),
        Metric(
            "tierwise_leads_held_total",
            "counter",
            "Times that a lead was put back to wait for a budget.",
            ("connection",),
        ),
        Metric("tierwise_batches_total", "counter", "Batches that ended, by how they did.", ("model", "result")),
        Metric(
            "tierwise_batch_questions_total",
            "counter",
            "Questions of batches that ended: answered, or why not; those are asked live.",
            ("model", "result"),
        ),
        Metric("tierwise_model_seconds", "histogram", "Duration of one call to a model, seconds.", ("model",)),
        Metric(
            "tierwise_crm_calls_total",
            "counter",
            "Calls of a connector, retries within them included, by how they ended.",
            ("connection", "operation", "result"),
        ),
        Metric("tierwise_crm_seconds", "histogram", "Duration of one of them, seconds.", ("connection", "operation")),
        Metric(
            "tierwise_crm_requests_total",
            "counter",
            "HTTP requests to another system, each attempt by itself: ok, retried (answered at a later attempt), or "
            "the fault.",
            ("connection", "result"),
        ),
        Metric("tierwise_crm_request_seconds", "histogram", "Duration of one of them, seconds.", ("connection",)),
        Metric(
            "tierwise_enrichments_total",
            "counter",
            "Questions to enrichers, by how they ended.",
            ("enricher", "result"),
        ),
        Metric(
            "tierwise_automated_total",
            "counter",
            "Writes of the organisation's own tier field, by how they ended.",
            ("connection", "result"),
        ),
        Metric("tierwise_notices_total", "counter", "Tries to tell people, by how they ended.", ("notifier", "result")),
        Metric("tierwise_writes_total", "counter", "Records written back, by how it ended.", ("connection", "result")),
    )
}


class Gauge(NamedTuple):
    """A level as it is now, with one value for each set of labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def count(name: str, amount: float = 1, **labels: object) -> None:
    """Add to a counter. ValueError where name or labels are not declared."""
    _child(name, "counter", labels).inc(amount)


def observe(name: str, value: float, **labels: object) -> None:
    """Add one measurement, in the metric's unit. ValueError where name or labels are not declared."""
    _child(name, "histogram", labels).observe(value)


def share(directory: Path) -> None:
    """Keep the counters in files here, so that one process can show those of all: before the first count.

    Called by the parent of the processes, which inherit it. Files of an earlier run are removed.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in directory.glob("*.db"):
        old.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)


def unshare() -> None:
    """Its files are about to go: counts are this process's own again."""
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)


def shared() -> bool:
    """Whether our parent gave a place for the counters of all."""
    return bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))


def join() -> None:
    """Make one of the counters of all processes that ended; to be called now and then where counters are shared."""
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if directory:
        files.join(Path(directory))


def exposition(gauges: Sequence[Gauge] = ()) -> tuple[bytes, str]:
    """Everything as (Prometheus text, content type): this process, all counters, and the levels given."""
    import prometheus_client

    return prometheus_client.generate_latest(_registry(gauges)), prometheus_client.CONTENT_TYPE_LATEST


def serve(host: str, port: int) -> int:
    """Answer with the counters over HTTP, in a thread of this process, for as long as it lives; the port.

    OSError where the address cannot be had.
    """
    import prometheus_client

    server, _ = prometheus_client.start_http_server(port, addr=host, registry=_registry(()))
    _servers.append(server)
    return int(server.server_port)


def forked() -> None:
    """To be called in a child: it must not hold the address for its parent."""
    while _servers:
        _servers.pop().socket.close()


_servers: list[Any] = []


def _registry(gauges: Sequence[Gauge]) -> Any:
    import prometheus_client
    from prometheus_client import metrics_core

    registry = prometheus_client.CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry.register(_OfAll(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])))
    else:
        for name in METRICS:
            registry.register(_metric(name))
    prometheus_client.ProcessCollector(registry=registry)
    prometheus_client.PlatformCollector(registry=registry)
    families = []
    for gauge in gauges:
        family = metrics_core.GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
        for values, level in gauge.values.items():
            family.add_metric(values, level)
        families.append(family)
    registry.register(_Given(families))
    return registry


class _OfAll:
    """A collector in prometheus_client's sense, of the counters of all processes that share the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Any]:
        from prometheus_client import multiprocess

        with files.held(self._directory, alone=False):
            collector = multiprocess.MultiProcessCollector(None, str(self._directory))  # type: ignore[no-untyped-call]
            return list(collector.collect())  # type: ignore[no-untyped-call]


class _Given:
    """A collector in prometheus_client's sense, of what was read before."""

    def __init__(self, families: Sequence[Any]) -> None:
        self._families = families

    def collect(self) -> Iterable[Any]:
        return self._families


@functools.cache
def _metric(name: str) -> Any:
    import prometheus_client

    metric = METRICS[name]
    if metric.kind == "counter":
        return prometheus_client.Counter(name, metric.help, metric.labels, registry=None)
    return prometheus_client.Histogram(name, metric.help, metric.labels, registry=None, buckets=_LATENCY)


_seen: dict[str, set[tuple[str, ...]]] = {}
_children: dict[tuple[object, ...], tuple[Any, Any]] = {}
"""Metric and child by kind, name and labels: what is counted with every lead is looked up once."""


def _child(name: str, kind: str, labels: dict[str, object]) -> Any:
    key = (kind, name, *labels, *labels.values())
    held = _children.get(key)
    if held is not None and held[0] is _metric(name):
        return held[1]
    metric = METRICS.get(name)
    if metric is None or metric.kind != kind:
        raise ValueError(f"no {kind} `{name}` is declared in telemetry.metrics")
    if set(labels) != set(metric.labels):
        raise ValueError(f"`{name}` has the labels {', '.join(metric.labels)}, not {', '.join(sorted(labels))}")
    values = tuple(str(labels[label])[:80] for label in metric.labels)
    seen = _seen.setdefault(name, set())
    if values not in seen:
        if len(seen) >= MOST_VALUES:
            values = (OTHER,) * len(values)
        seen.add(values)
    child = _metric(name).labels(*values)
    if all(labels[label] == value for label, value in zip(metric.labels, values, strict=True)):
        # Texts that are counted as they are: to a key True would be 1, and others are without number.
        _children[key] = _metric(name), child
    return child
