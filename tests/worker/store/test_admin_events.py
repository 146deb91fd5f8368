"""A list that only grows."""

from __future__ import annotations

from typing import Any


def test_what_was_done_and_what_was_tried_is_told_newest_first(desk: Any) -> None:
    events = desk.store.admin_events
    events.add("ann", "policy.publish", "policy abc", reason="better", now=desk.now, after={"version": "2"})
    events.add("bob", "users.add", "person eve", reason="", now=desk.wait(1), refused="no role")
    newest, oldest = events.list()
    assert (newest.actor, newest.action, newest.refused) == ("bob", "users.add", "no role")
    assert (oldest.subject, oldest.reason, oldest.refused, oldest.after) == (
        "policy abc", "better", None, {"version": "2"},
    )  # fmt: skip
    assert oldest.before is None
    assert oldest.at < newest.at == desk.now
    assert [item.actor for item in events.list(subject="person ")] == ["bob"]
    assert [item.actor for item in events.list(limit=1)] == ["bob"]
    assert events.list(subject="%") == []


def test_a_long_name_does_not_stop_the_record(desk: Any) -> None:
    desk.store.admin_events.add("a" * 500, "policy.show", "s" * 500, reason="", now=desk.now)
    assert len(desk.store.admin_events.list()[0].actor) == 200
