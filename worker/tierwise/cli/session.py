"""One command's settings, logs and parts, opened and closed around it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tierwise import settings as configuration
from tierwise import telemetry
from tierwise.settings import Settings
from tierwise.wiring import Wiring


def load() -> Settings:
    """Settings from environment, file and defaults; logs go to standard error from here on."""
    settings = configuration.load()
    telemetry.conceal(*settings.secrets())
    telemetry.configure(settings.log_format, settings.log_level)
    return settings


def person() -> str:
    """Who sits here; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def opened() -> Iterator[Wiring]:
    """Parts for the block."""
    wiring = Wiring(load())
    try:
        yield wiring
    finally:
        wiring.close()
