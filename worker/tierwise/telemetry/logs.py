"""One stream of log lines for all of this process: ours, the libraries', warnings and what nobody caught.

JSON where a machine reads, pretty on a terminal. Only this module may add a handler.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from tierwise.telemetry import context, redaction

Format = Literal["auto", "json", "pretty"]

_QUIET = {
    # Lines for every task or request, some of them with whole addresses.
    "amqp": logging.WARNING,
    "asyncio": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "celery.beat": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "hubspot": logging.WARNING,
    "kombu": logging.WARNING,
    "openai": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "urllib3": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "alembic": logging.WARNING,
    "LiteLLM": logging.WARNING,
    "LiteLLM Router": logging.WARNING,
    "LiteLLM Proxy": logging.WARNING,
}
_OWN_HANDLERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "uvicorn", "uvicorn.error", "uvicorn.access", "celery")
"""Libraries that would print past us."""

_FIRST = ("timestamp", "level", "event", "logger", "trace", "task", "connection", "lead", "policy")


class _Deaf(logging.Logger):
    """A logger that keeps to its parents' handlers, whatever its library adds when it is imported."""

    def addHandler(self, hdlr: logging.Handler) -> None:
        """Nothing: the line reaches our own handler anyway."""


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, dict):
            try:
                record.getMessage()
            except (TypeError, ValueError, LookupError):
                # logging itself would print message and arguments raw to standard error.
                record = logging.makeLogRecord(record.__dict__)
                record.msg, record.args = f"{record.msg} (its arguments do not fit)", ()
        return super().format(record)


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """A line that cannot be written is lost; the base class would print it raw."""


def configure(format: Format = "auto", level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to `stream` (standard error). May be called again."""
    out = stream or sys.stderr
    pretty = format == "pretty" or (format == "auto" and out.isatty())
    handler = _Handler(out)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=_chain(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _order, *_renderer(out, pretty)],
        )
    )
    root = logging.getLogger()
    for old in [*root.handlers]:
        if isinstance(old, _Handler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    _tame()
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def log(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log.info("polled", records=3)`. The event is a fixed phrase, values are keywords."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        context.add_trace,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redaction.redact_event,
    ]


def _renderer(out: TextIO, pretty: bool) -> list[Processor]:
    if not pretty:
        return [structlog.processors.JSONRenderer(ensure_ascii=True)]
    colors = out.isatty() and not os.environ.get("NO_COLOR")
    console = structlog.dev.ConsoleRenderer(
        colors=colors, sort_keys=False, pad_event_to=36, exception_formatter=structlog.dev.plain_traceback
    )
    return [_short_trace, console]


def _short_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**event, "trace": str(event.get("trace", ""))[:8]}


def _order(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {key: event[key] for key in _FIRST if key in event}
    return {**first, **event}


def _tame() -> None:
    before = logging.getLoggerClass()
    logging.setLoggerClass(_Deaf)
    try:
        for name in _OWN_HANDLERS:
            logger = logging.getLogger(name)
            if not isinstance(logger, _Deaf):  # a library that came first made it, and may still add a handler
                logger.__class__ = _Deaf
            logger.handlers.clear()
            logger.propagate = True
    finally:
        logging.setLoggerClass(before)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    log(__name__).critical("nobody caught this", exc_info=(kind, error, traceback))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        log(__name__).critical(
            "nobody caught this in a thread", exc_info=(args.exc_type, args.exc_value, args.exc_traceback)
        )


# At import, so that a line logged before `configure` goes to logging, never to standard output.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        *_chain(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
