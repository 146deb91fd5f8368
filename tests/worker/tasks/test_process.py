"""A process's wiring and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import errors
from tierwise.tasks import process


def test_tasks_without_settings_say_so(home: Path) -> None:
    with pytest.raises(errors.Misconfigured, match="tierwise worker"):
        process.Process().get()
