"""A batch comes to its end whatever happens on the way: submitted once, imported once, and the rest asked live."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tierwise_fixtures.batches import NAME, PRIMARY, SECONDARY, Office

from tierwise.errors import Misconfigured, PauseConnection, RejectRecord, RetryLater, TierwiseError
from tierwise.pipeline import batch as keeping
from tierwise.ports.money import NANO, Budget, Budgets

LATER = RetryLater("the provider cannot answer now")


def finish(office: Office, *, rounds: int = 40, seconds: float = 1000) -> None:
    """Gather, look after batches and decide, until nothing is left to do."""
    for _ in range(rounds):
        office.gather()
        office.advance(seconds)
        office.decide()
        if not office.undecided():
            return
    raise AssertionError(f"not at an end: {office.batches()}")


def test_answers_are_found_by_whoever_decides_and_nothing_is_paid_twice(office: Office) -> None:
    office.backfill(*range(6))
    office.gather()
    assert [item.state for item in office.advance()] == ["submitted"]
    assert office.decide() == {}
    (ended,) = office.advance(60)
    assert (ended.outcome, ended.answered, ended.unusable) == ("completed", 6, 0)
    finish(office)
    assert office.live_calls == 0, "the second model was asked in a batch, too"
    models = {item.model: item for item in office.batches()}
    assert set(models) == {PRIMARY, SECONDARY}
    questions, batched, spent, saved = office.spent()
    assert questions == batched == sum(item.questions for item in models.values())
    assert spent == saved == sum(item.nano_usd for item in models.values())
    assert office.provider.batches.count == 2
    counts = office.store.works.counts()
    assert (counts["done"], counts["ready"]) == (6, 0)


def test_the_lines_are_what_a_live_call_would_send(office: Office) -> None:
    office.backfill(1, 2)
    office.gather()
    office.advance()
    keys = {put.key for put in office.store.batches.asked(office.batch())}
    lines = office.lines()
    assert {line["custom_id"] for line in lines} == keys
    bodies = [line["body"] for line in lines]
    assert all(body["model"] == PRIMARY.partition("/")[2] for body in bodies)
    assert all(body["response_format"]["json_schema"]["strict"] for body in bodies)
    nonces = {json.dumps(body["messages"][-1]).split('nonce=\\"')[1][:8] for body in bodies}
    assert len(nonces) == 2, "a nonce of its own for each lead"
    assert "acme-1" not in json.dumps(bodies), "what no criterion reads does not leave the house"


def test_what_the_file_does_not_answer_is_asked_live(office: Office) -> None:
    office.provider.habits(failing=0.4, missing=0.2)
    office.backfill(*range(30))
    office.gather()
    office.advance()
    (ended,) = office.advance(60)
    assert 0 < ended.answered < 30
    assert ended.answered + ended.unusable == 30
    assert {"partial", "unavailable"} <= set(ended.error.replace(",", "").split())
    finish(office)
    assert office.store.works.counts()["done"] == 30
    assert office.live_calls >= ended.unusable


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [({"malformed": 1.0}, "malformed"), ({"refusal": 1.0}, "refusal"), ({"empty": 1.0}, "empty")],
    ids=["malformed", "refusal", "empty"],
)
def test_an_answer_that_is_none_is_paid_and_asked_live(office: Office, behaviour: Any, fault: str) -> None:
    office.provider.replies.set({PRIMARY.partition("/")[2]: behaviour})
    office.backfill(1, 2)
    office.gather()
    office.advance()
    (ended,) = office.advance(60)
    assert (ended.answered, ended.unusable, ended.fault) == (0, 2, fault)
    assert office.spent()[:2] == (2, 2)
    assert office.spent()[2] > 0
    assert len(office.store.works.claim(limit=9, owner="x", lease=60, now=office.now)) == 2


@pytest.mark.parametrize("ending", ["expired", "cancelled", "failed"])
def test_an_end_without_all_answers_leaves_the_rest_to_live_calls(office: Office, ending: str) -> None:
    office.provider.habits(ending=ending, done=0.5)
    office.backfill(*range(4))
    office.gather()
    office.advance()
    (ended,) = office.advance(60)
    assert (ended.outcome, ended.answered) == (ending, 0 if ending == "failed" else 2)
    office.decide()
    assert office.live_calls >= 2
    finish(office)


def test_a_batch_that_does_not_end_is_cancelled_at_its_deadline_and_its_leads_decided_live(office: Office) -> None:
    office.provider.habits(stuck=True, done=0.5)
    office.pace = office.pace._replace(hours=1)
    office.backfill(*range(4))
    office.gather()
    office.advance()
    while office.batch().state != "ended":
        office.advance(300)
        if office.live_calls == 0 and office.now.timestamp() - office.batch().created_at.timestamp() < 3600:
            assert office.decide() == {}
    assert "cancel_batch" in office.provider.calls
    assert (office.batch().outcome, office.batch().answered) == ("cancelled", 2)
    finish(office)


def test_one_that_never_winds_down_is_left_and_its_money_counts_as_spent(office: Office) -> None:
    office.budgets = Budgets(total=Budget(day=NANO))
    office.provider.habits(stuck=True)
    office.pace = office.pace._replace(hours=1)
    office.backfill(1)
    office.gather()
    office.advance()
    for _ in range(200):
        office.provider.broken = [("cancel_batch", LATER, False)]
        office.advance(60)
        if office.batch().state == "ended":
            break
    assert office.batch().outcome in ("overdue", "unreachable")
    (level,) = office.store.money.levels(office.budgets, now=office.now)
    assert (level.reserved, level.spent) == (0, office.batch().nano_estimate)
    office.decide()
    assert office.undecided() == 0


def test_a_lost_reply_is_looked_for_and_the_batch_found(office: Office) -> None:
    office.provider.broken = [("create_batch", LATER, True)]
    office.backfill(1, 2)
    office.gather()
    (unsure,) = office.advance()
    assert (unsure.state, unsure.tries, unsure.fault) == ("submitting", 1, "unavailable")
    office.advance(1000)
    assert office.batch().state in ("submitted", "ended")
    finish(office)
    assert office.provider.calls.count("create_batch") == len(office.batches()), "one call each"
    assert office.provider.batches.count == len(office.batches())


def test_a_submission_that_never_arrived_is_repeated_once_that_is_sure(office: Office) -> None:
    office.provider.broken = [("create_batch", LATER, False)]
    office.backfill(1, 2)
    office.gather()
    office.advance()
    office.advance(100)
    assert (office.batch().state, office.batch().sought) == ("submitting", 1), "lists lag behind"
    assert office.provider.calls.count("create_batch") == 1
    office.advance(60)
    assert office.batch().state == "submitted"
    assert office.provider.batches.count == 1


def test_a_list_that_lags_does_not_make_a_second_batch(office: Office) -> None:
    office.provider.habits(hidden=90)
    office.provider.broken = [("create_batch", LATER, True)]
    office.backfill(1, 2)
    office.gather()
    for _ in range(6):
        office.advance(60)
    assert office.provider.calls.count("create_batch") == 1
    assert office.provider.batches.count == 1


@pytest.mark.parametrize(
    ("call", "error", "outcome"),
    [
        ("create_file", RejectRecord("no"), "refused"),
        ("create_file", PauseConnection("the key is refused"), "refused"),
        ("create_batch", RejectRecord("no"), "refused"),
        ("create_batch", Misconfigured("no"), "refused"),
    ],
    ids=lambda item: item if isinstance(item, str) else type(item).__name__,
)
def test_what_the_provider_refuses_is_asked_live_at_once(
    office: Office, call: str, error: TierwiseError, outcome: str
) -> None:
    office.provider.broken = [(call, error, False)]
    office.backfill(1, 2)
    office.gather()
    (ended,) = office.advance()
    assert (ended.state, ended.outcome, ended.error) == ("ended", outcome, str(error))
    assert office.told == [error]
    assert len(office.decide()) == 2


def test_an_upload_that_fails_is_tried_again_and_not_for_ever(office: Office) -> None:
    office.provider.broken = [("create_file", LATER, False)] * 2
    office.backfill(1)
    office.gather()
    for _ in range(3):
        office.advance(1000)
    assert office.batch().state == "submitted"
    finish(office)
    office.provider.broken = [("create_file", LATER, False)] * 9
    office.backfill(2)
    office.gather()
    for _ in range(5):
        office.advance(1000)
    assert (office.batch().outcome, len(office.provider.broken)) == ("unreachable", 4)
    assert len(office.decide()) == 1


def test_a_look_that_fails_is_told_and_tried_again(office: Office) -> None:
    office.backfill(1)
    office.gather()
    office.advance()
    refused = PauseConnection("the provider refuses the key", remedy="check it")
    office.provider.broken = [("retrieve_batch", LATER, False), ("retrieve_batch", refused, False)]
    office.advance(60)
    assert (office.batch().state, office.batch().error) == ("submitted", str(LATER))
    office.advance(1000)
    assert "refuses the key" in office.batch().error
    office.advance(1000)
    assert (office.batch().outcome, office.batch().error) == ("completed", "")
    assert len(office.told) == 2


def test_a_batch_that_its_provider_forgot_is_lost_and_asked_live(office: Office) -> None:
    office.backfill(1)
    office.gather()
    office.advance()
    gone = PauseConnection("unknown")
    gone.fault = "unknown_model"
    office.provider.broken = [("retrieve_batch", gone, False)]
    (ended,) = office.advance(60)
    assert ended.outcome == "lost"
    assert len(office.decide()) == 1


def test_an_answer_about_what_a_lead_was_does_no_harm(office: Office) -> None:
    office.backfill(1, 2)
    office.gather()
    office.advance()
    office.arrive(1, old=False, message="Please take me off your list.")
    judged = office.decide()
    assert list(judged) == ["1"], "an inbound change is decided at once"
    (ended,) = office.advance(60)
    assert (ended.answered, ended.unusable, ended.error) == (1, 1, "1 stale")
    finish(office)
    assert office.store.works.counts()["done"] == 2


def test_a_lead_that_changed_before_the_upload_is_not_asked_about(office: Office) -> None:
    office.backfill(1, 2)
    office.gather()
    office.arrive(1, old=False, message="Something else entirely, we need it now.")
    office.advance()
    assert len(office.lines()) == office.batch().questions == 1


def test_a_batch_nobody_waits_for_any_more_is_not_submitted(office: Office) -> None:
    office.backfill(1)
    office.gather()
    office.arrive(1, old=False, message="Something else entirely, we need it now.")
    (ended,) = office.advance()
    assert (ended.outcome, office.provider.calls) == ("empty", [])


def test_a_lead_decided_live_meanwhile_costs_its_answer_and_no_second_decision(office: Office) -> None:
    office.backfill(1)
    office.gather()
    office.advance()
    # Another lead with the very same signals comes in, and does not wait.
    office.arrive(2, old=False, message=office.lead(1).message, employee_count=91, job_title="Head of IT")
    assert len(office.decide()) == 1
    finish(office)
    assert office.store.works.counts()["done"] == 2


def test_a_cancelled_batch_is_cancelled_at_its_provider_and_what_it_answered_kept(office: Office) -> None:
    office.provider.habits(stuck=True, done=1.0)
    office.backfill(1, 2)
    office.gather()
    office.advance()
    assert office.store.batches.cancel(office.batch().id, now=office.now)
    office.advance(0)
    assert office.provider.calls[-1] == "cancel_batch"
    office.advance(60)
    assert (office.batch().outcome, office.batch().answered) == ("cancelled", 2)
    assert len(office.decide()) == 2
    assert office.live_calls == 0 or {PRIMARY} != set(office.offers)


def test_one_that_is_cancelled_before_it_was_submitted_never_is(office: Office) -> None:
    office.backfill(1)
    office.gather()
    office.store.batches.cancel(office.batch().id, now=office.now)
    (ended,) = office.advance()
    assert (ended.outcome, office.provider.calls) == ("cancelled", [])
    assert len(office.decide()) == 1


def test_looks_become_rarer_and_never_pass_the_deadline(office: Office) -> None:
    office.provider.habits(stuck=True)
    office.pace = office.pace._replace(hours=12)
    office.backfill(1)
    office.gather()
    office.advance()
    moments = []
    while office.now < office.batch().deadline:
        office.now = max(office.now, office.batch().look_at)
        moments.append(office.now)
        office.advance()
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(moments)]
    assert pauses[0] == 60
    assert max(pauses) == 900
    assert len(pauses) < 150
    assert moments[-1] == office.batch().deadline


def test_nothing_of_a_lead_is_left_at_the_provider(office: Office) -> None:
    office.provider.habits(failing=0.5)
    office.backfill(*range(6))
    office.gather()
    office.advance()
    office.advance(60)
    first = office.batch()
    assert len(first.files) == 3
    office.provider.broken = [("file_delete", LATER, False)]
    assert keeping.tidy(office.tools) == 0
    office.wait(keeping.LONGEST_PAUSE)
    assert keeping.tidy(office.tools) == 3
    assert office.provider.files.listed() == []
    assert keeping.tidy(office.tools) == 0


PLACES = [place if place % 5 == 1 else pytest.param(place, marks=pytest.mark.deep) for place in range(1, 31)]
"""Lines of the keeper's steps, counted from the first."""


class _Killed(BaseException):
    """The process is gone at this very place."""


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_it_is_submitted_once_and_imported_once(office: Office, place: int) -> None:
    """The process dies between two lines of the keeper; another goes on when the lease is over."""
    office.backfill(1, 2, 3)
    office.gather()
    assert _dies_at(office, place) or office.batch().state == "submitted"
    for _ in range(40):
        office.advance(400)
        if office.batch().state == "ended":
            break
    assert (office.batch().outcome, office.batch().answered) == ("completed", 3)
    assert office.provider.batches.count == 1
    assert office.spent()[:2] == (3, 3)
    finish(office)
    assert office.store.works.counts()["done"] == 3


def test_a_read_that_breaks_off_every_time_comes_to_an_end(office: Office) -> None:
    """By what no step foresees, as a limit of time on the task."""
    office.backfill(1, 2)
    office.gather()
    office.advance()
    reads = 0

    def broken(name: str) -> None:
        nonlocal reads
        if name == "file_content":
            reads += 1
            raise _Killed

    office.provider.during = broken
    office.wait(60)
    for seconds in (0, 5, 5):
        with contextlib.suppress(_Killed):
            office.advance(seconds)
    assert reads == 1, "not again at once"
    office.wait(26 * 3600)
    for _ in range(6):
        with contextlib.suppress(_Killed):
            office.advance(400)
    assert (office.batch().state, office.batch().outcome, reads) == ("ended", "overdue", 3)


def test_answers_that_were_ready_while_nobody_looked_are_read_however_late(office: Office) -> None:
    office.backfill(1, 2)
    office.gather()
    office.advance()
    (ended,) = office.advance(48 * 3600)
    assert (ended.outcome, ended.answered) == ("completed", 2)


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_while_it_reads_the_answers_are_imported_once(office: Office, place: int) -> None:
    office.backfill(1, 2, 3)
    office.gather()
    office.advance()
    office.wait(60)
    assert _dies_at(office, place) or office.batch().state == "ended"
    for _ in range(5):
        office.advance(400)
    assert (office.batch().outcome, office.batch().answered) == ("completed", 3)
    assert office.spent()[:2] == (3, 3)


def _dies_at(office: Office, place: int) -> bool:
    """Whether the keeper had so many lines to go."""
    code, left = keeping.__file__, place

    def trace(frame: Any, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != code:
            return None
        if event == "line" and frame.f_code.co_name in _STEPS:
            left -= 1
            if left == 0:
                raise _Killed
        return trace

    before = sys.gettrace()
    free = office.store.batches.free
    sys.settrace(trace)
    try:
        office.store.batches.free = lambda _: None  # type: ignore[method-assign]  # the dead let go of nothing
        office.advance()
    except _Killed:
        return True
    finally:
        sys.settrace(before)
        office.store.batches.free = free  # type: ignore[method-assign]
    return False


_STEPS = ("_upload", "_submit", "_submitted", "_look", "_read", "_save", "_end")


CALLS = ("create_file", "create_batch", "list_batches", "retrieve_batch", "file_content", "cancel_batch")


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    broken=st.lists(st.tuples(st.sampled_from(CALLS), st.booleans()), max_size=6),
    failing=st.sampled_from([0, 0.5]),
    ending=st.sampled_from(["completed", "expired"]),
    changes=st.lists(st.integers(1, 4), max_size=2),
)
def test_whatever_fails_every_lead_is_decided_and_no_question_paid_in_two_batches(
    office: Office, broken: list[tuple[str, bool]], failing: float, ending: str, changes: list[int]
) -> None:
    office.wait(7200)
    start = office.now
    numbers = [int(start.timestamp()) + number for number in range(5)]
    office.provider.habits(failing=failing, ending=ending)
    office.provider.broken = [(name, LATER, carried) for name, carried in broken]
    created, known = office.provider.batches.count, len(office.batches())
    office.backfill(*numbers)
    office.gather()
    for number in changes:
        office.advance(100)
        office.arrive(numbers[number], old=False, message=f"Another text, number {number}, we need it soon.")
    finish(office)
    assert office.store.leads.counts(NAME)["undecided"] == 0
    assert office.waiting() == 0
    assert office.provider.batches.count - created <= len(office.batches()) - known, "each submitted once"


def test_a_connection_that_rests_is_not_gathered(office: Office) -> None:
    office.backfill(1, 2)
    office.store.connections.disable(NAME, now=office.now)
    assert office.gather().questions == 0
