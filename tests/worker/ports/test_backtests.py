from __future__ import annotations

import inspect

from tierwise.ports.backtests import Backtests
from tierwise.store import backtests


def test_the_store_of_this_version_offers_what_backtests_ask_for() -> None:
    promised = {name for name, _ in inspect.getmembers(Backtests, inspect.isfunction) if not name.startswith("_")}
    assert len(promised) > 7
    for name in promised:
        wanted = list(inspect.signature(getattr(Backtests, name)).parameters)
        assert list(inspect.signature(getattr(backtests.Backtests, name)).parameters) == wanted, name
