from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce.switches import Switches


def test_switches_are_set_by_name_and_shown() -> None:
    switches = Switches()
    switches.set({"lock_rows": 3, "late_commit_seconds": [1, 600], "daily_requests": None, "assignment_rules": False})
    assert switches.shown()["lock_rows"] == 3
    assert switches.shown()["assignment_rules"] is False
    assert "chance" not in switches.shown()


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"nonsense": 1},
        {"lock_rows": -1},
        {"lock_rows": True},
        {"lock_rows": "3"},
        {"lock_share": 1.5},
        {"late_commit_seconds": 601},
        {"late_commit_seconds": [5, 1]},
        {"late_commit_seconds": [1]},
        {"assignment_rules": 1},
        {"page_rows": 0},
        {"page_rows": 2001},
        {"session_calls": 0},
    ],
)
def test_what_means_nothing_is_refused_and_nothing_is_set(given: Any) -> None:
    switches = Switches()
    with pytest.raises(ValueError, match="salesforce: "):
        switches.set({"transient_rows": 5, **given} if isinstance(given, dict) else given)
    assert switches.transient_rows == 0


def test_counts_are_used_up_and_shares_are_drawn_the_same_way_each_time() -> None:
    switches = Switches(lock_rows=2)
    assert [switches.take("lock_rows") for _ in range(4)] == [True, True, False, False]
    drawn = [[one.drawn(0.3) for _ in range(200)] for one in (Switches(), Switches())]
    assert drawn[0] == drawn[1]
    assert 30 < sum(drawn[0]) < 90
    assert not any(Switches().drawn(0) for _ in range(50))


def test_a_commit_is_delayed_by_what_was_set() -> None:
    assert Switches().commit_delay() == 0
    assert Switches(late_commit_seconds=7).commit_delay() == 7
    delays = [Switches(late_commit_seconds=[10, 600]).commit_delay() for _ in range(3)]
    assert all(10 <= delay <= 600 for delay in delays)
