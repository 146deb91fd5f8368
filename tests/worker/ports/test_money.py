from __future__ import annotations

from datetime import UTC, datetime

from tierwise.ports import ALL, Budget, Budgets, Level


def test_a_call_counts_against_its_connections_budget_and_the_total() -> None:
    budgets = Budgets(total=Budget(month=5), connections={"a": Budget(day=1), "b": Budget()})
    assert [scope for scope, _ in budgets.of("a")] == ["a", ALL]
    assert [scope for scope, _ in budgets.of("b")] == [ALL], "no limit is no budget"
    assert [scope for scope, _ in budgets.of("")] == [ALL]
    assert budgets.any
    assert not Budgets(connections={"b": Budget()}).any
    assert Budgets(connections={"a": Budget(day=0)}).any, "nothing may be spent is a limit"


def test_a_budget_is_exhausted_at_its_limit() -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    assert Level(ALL, "day", 5, spent=5, reserved=0, resumes_at=now).exhausted
    assert not Level(ALL, "day", 5, spent=4, reserved=9, resumes_at=now).exhausted
