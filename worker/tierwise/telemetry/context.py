"""What a log line is about: trace, task, connection, lead and policy, carried by context variables.

They follow the work through threads' and coroutines' own contexts; nothing is passed by hand.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog
from opentelemetry import trace

from tierwise.telemetry import redaction

_PROCESS = secrets.token_hex(16)
"""Lines outside any work share the trace of their process."""


@contextlib.contextmanager
def bind(**context: object) -> Iterator[None]:
    """Put these keys on every line logged inside; None leaves a key as it is. Leads as `lead_ref(...)`."""
    with structlog.contextvars.bound_contextvars(**{key: value for key, value in context.items() if value is not None}):
        yield


def lead_ref(connection: str, record_id: str) -> str:
    """Thirteen characters that stand for a lead in logs: the same in every process, and not its id."""
    return redaction.reference(f"{connection}\0{record_id}")


def new_trace() -> str:
    """A trace id, 32 hex digits: that of the current OpenTelemetry span where there is one."""
    return _span_trace() or secrets.token_hex(16)


def add_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: every line has a trace."""
    if not event.get("trace"):
        event["trace"] = _span_trace() or _PROCESS
    return event


def _span_trace() -> str | None:
    span = trace.get_current_span().get_span_context()
    return f"{span.trace_id:032x}" if span.is_valid else None
