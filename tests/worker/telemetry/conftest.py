"""Logs into a string, with the process's logging put back afterwards."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tierwise import telemetry

Configure = Callable[..., io.StringIO]


@pytest.fixture
def logs() -> Iterator[Configure]:
    """`logs("json")` configures logging and returns where its lines go."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    hooks = sys.excepthook, threading.excepthook

    def configure(format_: telemetry.logs.Format = "json", level: str = "debug") -> io.StringIO:
        root.handlers.clear()  # pytest's own raises where logging would only print
        stream = io.StringIO()
        telemetry.configure(format_, level, stream=stream)
        return stream

    yield configure
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
