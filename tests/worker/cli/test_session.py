"""Parts are opened for a command and closed after it, also when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import store
from tierwise.cli import session, setup
from tierwise.errors import Misconfigured


def test_parts_work_inside_the_block(home: Path) -> None:
    setup.prepare(session.load())
    with session.opened() as parts:
        assert parts.store.connections.list() == []
        assert parts.settings.home == home


def test_a_database_without_tables_is_told(home: Path) -> None:
    with session.opened() as parts, pytest.raises(Misconfigured, match="tierwise db upgrade"):
        parts.store.reviews.list()
    assert store.current(session.load().database_url)[0] is None
