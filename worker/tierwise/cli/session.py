"""One command's settings, logs and parts, opened and closed around it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tierwise import settings as configuration
from tierwise import telemetry
from tierwise.errors import Refused
from tierwise.settings import Settings
from tierwise.wiring import Wiring, clock


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


def actor(parts: Wiring) -> str:
    """Who acts: the person of TIERWISE_TOKEN, or whoever sits here, which is enough until people are listed.

    Raises Refused for a token that opens nothing; that it was tried is recorded.
    """
    here = f"local:{person()}"
    token = parts.settings.token
    if token is None:
        return here
    found = parts.store.people.of_token(token.get_secret_value())
    if found is not None:
        return found.name
    why = "this token opens nothing: it is mistyped, or its person was disabled"
    parts.store.admin_events.add(here, "token", "token", reason="", now=clock(), refused=why)
    raise Refused(why, place="TIERWISE_TOKEN", remedy="an admin gives out tokens: tierwise users add")


@contextmanager
def opened() -> Iterator[Wiring]:
    """Parts for the block."""
    wiring = Wiring(load())
    try:
        yield wiring
    finally:
        wiring.close()
