"""The wiring of a process whose settings name two connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup


@pytest.fixture
def parts(home: Path) -> Iterator[wiring.Wiring]:
    settings = configuration.Settings(home=home, connections={"emea": {"type": "hubspot"}, "odd": {"type": "other"}})
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    yield made
    made.close()
