"""What Tierwise says about itself while it runs: log lines with their context, and counters.

Nothing that reaches a log line here shows personal data or a secret, whichever way it came: see `redaction`.
Decisions and their reasons are not telemetry: they are stored.
"""

from __future__ import annotations

from tierwise.telemetry.context import bind, lead_ref, new_trace
from tierwise.telemetry.logs import configure, log
from tierwise.telemetry.metrics import (
    METRICS,
    Gauge,
    count,
    exposition,
    forked,
    join,
    observe,
    serve,
    share,
    shared,
    unshare,
)
from tierwise.telemetry.redaction import conceal, redact

__all__ = [
    "METRICS",
    "Gauge",
    "bind",
    "conceal",
    "configure",
    "count",
    "exposition",
    "forked",
    "join",
    "lead_ref",
    "log",
    "new_trace",
    "observe",
    "redact",
    "serve",
    "share",
    "shared",
    "unshare",
]
