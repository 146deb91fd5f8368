"""Rules by age, hits and how often people said otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise_fixtures import policies as make

from tierwise import ports
from tierwise.pipeline import due

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MONTH = timedelta(days=30)


def rule(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": name, "stage": "gate", "when": "true", "reason": "X", "outcome": "reject", "owner": "ops",
            "why": "So.", **changes}  # fmt: skip


def past(number: int, *matched: str) -> ports.PastDecision:
    hits = [{"rule": name, "truth": "match"} for name in matched] + [{"rule": "other", "truth": "no_match"}]
    return ports.PastDecision(number, "c", str(number), "p", {"hits": hits}, {})


def answer(decision_id: int, *, agree: bool) -> ports.ReviewItem:
    return ports.ReviewItem(
        1, "c", "1", "guardrail", "answered", 0, "", NOW, decision_id, None, None, None, NOW, "ann", {"agree": agree}
    )


def test_rules_are_told_by_age_hits_and_override_rate() -> None:
    first = make.policy(rules=[rule("old"), rule("changed")])
    second = make.policy(rules=[rule("old", why="In other words."), rule("changed", priority=1), rule("new")])
    ran = [(NOW - timedelta(days=3), second), (NOW - timedelta(days=60), first)]
    found = due.review(
        second, ran=ran, pasts=[past(1, "old"), past(2, "old", "new"), past(3)],
        answers=[answer(1, agree=True), answer(2, agree=False), answer(99, agree=False)], every=MONTH, now=NOW,
    )  # fmt: skip
    assert [(item.rule, (NOW - item.since).days, item.hits, item.override_rate, item.due) for item in found] == [
        ("old", 60, 2, 0.5, True),
        ("changed", 3, 0, None, False),
        ("new", 3, 1, 1.0, False),
    ]


def test_a_rule_that_came_back_is_as_old_as_its_return() -> None:
    with_it, without = make.policy(rules=[rule("a")]), make.policy(rules=[])
    ran = [(NOW - timedelta(days=1), with_it), (NOW - timedelta(days=2), without), (NOW - timedelta(days=90), with_it)]
    (found,) = due.review(with_it, ran=ran, pasts=[], answers=[], every=MONTH, now=NOW)
    assert ((NOW - found.since).days, found.hits, found.due) == (1, 0, False)
