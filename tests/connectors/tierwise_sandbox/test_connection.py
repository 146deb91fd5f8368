from __future__ import annotations

import asyncio

import pytest

from tierwise_sandbox.connection import abort


def test_without_a_connection_there_is_nothing_to_cut() -> None:
    for client in (None, ("127.0.0.1", 1)):
        with pytest.raises(ConnectionResetError):
            asyncio.run(abort({"type": "http", "client": client}))
