from __future__ import annotations

import inspect

from tierwise.ports.batches import Batches
from tierwise.store import batches


def test_the_store_of_this_version_offers_what_batches_ask_for() -> None:
    promised = {name for name, _ in inspect.getmembers(Batches, inspect.isfunction) if not name.startswith("_")}
    assert len(promised) > 10
    for name in promised:
        wanted = list(inspect.signature(getattr(Batches, name)).parameters)
        assert list(inspect.signature(getattr(batches.Batches, name)).parameters) == wanted, name
