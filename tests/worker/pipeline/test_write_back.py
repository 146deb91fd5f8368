"""Advice reaches the CRM once, only where it differs, and never without an intent that was stored before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import fakes

from tierwise import errors
from tierwise.domain import echo
from tierwise.pipeline.write_back import WroteBack
from tierwise.sdk import Update, Written


class Killed(BaseException):
    """The process ends here: nothing of it runs on."""


@pytest.fixture
def wide(line: Any) -> Any:
    """A line whose CRM takes five records in a call."""
    line.crm.batch_size = 5
    return line


def _decided(line: Any, *record_ids: str, **properties: Any) -> None:
    """These leads are decided and their advice is due."""
    for record_id in record_ids:
        line.put(record_id, **properties)
    assert line.poll().complete
    line.pump()


def _due(line: Any) -> int:
    return int(line.store.outbox.due(now=line.clock.now).get(line.name, 0))


def _attempts(line: Any, record_id: str) -> list[tuple[str | None, str]]:
    return [(attempt.outcome, attempt.error) for attempt in line.story(record_id).attempts]


def test_what_is_due_is_sent_in_the_crms_own_batch_size(line: Any) -> None:
    _decided(line, *"1234567")
    assert line.write_back() == WroteBack(calls=3, sent=7)
    assert [len(batch) for batch in line.crm.batches] == [3, 3, 1]
    assert {record_id: own["tierwise_tier"] for record_id, own in line.crm.own.items()} == dict.fromkeys("1234567", "A")
    assert line.write_back() == WroteBack()
    assert len(line.crm.batches) == 3, "nothing is due: nothing is called"


def test_only_fields_that_differ_are_sent(line: Any) -> None:
    _decided(line, "1")
    line.write_back()
    line.clock.wait(60)
    _decided(line, "1", company="Globex")  # decided anew, to the same effect
    line.write_back()
    first, second = (batch[0].values for batch in line.crm.batches)
    assert len(first) > 10
    assert set(second) == {"tierwise_fingerprint", "tierwise_scored_at"}


def test_after_the_database_was_lost_only_what_differs_is_sent_again(line: Any, fresh: Any) -> None:
    _decided(line, "1")
    line.write_back()
    with fresh() as again:
        again.put("1", **line.crm.properties["1"])
        again.crm.own["1"] = {**line.crm.own["1"], "tierwise_fingerprint": "of an older version"}
        again.clock.wait(60)
        _decided(again)
        assert again.write_back() == WroteBack(calls=1, sent=1)
        (update,) = again.crm.journal
        assert set(update.values) == {"tierwise_fingerprint", "tierwise_scored_at"}


def test_while_more_is_coming_only_full_batches_go(line: Any) -> None:
    _decided(line, *"12345")
    assert line.write_back(full_only=True) == WroteBack(calls=1, sent=3)
    assert _due(line) == 2
    assert line.write_back(full_only=True) == WroteBack()
    assert line.write_back() == WroteBack(calls=1, sent=2)


def test_unchanged_rows_cost_no_call(line: Any) -> None:
    """A verdict that says what is shown already: the outbox has a row, and nothing in it differs."""
    _decided(line, "1", employees=None)
    line.write_back()
    line.poll()
    (item,) = line.store.reviews.list()
    shown = {**line.crm.own["1"]}
    assert line.store.reviews.answer(item.id, by="ada", answer={"agree": True}, advice=shown, now=line.clock.now)
    assert _due(line) == 1
    assert line.write_back() == WroteBack(unchanged=1)
    line.clock.wait(86_400)
    assert (len(line.crm.batches), _due(line)) == (1, 0)


def test_a_value_of_a_person_is_left_alone(line: Any) -> None:
    _decided(line, "1")
    line.write_back()
    line.clock.wait(60)
    line.crm.edit("1", tierwise_tier="D")
    line.poll()
    _decided(line, "1", employees=20)
    line.write_back()
    assert "tierwise_tier" not in line.crm.batches[-1][0].values
    assert line.crm.own["1"]["tierwise_tier"] == "D"
    assert line.crm.own["1"]["tierwise_score"] == 40


def test_the_intent_is_stored_before_the_call(line: Any) -> None:
    _decided(line, "1", "2")
    seen: dict[str, Any] = {}

    def look(_: int) -> None:
        for update in line.crm.batches[-1]:
            (attempt,) = line.story(update.record_id).attempts
            seen[update.record_id] = attempt
            assert (attempt.values, attempt.batch, attempt.outcome) == (update.values, "batch-1", None)

    line.crm.before_write = look
    line.write_back()
    assert sorted(seen) == ["1", "2"]
    assert _attempts(line, "1") == [("sent", "")]


def test_a_record_that_the_crm_cannot_take_now_is_tried_again_later(line: Any) -> None:
    _decided(line, "1", "2")
    line.crm.answers["1"] = Written("1", "retry", error="the record is locked")
    waits = []
    for attempt in range(1, 4):
        report = line.write_back()
        assert (report.retried, report.sent) == (1, 1 if attempt == 1 else 0)
        assert line.write_back() == WroteBack(), "not at once"
        begun = line.clock.elapsed
        while not _due(line):
            line.clock.wait(0.25)
        waits.append(line.clock.elapsed - begun)
    assert waits == [1.0, 2.0, 4.0], "doubling; half of it with a jitter of a half"
    line.crm.answers.clear()
    assert line.write_back().sent == 1
    assert _attempts(line, "1") == [("retry", "the record is locked")] * 3 + [("sent", "")]


def test_a_record_that_the_crm_never_takes_goes_to_a_person(line: Any) -> None:
    _decided(line, "1", "2")
    line.crm.answers["1"] = Written("1", "retry", error="the record is locked")
    for _ in range(4):
        assert line.write_back(attempts=5).refused == 0
        line.clock.wait(600)
    assert line.write_back(attempts=5).refused == 1
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("write_failed", "1")
    assert "gave up after 5 tries: the record is locked" in item.reason
    line.clock.wait(86_400)
    assert _due(line) == 0


def test_a_refused_record_does_not_hold_up_its_batch(line: Any) -> None:
    _decided(line, "1", "2", "3")
    line.crm.answers["2"] = Written("2", "refused", error="no such option")
    assert line.write_back() == WroteBack(calls=1, sent=2, refused=1)
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("write_failed", "2")
    assert "no such option" in item.reason
    assert (_attempts(line, "2"), _attempts(line, "3")) == ([("refused", "no such option")], [("sent", "")])
    assert _due(line) == 0


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (errors.RetryLater("429", after=30), 30),
        (errors.RetryLater("503"), 1),
        (errors.Unreachable("no answer"), 1),
        (errors.PauseConnection("the token was revoked"), 60),
        (errors.Misconfigured("no such object type"), 1),
        (errors.RejectRecord("this is no batch"), 1),
        (ConnectionResetError("ada@private.example"), 1),
    ],
)
def test_when_the_whole_call_fails_the_batch_is_put_back_and_the_error_goes_on(
    line: Any, error: Exception, wait: float
) -> None:
    _decided(line, "1", "2", "3", "4")

    def fail(_: int) -> None:
        raise error

    line.crm.before_write = fail
    with pytest.raises(type(error)) as caught:
        line.write_back()
    assert caught.value is error
    assert _due(line) == 1, "what was not in the batch is due as before"
    assert len(line.crm.batches) == 1, "whoever refuses one batch is not asked with the next"
    known = isinstance(error, errors.TierwiseError)
    assert _attempts(line, "1") == [("retry", str(error) if known else "unexpected ConnectionResetError")]
    line.clock.wait(wait - 0.25)
    assert _due(line) == 1
    line.clock.wait(0.25)
    assert _due(line) == 4
    line.crm.before_write = lambda _: None
    assert line.write_back().sent == 4


def test_failures_of_the_account_never_use_up_a_records_tries(line: Any) -> None:
    _decided(line, "1")

    def fail(_: int) -> None:
        raise errors.RetryLater("503")

    line.crm.before_write = fail
    for _ in range(12):
        with pytest.raises(errors.RetryLater):
            line.write_back(attempts=3)
        line.clock.wait(600)
    line.crm.before_write = lambda _: None
    assert line.write_back(attempts=3).sent == 1
    assert line.store.reviews.list() == []


def _fails_with(line: Any, *poison: str, error: Exception) -> None:
    """The CRM fails every batch that one of these is in."""

    def fail(_: int) -> None:
        if any(update.record_id in poison for update in line.crm.batches[-1]):
            raise error

    line.crm.before_write = fail


def _drain(line: Any, times: int, **pace: Any) -> list[Any]:
    """Drains, each when all is due again; reports, or the errors."""
    ended: list[Any] = []
    for _ in range(times):
        try:
            ended.append(line.write_back(**pace))
        except (errors.TierwiseError, ValueError) as error:
            ended.append(error)
        line.clock.wait(600)
    return ended


@pytest.mark.parametrize("error", [errors.RetryLater("500"), errors.Unreachable("cut off"), ValueError("a bug")])
@pytest.mark.parametrize("poison", ["1", "2", "3"])
def test_a_record_that_fails_every_batch_is_found_and_the_rest_delivered(
    line: Any, error: Exception, poison: str
) -> None:
    _decided(line, "1", "2", "3")
    _fails_with(line, poison, error=error)
    assert _drain(line, 3, attempts=4) == [error, error, error]
    assert line.crm.journal == []
    assert line.write_back(attempts=4) == WroteBack(calls=2, sent=2, refused=1)
    assert [len(batch) for batch in line.crm.batches[3:]] == [3, 1, 1, 1], "together once more, then each alone"
    assert {update.record_id for update in line.crm.journal} == {"1", "2", "3"} - {poison}
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("write_failed", poison)
    assert "gave up after 4 tries" in item.reason
    assert "a bug" not in item.reason
    line.clock.wait(86_400)
    assert _due(line) == 0


def test_a_new_record_is_not_blamed_with_an_old_one(line: Any) -> None:
    _decided(line, "1", "2")
    _fails_with(line, "1", "3", error=errors.RetryLater("500"))
    _drain(line, 3, attempts=4)
    _decided(line, "3")
    line.jitter = 0.0
    assert line.write_back(attempts=4) == WroteBack(calls=1, sent=1, retried=1, refused=1)
    assert [item.record_id for item in line.store.reviews.list(kind="write_failed")] == ["1"]
    assert _attempts(line, "3") == [("retry", "500")]


def test_a_record_that_fails_alone_is_to_blame_once_others_got_through(line: Any) -> None:
    _decided(line, "1")
    error = errors.RetryLater("500")
    _fails_with(line, "1", error=error)
    assert _drain(line, 6, attempts=4) == [error] * 6, "nobody to compare with: it may be the account"
    with pytest.raises(errors.RetryLater):
        line.write_back(attempts=4)
    _decided(line, "2", "3", "4")  # due before it
    line.clock.wait(600)
    assert line.write_back(attempts=4) == WroteBack(calls=1, sent=3, refused=1)
    assert [len(batch) for batch in line.crm.batches[-2:]] == [3, 1]
    assert [item.record_id for item in line.store.reviews.list()] == ["1"]


@pytest.mark.parametrize("chance", [0.0, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("poison", ["12", "23", "34", "45", "123", "345", "1245"])
def test_neighbours_who_fail_their_batch_are_found_too(wide: Any, poison: str, chance: float) -> None:
    """Two in a row are no outage when the next one gets through; where the order begins is chance."""
    _decided(wide, *"12345")
    error = errors.RetryLater("500")
    _fails_with(wide, *poison, error=error)
    assert _drain(wide, 3, attempts=4) == [error] * 3
    wide.jitter = chance
    for fresh in "6789":  # a pair that came last waits for somebody to be compared with
        _drain(wide, 1, attempts=4)
        _decided(wide, fresh)
        wide.jitter = (wide.jitter + 0.2) % 1.0
    assert {update.record_id for update in wide.crm.journal} >= set("12345678") - set(poison)
    assert sorted(item.record_id for item in wide.store.reviews.list()) == sorted(poison)


def test_two_failures_after_a_success_may_be_an_outage_that_begins(line: Any) -> None:
    _decided(line, "1", "2", "3")
    error = errors.RetryLater("500")
    _fails_with(line, "1", error=error)
    _drain(line, 3, attempts=4)
    before = len(line.crm.batches)

    def begins(_: int) -> None:
        if len(line.crm.batches) != before + 2:  # the batch, one alone who gets through, and then nobody
            raise error

    line.crm.before_write = begins
    assert _drain(line, 1, attempts=4) == [error]
    assert len(line.crm.journal) == 1
    assert line.store.reviews.list() == []
    assert _due(line) == 2, "nothing is in flight"
    line.crm.before_write = lambda _: None
    assert line.write_back(attempts=4).sent == 2


def test_an_outage_is_given_up_after_five_records(wide: Any) -> None:
    wide.crm.batch_size = 9
    _decided(wide, *"123456789")
    error = errors.Unreachable("no answer")
    _fails_with(wide, *"123456789", error=error)
    assert _drain(wide, 4, attempts=4) == [error] * 4
    assert [len(batch) for batch in wide.crm.batches] == [9, 9, 9, 9, 1, 1, 1, 1, 1]
    assert wide.store.reviews.list() == []


def test_an_outage_that_lasted_ends_in_whole_batches(line: Any) -> None:
    """Every row has used up its tries by then; one call each would cost the account its daily calls."""
    _decided(line, *"123456")
    _fails_with(line, *"123456", error=errors.Unreachable("no answer"))
    assert all(isinstance(end, errors.Unreachable) for end in _drain(line, 9, attempts=3))
    assert line.store.reviews.list() == [], "nobody got through: it is not the records"
    before = len(line.crm.batches)
    line.crm.before_write = lambda _: None
    assert line.write_back(attempts=3) == WroteBack(calls=2, sent=6)
    assert [len(batch) for batch in line.crm.batches[before:]] == [3, 3]


@pytest.mark.parametrize("error", [errors.RetryLater("429", after=30), errors.PauseConnection("the token was revoked")])
def test_what_only_the_account_can_mean_takes_no_batch_apart(line: Any, error: Exception) -> None:
    _decided(line, "1", "2", "3")
    _fails_with(line, "1", error=error)
    assert _drain(line, 9, attempts=3) == [error] * 9
    assert [len(batch) for batch in line.crm.batches] == [3] * 9


def test_a_connector_that_answers_too_little_is_a_failed_call(line: Any) -> None:
    _decided(line, "1", "2")
    write = line.crm.write
    line.crm.write = lambda updates: write(updates)[:1]
    with pytest.raises(ValueError, match="zip"):
        line.write_back()
    assert _attempts(line, "1") == _attempts(line, "2") == [("retry", "unexpected ValueError")]
    line.crm.write = write
    line.clock.wait(10)
    assert line.write_back().sent == 2


def test_who_is_asked_to_stop_sends_no_further_batch(line: Any) -> None:
    _decided(line, *"1234567")
    assert line.write_back(stop=lambda: len(line.crm.batches) == 2) == WroteBack(calls=2, sent=6)
    assert _due(line) == 1, "nothing is in flight: nobody waits for a lease to run out"
    assert line.write_back(owner="another", stop=lambda: True) == WroteBack()
    assert line.write_back(owner="another").sent == 1


def test_who_is_asked_to_stop_amid_single_records_puts_the_others_back(line: Any) -> None:
    _decided(line, "1", "2", "3")
    _fails_with(line, "3", error=errors.RetryLater("500"))
    _drain(line, 3, attempts=4)
    assert line.write_back(attempts=4, stop=lambda: len(line.crm.batches) == 5) == WroteBack(calls=1, sent=1)
    assert _due(line) == 2
    assert line.store.reviews.list() == []


def test_whatever_was_taken_without_our_knowing_is_sent_again(line: Any) -> None:
    _decided(line, "1")

    def die(_: int) -> None:
        raise Killed

    line.crm.after_write = die
    with pytest.raises(Killed):
        line.write_back(lease=120)
    assert (len(line.crm.journal), _due(line)) == (1, 0)
    line.crm.after_write = lambda _: None
    line.clock.wait(121)
    assert line.write_back().sent == 1
    first, second = line.crm.journal
    assert second.values == first.values
    assert _attempts(line, "1") == [(None, ""), ("sent", "")]


def test_a_record_that_was_merged_meanwhile_goes_on_under_its_new_id(line: Any) -> None:
    _decided(line, "1", "2")
    line.crm.moved["1"] = "9"
    line.crm.put("9", **line.crm.properties.pop("1"))
    del line.crm.modified["1"]
    assert line.write_back().sent == 2
    assert line.story("9").decisions[0].decision.record_id == "1"
    line.clock.wait(60)
    polled = line.poll()
    assert (polled.new, polled.changed, polled.delivered) == (0, 0, 2)
    assert line.write_back() == WroteBack()


def test_a_record_that_was_merged_into_one_with_advice_of_its_own_is_over(line: Any) -> None:
    _decided(line, "1", "2")
    line.crm.answers["1"] = Written("1", "retry", new_id="2", error="merged")
    assert line.write_back() == WroteBack(calls=1, sent=1, retried=1)
    assert _due(line) == 0
    assert [update.record_id for update in line.crm.journal] == ["2"]


def test_a_record_that_was_merged_into_one_that_we_do_not_know_goes_on_as_that(line: Any) -> None:
    _decided(line, "1")
    line.crm.answers["1"] = Written("1", "retry", new_id="9", error="merged")
    line.crm.put("9", **line.crm.properties.pop("1"))
    del line.crm.modified["1"]
    assert line.write_back().sent == 1
    assert [update.record_id for update in line.crm.journal] == ["9"]


def test_who_slept_through_half_the_lease_sends_nothing(line: Any) -> None:
    """Whoever sleeps a little longer may be followed by another writer: better nothing than something late."""
    _decided(line, "1", "2", "3", "4")

    def sleep() -> str:
        if not line.batches:
            line.clock.wait(61)
        return str(line.batch())

    assert line.write_back(lease=120, longest=300, new_id=sleep) == WroteBack(calls=1, sent=1)
    assert [update.record_id for batch in line.crm.batches for update in batch] == ["4"]
    line.clock.wait(60)
    assert line.write_back(owner="next").sent == 3


def test_who_lost_the_lease_sends_nothing(line: Any) -> None:
    _decided(line, "1", "2")
    taken: list[Any] = []

    def sleep() -> str:
        line.clock.wait(121)
        taken.extend(line.store.outbox.claim(line.name, limit=1, owner="next", lease=120, now=line.clock.now))
        return str(line.batch())

    # However long half of this lease is: what counts is whose it is.
    assert line.write_back(lease=120, longest=60, new_id=sleep) == WroteBack()
    assert line.crm.batches == []
    assert _attempts(line, taken[0].record_id) == []


def test_advice_that_changed_under_way_is_sent_as_it_is_now(line: Any) -> None:
    _decided(line, "1")

    def change() -> str:
        if not line.batches:
            _decided(line, "1", employees=20)
        return str(line.batch())

    assert line.write_back(new_id=change) == WroteBack(calls=1, sent=1)
    (update,) = line.crm.journal
    assert (update.values["tierwise_score"], line.crm.own["1"]["tierwise_score"]) == (40, 40)


def test_time_is_up(line: Any) -> None:
    _decided(line, *"1234567")
    line.crm.before_write = lambda _: line.clock.wait(30)
    assert line.write_back(longest=45).calls == 2
    assert _due(line) == 1


class Flushing(fakes.Crm):
    """A CRM whose connector takes a backlog at once: a step for each two rows, and a sign of life before each."""

    flush_size: ClassVar[int] = 10

    def __init__(self, clock: fakes.Clock) -> None:
        super().__init__(clock)
        self.flushes: list[tuple[Update, ...]] = []
        self.before_step: Callable[[int], None] = lambda step: None
        self.closed = 0
        """Flushes that were closed before their end."""

    def flush(self, updates: Sequence[Update]) -> Iterator[Mapping[int, Written]]:
        self.flushes.append(tuple(updates))
        try:
            for start in range(0, len(updates), 2):
                yield {}
                self.before_step(start // 2)
                places = range(start, min(start + 2, len(updates)))
                yield {place: self._take(updates[place]) for place in places}
        except GeneratorExit:
            self.closed += 1
            raise


@pytest.fixture
def flushing(line: Any) -> Any:
    line.crm = Flushing(line.clock)
    return line


def test_a_backlog_goes_in_one_flush_and_is_settled_as_it_is_told(flushing: Any) -> None:
    line = flushing
    _decided(line, *"1234567")
    settled: list[int] = []
    line.crm.before_step = lambda step: settled.append(sum(bool(_attempts(line, r)[0][0]) for r in "1234567"))
    assert line.write_back() == WroteBack(calls=4, sent=7)
    assert [len(rows) for rows in line.crm.flushes] == [7]
    assert line.crm.batches == []
    assert settled == [0, 2, 4, 6], "what was told is kept, whatever becomes of the rest"


def test_what_fits_one_batch_is_no_flush(flushing: Any) -> None:
    _decided(flushing, *"123")
    assert flushing.write_back() == WroteBack(calls=1, sent=3)
    assert flushing.crm.flushes == []


def test_no_flush_takes_more_than_its_size(flushing: Any) -> None:
    _decided(flushing, *"123456789abc")
    assert flushing.write_back().sent == 12
    assert [len(rows) for rows in flushing.crm.flushes] == [10]
    assert [len(rows) for rows in flushing.crm.batches] == [2]


def test_the_intents_of_a_flush_are_stored_before_it(flushing: Any) -> None:
    line = flushing
    _decided(line, *"1234")
    seen: list[Any] = []
    line.crm.before_step = lambda step: seen.extend(_attempts(line, record_id) for record_id in "1234")
    line.write_back()
    assert seen[:4] == [[(None, "")]] * 4


def test_leases_are_renewed_while_a_flush_takes_its_time(flushing: Any) -> None:
    """A job of minutes under a lease of two: nobody else may get at its rows meanwhile."""
    line = flushing
    _decided(line, *"12345678")
    stolen: list[Any] = []

    def slow(step: int) -> None:
        line.clock.wait(100)
        stolen.extend(line.store.outbox.claim(line.name, limit=10, owner="thief", lease=60, now=line.clock.now))

    line.crm.before_step = slow
    assert line.write_back(lease=120).sent == 8
    assert stolen == []
    assert len(line.crm.journal) == 8


def test_rows_that_were_lost_to_another_writer_under_way_go_out_again(flushing: Any) -> None:
    """Who is stopped for longer than the lease cannot know; the fence does, and what was sent late is repaired."""
    line = flushing
    _decided(line, *"1234")
    taken: list[Any] = []

    def stopped(step: int) -> None:
        if step == 0:
            line.clock.wait(500)
            taken.extend(line.store.outbox.claim(line.name, limit=10, owner="next", lease=60, now=line.clock.now))

    line.crm.before_step = stopped
    line.write_back(lease=120)
    assert len(taken) == 4
    assert _due(line) == 0, "they are the other's"
    line.clock.wait(61)
    line.crm.before_step = lambda step: None
    assert line.write_back().sent == 4
    assert len(line.crm.journal) == 8


def test_what_a_flush_told_before_it_broke_counts_and_the_rest_is_tried_again(flushing: Any) -> None:
    line = flushing
    _decided(line, *"123456")

    def breaks(step: int) -> None:
        if step == 1:
            raise errors.Unreachable("cut off")

    line.crm.before_step = breaks
    with pytest.raises(errors.Unreachable):
        line.write_back()
    assert len(line.crm.journal) == 2
    line.clock.wait(600)
    line.crm.before_step = lambda step: None
    assert line.write_back() == WroteBack(calls=2, sent=4)


def test_a_row_of_which_nothing_is_told_is_tried_again(flushing: Any) -> None:
    line = flushing
    _decided(line, *"12345")
    whole = line.crm.flush
    line.crm.flush = lambda updates: (step for number, step in enumerate(whole(updates)) if number != 1)
    assert line.write_back().sent == 3
    assert [_attempts(line, record_id)[0][0] for record_id in "12345"] == ["retry", "retry", "sent", "sent", "sent"]


def test_the_record_that_spoils_flushes_is_found_in_batches(flushing: Any) -> None:
    line = flushing
    _decided(line, *"12345")
    error = errors.RetryLater("500")

    def breaks(step: int) -> None:
        if any(update.record_id == "4" for update in line.crm.flushes[-1]):
            raise error

    line.crm.before_step = breaks
    _fails_with(line, "4", error=error)
    *failed, last = _drain(line, 6, attempts=6)
    assert (failed, last.refused) == ([error] * 5, 1)
    assert len(line.crm.flushes) == 3, "three times together, and then in batches"
    assert {update.record_id for update in line.crm.journal} == {"1", "2", "3", "5"}
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("write_failed", "4")


def test_who_is_asked_to_stop_ends_the_flush_and_frees_the_rest(flushing: Any) -> None:
    line = flushing
    _decided(line, *"123456")
    assert line.write_back(stop=lambda: len(line.crm.journal) >= 2) == WroteBack(calls=1, sent=2)
    assert (line.crm.closed, _due(line)) == (1, 4)


def test_a_flush_that_never_ends_is_given_up(flushing: Any) -> None:
    line = flushing
    _decided(line, *"1234")

    def for_ever(updates: Any) -> Any:
        while True:
            line.clock.wait(20)
            yield {}

    line.crm.flush = for_ever
    assert line.write_back(flush=300).sent == 0
    assert _attempts(line, "1")[0] == ("retry", "the CRM did not tell what became of this row")


# What may happen between two drains, and how a drain may end.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 4), st.sampled_from([10, 120, None])),
        st.tuples(st.just("edit"), st.integers(0, 4)),
        st.tuples(st.just("look")),
        st.tuples(
            st.just("send"),
            st.sampled_from(
                [
                    "well",
                    "refused now",
                    "cut off",
                    "broken before",
                    "broken after",
                    "dead before",
                    "dead after",
                    "slept",
                    "lost",
                ]
            ),
            st.one_of(st.none(), st.integers(0, 4)),  # record that changes and is decided meanwhile
        ),
    ),
    max_size=12,
)


@given(steps=STEPS)
def test_whatever_happens_the_crm_comes_to_show_what_is_desired(fresh: Any, steps: list[Any]) -> None:
    with fresh() as line:
        people: set[str] = set()
        for step in steps:
            _do(line, step, people)
        for _ in range(4):  # faults are over: leases run out, echoes come back
            line.clock.wait(700)
            _look(line)
            line.write_back()
        _every_write_was_intended(line)
        for record_id in line.stored():
            story = line.story(record_id)  # a lead that came back to what it was has its earlier decision
            newest = next(link.decision for link in story.decisions if link.decision.fingerprint == story.fingerprint)
            shown = line.crm.own[record_id]
            assert shown["tierwise_fingerprint"] == newest.fingerprint
            assert shown["tierwise_score"] == newest.score
            assert echo.same(shown.get("tierwise_reason_codes"), newest.reason_codes)
            expected = "a person's" if record_id in people else newest.tier
            assert shown["tierwise_tier"] == expected
        assert line.write_back() == WroteBack(), "and then it is still"


def _do(line: Any, step: Any, people: set[str]) -> None:
    name, *how = step
    line.clock.wait(1)
    if name == "put":
        line.put(str(how[0]), employees=how[1])
        _look(line)
    elif name == "look":
        _look(line)
    elif name == "edit":
        if str(how[0]) in line.crm.own:
            line.crm.edit(str(how[0]), tierwise_tier="a person's")
            people.add(str(how[0]))
            _look(line)
    else:
        _send(line, *how)


def _look(line: Any) -> None:
    line.poll()
    line.pump()


def _send(line: Any, how: str, meanwhile: int | None) -> None:
    """A drain that something happens to."""

    def under_way() -> str:
        if meanwhile is not None and str(meanwhile) in line.crm.properties:
            line.put(str(meanwhile), company=f"Company {line.clock.elapsed}")
            _look(line)
        if how in ("slept", "lost"):
            line.clock.wait(61 if how == "slept" else 121)
        if how == "lost":
            line.store.outbox.claim(line.name, limit=2, owner="dies", lease=30, now=line.clock.now)
        return str(line.batch())

    def fail(_: int) -> None:
        if how == "refused now":
            raise errors.RetryLater("429", after=5)
        if how == "broken before":
            raise ConnectionResetError
        if how == "dead before":
            raise Killed

    def cut(_: int) -> None:
        if how == "cut off":
            raise errors.Unreachable("the answer did not come")
        if how == "broken after":
            raise ConnectionResetError
        if how == "dead after":
            raise Killed

    line.crm.before_write, line.crm.after_write = fail, cut
    try:
        line.write_back(lease=120, longest=10, attempts=2, new_id=under_way)
    except (errors.RetryLater, ConnectionResetError, Killed):
        pass
    finally:
        line.crm.before_write = line.crm.after_write = lambda _: None


def _every_write_was_intended(line: Any) -> None:
    for update in line.crm.journal:
        intents = [attempt.values for attempt in line.story(update.record_id).attempts]
        assert update.values in intents
