"""A settings file written by the test and read without the environment of whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import settings

Read = Callable[..., settings.Settings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tierwise.toml"


@pytest.fixture
def read(file: Path) -> Read:
    def read(text: str = "", **environ: str) -> settings.Settings:
        file.write_text(text, encoding="utf-8")
        return settings.load(file, environ=environ)

    return read
