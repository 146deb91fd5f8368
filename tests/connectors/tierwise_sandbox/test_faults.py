from __future__ import annotations

import json
from typing import Any

import pytest

from tierwise_sandbox.faults import Faults, fewer_inputs, parse


def test_a_fault_is_used_as_often_as_it_says_and_then_gone() -> None:
    faults = Faults()
    faults.replace([{"match": {"path": "/search", "method": "post"}, "times": 2, "action": "status", "status": 503}])
    assert faults.take("GET", "/crm/x/search") is None
    assert faults.take("POST", "/crm/x/batch/read") is None
    assert [faults.take("POST", "/crm/x/search") is not None for _ in range(3)] == [True, True, False]
    assert faults.fired == 2


def test_faults_come_in_order_can_wait_and_can_last() -> None:
    faults = Faults()
    faults.replace([
        {"action": "drop", "skip": 1},
        {"action": "delay", "times": None, "seconds": 0.5},
    ])  # fmt: skip
    actions = [fault.action for _ in range(4) if (fault := faults.take("GET", "/"))]
    assert actions == ["delay", "drop", "delay", "delay"]
    faults.replace([])
    assert faults.take("GET", "/") is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("drop", "a fault is an object"),
        ({"action": "explode"}, "'explode' is not one of status, delay, drop, truncate, partial"),
        ({"action": "drop", "match": {"url": "x"}}, "match takes path"),
        ({"action": "drop", "chance": 1}, "unknown key 'chance'"),
        ({"action": "drop", "times": 0}, "times is a positive number"),
    ],
)
def test_a_broken_fault_says_what_is_wrong(given: Any, told: str) -> None:
    with pytest.raises(ValueError, match=r"faults\[0\]: ") as refused:
        parse(given, "faults[0]")
    assert told in str(refused.value)


def test_a_broken_list_changes_nothing() -> None:
    faults = Faults()
    faults.replace([{"action": "drop"}])
    with pytest.raises(ValueError, match="explode"):
        faults.replace([{"action": "delay"}, {"action": "explode"}])
    fault = faults.take("GET", "/")
    assert fault is not None
    assert fault.action == "drop"


def test_a_batch_can_lose_its_tail() -> None:
    body = json.dumps({"inputs": [1, 2, 3, 4], "properties": ["email"]}).encode()
    assert json.loads(fewer_inputs(body, 0.5)) == {"inputs": [1, 2], "properties": ["email"]}
    assert json.loads(fewer_inputs(body, 0.0))["inputs"] == []
    for other in (b"{", b"[]", b'{"limit": 3}'):
        assert fewer_inputs(other, 0.5) == other
