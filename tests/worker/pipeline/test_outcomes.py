"""What the CRM tells of leads becomes labels, page by page, by a cursor of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from tierwise import errors
from tierwise.pipeline import outcomes, poll, reconcile, turns
from tierwise.sdk import Outcome, OutcomePage


class Telling:
    """A connector that tells one stage a page."""

    def __init__(self, crm: Any) -> None:
        self.now = crm.now
        self.stages: list[Outcome] = []
        self.asked: list[tuple[datetime, datetime, Any]] = []
        self.fail_at: int | None = None

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[OutcomePage]:
        self.asked.append((since, until, position))
        first = position["next"] if position else 0
        for number in range(first, max(first + 1, len(self.stages))):
            if self.fail_at == number:
                raise errors.RetryLater("busy", after=700)
            last = number + 1 >= len(self.stages)
            yield OutcomePage(tuple(self.stages[number : number + 1]), None if last else {"next": number + 1})


def tell(line: Any, connector: Any, stop: Callable[[], bool] = lambda: False) -> outcomes.Told | None:
    return outcomes.outcomes(
        line.store, connector, connection=line.name, owner="o", clock=line.clock, monotonic=line.clock.monotonic,
        pace=poll.Pace(), trail=reconcile.Trail(), stop=stop,
    )  # fmt: skip


@pytest.fixture
def telling(line: Any) -> Telling:
    line.put("1")
    line.put("2")
    line.poll()
    made = Telling(line.crm)
    made.stages = [Outcome(key, "stage", "customer", line.clock.now, won=True) for key in ("1", "2")]
    line.clock.wait(3700)
    return made


def test_a_pass_reads_a_page_however_long_the_crm_takes_to_tell_its_time(line: Any, telling: Telling) -> None:
    """Or a pass that makes room would begin anew for ever, while nobody decides the lead that is due."""

    def now() -> datetime:
        line.clock.wait(10)
        found: datetime = line.crm.now()
        return found

    telling.now = now
    assert line.store.works.neglected(since=line.clock.now, now=line.clock.now)
    for turn in range(2):
        mine = turns.Turn(
            line.store, "outcomes", line.name, owner="o", clock=line.clock, monotonic=line.clock.monotonic,
            wake=lambda: None,
        )  # fmt: skip
        report = tell(line, telling, mine.over)
        assert report is not None
        assert report.pages, f"turn {turn}"


def test_outcomes_are_labels_without_a_probability(line: Any, telling: Telling) -> None:
    assert tell(line, telling) == outcomes.Told(windows=1, pages=2, outcomes=2, labels=2)
    assert {(one.record_id, one.value, one.sampling) for one in line.store.labels.list()} == {
        ("1", "customer", None),
        ("2", "customer", None),
    }
    line.clock.wait(3700)
    again = tell(line, telling)
    assert (again.outcomes > 0, again.labels) == (True, 0)


def test_it_goes_on_where_it_was_interrupted(line: Any, telling: Telling) -> None:
    telling.fail_at = 1
    with pytest.raises(errors.RetryLater):
        tell(line, telling)
    assert [one.record_id for one in line.store.labels.list()] == ["1"]
    telling.fail_at = None
    report = tell(line, telling)
    assert (report.pages, report.labels) == (1, 1)
    assert telling.asked[1][2] == {"next": 1}
    assert telling.asked[1][1] == telling.asked[0][1], "the window is the one that was begun"


def test_a_worker_that_ends_waits_for_no_page_that_is_left(line: Any, telling: Telling) -> None:
    report = tell(line, telling, stop=lambda: bool(line.store.labels.list()))
    assert (report.pages, report.windows) == (1, 0)
    report = tell(line, telling)
    assert (report.pages, report.windows, report.labels) == (1, 1, 1)


def test_a_worker_that_ends_begins_no_further_window(line: Any, telling: Telling) -> None:
    line.clock.wait(36_000)
    tell(line, telling, stop=lambda: len(telling.asked) >= 2)
    assert len(telling.asked) == 2


def test_nothing_is_asked_before_the_lag(line: Any) -> None:
    made = Telling(line.crm)
    assert tell(line, made) == outcomes.Told()
    assert made.asked == []


def test_a_connector_that_tells_none_is_left_alone(line: Any) -> None:
    assert tell(line, line.crm) is None
