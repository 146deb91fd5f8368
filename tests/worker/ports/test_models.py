"""Who judges keeps to the signature that the pump calls."""

from __future__ import annotations

import inspect
import typing

import pytest

from tierwise import ports, wiring
from tierwise.llm.cascade import Cascade


@pytest.mark.parametrize("name", ["judge", "close"])
def test_the_cascade_is_a_judge(name: str) -> None:
    promised, offered = getattr(ports.Judge, name), getattr(Cascade, name)
    assert inspect.iscoroutinefunction(offered)
    assert inspect.signature(offered).parameters.keys() == inspect.signature(promised).parameters.keys()
    assert typing.get_type_hints(offered) == typing.get_type_hints(promised)


def test_the_clock_of_the_worker_knows_its_zone() -> None:
    clock: ports.Clock = wiring.clock
    offset = clock().utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
