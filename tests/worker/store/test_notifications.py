from __future__ import annotations

from datetime import timedelta
from typing import Any

from tierwise.sdk import Notice

HOUR = timedelta(hours=1)


def _put(desk: Any, *notifiers: str, **changed: Any) -> int:
    notice = Notice("paused:crm", "critical", "It is paused", "See to it", desk.now, "", "connection_paused")
    notice = notice._replace(**changed)
    return int(desk.store.notifications.put(notifiers or ("ops",), notice, quiet=HOUR, now=desk.now))


def _claim(desk: Any) -> Any:
    return desk.store.notifications.claim(limit=10, lease=60, now=desk.now)


def test_a_notice_goes_to_everybody_once(desk: Any) -> None:
    assert _put(desk, "chat", "mail") == 2
    assert desk.store.notifications.due(now=desk.now) == 2
    first, second = _claim(desk)
    assert (first.notifier, second.notifier, first.notice.title) == ("chat", "mail", "It is paused")
    assert _claim(desk) == []
    assert desk.store.notifications.sent(first, now=desk.now)
    assert [(one.notifier, one.state) for one in desk.store.notifications.list()] == [
        ("mail", "leased"), ("chat", "sent"),
    ]  # fmt: skip


def test_the_same_matter_is_told_again_only_when_it_is_worse_or_an_hour_has_passed(desk: Any) -> None:
    _put(desk)
    desk.store.notifications.sent(_claim(desk)[0], now=desk.now)
    assert _put(desk) == 0
    assert _put(desk, severity="resolved") == 1
    desk.store.notifications.sent(_claim(desk)[0], now=desk.now)
    assert _put(desk) == 1
    desk.store.notifications.sent(_claim(desk)[0], now=desk.now)
    desk.now += HOUR
    assert _put(desk) == 1


def test_of_what_was_not_told_yet_only_the_newest_is(desk: Any) -> None:
    _put(desk)
    _put(desk, severity="resolved", title="It works again")
    (only,) = _claim(desk)
    assert (only.notice.severity, only.notice.title) == ("resolved", "It works again")


def test_who_lost_its_lease_settles_nothing(desk: Any) -> None:
    _put(desk)
    (late,) = _claim(desk)
    desk.now += timedelta(seconds=61)
    (mine,) = _claim(desk)
    assert mine.attempt == 2
    notifications = desk.store.notifications
    assert not notifications.sent(late, now=desk.now)
    assert not notifications.give_up(late, error="x")
    assert notifications.retry(mine, error="503", run_after=desk.now + HOUR)
    assert (notifications.due(now=desk.now), notifications.due(now=desk.now + HOUR)) == (0, 1)


def test_what_was_given_up_goes_out_again_when_a_person_says_so(desk: Any) -> None:
    _put(desk)
    desk.store.notifications.give_up(_claim(desk)[0], error="404")
    assert desk.store.notifications.due(now=desk.now + HOUR) == 0
    (dead,) = desk.store.notifications.list(notifier="ops")
    assert (dead.state, dead.error) == ("dead", "404")
    assert desk.store.notifications.revive("mail", now=desk.now) == 0
    assert desk.store.notifications.revive("ops", now=desk.now) == 1
    assert _claim(desk)[0].attempt == 1
