"""The pump: slots are filled as they come free, and what goes wrong with one lead is that lead's alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import fakes

from tierwise import errors, ports
from tierwise.domain.rules import Answer
from tierwise.llm.loop import LoopThread
from tierwise.pipeline.decide import Pumped


async def _standstill() -> Any:
    """A model that does not answer until the test resumes it."""
    await fakes.suspended()
    return fakes.judged("late")


def _arrive(line: Any, *record_ids: str, **properties: Any) -> None:
    for record_id in record_ids:
        line.put(record_id, **properties)
    assert line.poll().complete


def _says(line: Any, record_id: str, *said: Any) -> None:
    line.judge.says[f"{record_id}@acme.example"] = list(said)


def _steps(*actions: Callable[[], Any] | None) -> Callable[[], bool]:
    """`stop` that does one thing at each turn of the pump, and never says stop."""
    left = list(actions)

    def stop() -> bool:
        if left and (action := left.pop(0)) is not None:
            action()
        return False

    return stop


def _error(line: Any, record_id: str) -> str:
    return str(line.story(record_id).work[-1]["error"])


# -- deciding ----------------------------------------------------------------------------------------------------------


def test_what_is_due_is_decided_and_its_advice_put_into_the_outbox(line: Any) -> None:
    _arrive(line, *"123")
    assert line.pump() == Pumped(decided=3, model_calls=3, connections=("crm",))
    assert line.work() == {"done": 3}
    (link,) = line.decided()["1"]
    assert (link.decision.score, link.decision.tier, link.decision.used) == (90, "A", "fake")
    assert (link.decision.policy, len(link.decision.trace_id)) == (line.runnable.digest, 32)
    assert line.store.outbox.due(now=line.clock.now) == {"crm": 3}
    assert line.pump() == Pumped(), "and then there is nothing to do"


def test_a_gate_decides_without_a_model(line: Any) -> None:
    _arrive(line, "1", message="The best casino")
    assert line.pump() == Pumped(decided=1, connections=("crm",))
    assert line.judge.asked == []
    (link,) = line.decided()["1"]
    assert (link.decision.outcome, link.decision.reason_codes) == ("reject", ("SPAM",))


def test_a_lead_that_a_person_must_see_is_in_the_queue(line: Any) -> None:
    _arrive(line, "1", employees=None)
    line.pump()
    (item,) = line.store.reviews.list()
    (link,) = line.decided()["1"]
    assert (item.kind, item.decision_id) == ("low_confidence", link.id)


def test_answers_from_the_cache_are_no_model_calls(line: Any) -> None:
    _arrive(line, "1", "2")
    _says(line, "1", fakes.judged("1", cached=True))
    assert line.pump() == Pumped(decided=2, model_calls=1, connections=("crm",))


def test_only_the_named_connections_leads(line: Any) -> None:
    _arrive(line, "1")
    assert line.pump(connection="another") == Pumped()
    assert line.pump(connection="crm").decided == 1


def test_the_same_input_under_the_same_policy_is_never_decided_twice(line: Any) -> None:
    _arrive(line, "1")
    line.pump()
    _arrive(line, "1", employees=20)
    line.pump()
    _arrive(line, "1", employees=120)  # back to what it was
    assert line.pump() == Pumped(decided=1, reused=1, connections=("crm",))
    assert len(line.judge.asked) == 2
    assert len(line.decided()["1"]) == 2
    line.write_back()
    assert line.crm.own["1"]["tierwise_score"] == 90


def test_another_policy_is_another_decision(line: Any) -> None:
    _arrive(line, "1")
    line.pump()
    line.runnable = line.other_policy("2")
    _arrive(line, "1", employees=20)
    _arrive(line, "1", employees=120)
    assert line.pump() == Pumped(decided=1, model_calls=1, connections=("crm",))
    assert [link.decision.policy_version for link in line.decided()["1"]] == ["1", "2"]


def test_an_activation_under_way_never_mixes_two_policies_in_one_decision(line: Any) -> None:
    old = line.runnable
    # Under the new policy nobody is large and everybody is routed elsewhere.
    new = line.other_policy("2", everybody=lambda _: Answer("no_match"))
    new = new._replace(levels={key: lambda _: Answer("no_match") for key in new.levels})
    _arrive(line, *"123456")
    for record_id in "123456":
        _says(line, record_id, _standstill)

    def activate() -> None:
        line.runnable = new
        line.hands.resume(2)

    line.pump(chunk=3, in_flight=3, stop=_steps(None, activate, line.hands.resume, *[line.hands.resume] * 50))
    # What a model was thinking about when the new one came is decided under the new one, and nothing is lost.
    decided = line.decided()
    assert set(decided) == set("123456")
    for links in decided.values():
        (link,) = links
        made = link.decision
        assert (made.policy, made.policy_version, made.score, made.route) == (new.digest, "2", 40, None)
    asked = {email for email, policy in line.judge.asked if policy == old.digest}
    assert len(asked) == 3
    # Their answers were paid for: they are there for whoever asks the same again.
    assert line.store.assessments.get([fakes.judged("late").assessments[0].content_hash])


def test_new_numbers_are_applied_to_what_models_said_before(line: Any) -> None:
    _arrive(line, *"12")
    _says(line, "2", fakes.judged("2", level="vague"))
    line.pump()
    asked = len(line.judge.asked)
    line.runnable = line.other_policy("2")
    line.clock.wait(1)
    assert line.store.works.requeue(line.runnable.digest, since=line.at(0), now=line.clock.now) == 2
    tools = line.tools(asks=lambda _: "the same")
    assert line.pump(tools=tools) == Pumped(decided=2, connections=("crm",))
    assert len(line.judge.asked) == asked
    for record_id, level in (("1", "clear"), ("2", "vague")):
        first, second = (link.decision for link in line.decided()[record_id])
        assert (first.policy_version, second.policy_version) == ("1", "2")
        assert (second.score, second.tier, second.used) == (first.score, first.tier, "fake")
        assert [item.verdict.level for item in second.scorecard.contributions] == ["high", level]
        assert second.cost_usd == 0
        assert all(item.cached for item in second.assessments)
    assert line.pump(tools=tools) == Pumped()
    # Going back is free as well: it was decided so once.
    line.runnable = line.other_policy("1")
    line.store.works.requeue(line.runnable.digest, since=line.at(0), now=line.clock.now)
    assert line.pump(tools=tools) == Pumped(decided=2, reused=2, connections=("crm",))


def test_other_questions_are_asked(line: Any) -> None:
    _arrive(line, "1")
    line.pump()
    line.runnable = line.other_policy("2")
    line.store.works.requeue(line.runnable.digest, since=line.at(0), now=line.clock.now)
    assert line.pump().model_calls == 1


# -- slots, chunks and batches -----------------------------------------------------------------------------------------


class Watched:
    """A part of the store that writes down how often and how much it was asked for."""

    def __init__(self, part: Any) -> None:
        self._part = part
        self.limits: list[int] = []
        self.claimed: list[int] = []
        self.batches: list[int] = []
        self.renewed: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def claim(self, **asked: Any) -> Any:
        claims = self._part.claim(**asked)
        self.limits.append(asked["limit"])
        self.claimed.append(len(claims))
        return claims

    def commit(self, finished: Any, **asked: Any) -> Any:
        self.batches.append(len(finished))
        return self._part.commit(finished, **asked)

    def renew(self, claims: Any, **asked: Any) -> Any:
        self.renewed.append(len(claims))
        return self._part.renew(claims, **asked)


@pytest.fixture
def watched(line: Any) -> Any:
    """The line's works and decisions, watched."""
    line.store.works = Watched(line.store.works)
    line.store.decisions = Watched(line.store.decisions)
    return line


def test_leads_are_claimed_in_chunks_while_slots_are_free(watched: Any) -> None:
    _arrive(watched, *map(str, range(20)))
    for number in range(20):
        _says(watched, str(number), _standstill)
    at_once: list[int] = []

    def look() -> None:
        at_once.append(watched.hands.waiting)
        if len(at_once) > 4:  # by now it has taken what it can
            watched.hands.resume(2)

    assert watched.pump(chunk=4, in_flight=10, stop=_steps(*[look] * 200)).decided == 20
    works = watched.store.works
    assert max(at_once) == 8, "a chunk of four does not fit into two free slots"
    assert set(works.limits) == {4}
    assert sum(works.claimed) == 20
    assert works.claimed[:2] == [4, 4]


def test_a_slow_lead_holds_up_nobody(watched: Any) -> None:
    """Not a gather per chunk: the slot of a lead that is done goes to the next one."""
    _arrive(watched, *map(str, range(12)))
    _says(watched, "0", _standstill)
    watched.clock.tick = 0.01
    decided: list[int] = []

    def look() -> None:
        decided.append(watched.work().get("done", 0))
        if decided[-1] == 11:
            watched.hands.resume()

    assert watched.pump(chunk=2, in_flight=4, stop=_steps(*[look] * 500)).decided == 12
    assert 11 in decided, "all others were decided and stored while it was under way"


def test_decisions_are_committed_in_batches(watched: Any) -> None:
    _arrive(watched, *map(str, range(25)))
    watched.pump(chunk=25, in_flight=25, batch=10)
    assert watched.store.decisions.batches == [10, 10, 5]


def test_a_decision_does_not_wait_long_for_company(watched: Any) -> None:
    _arrive(watched, "1", "2")
    _says(watched, "1", _standstill)
    watched.clock.tick = 0.2
    done: list[int] = []

    def look() -> None:
        done.append(watched.work().get("done", 0))
        if done[-1] == 1:
            watched.hands.resume()

    watched.pump(batch=50, flush=0.01, stop=_steps(*[look] * 50))
    assert 1 in done
    assert watched.store.decisions.batches == [1, 1]


def test_on_a_real_loop_every_free_slot_is_filled_before_anything_is_waited_for(line: Any) -> None:
    """Three chunks: none of them answers before the last one is there."""
    count = 30
    _arrive(line, *map(str, range(count)))
    under_way: set[str] = set()
    thread = LoopThread()

    async def all_there() -> Any:
        under_way.add(str(len(under_way)))
        async with asyncio.timeout(20):
            while len(under_way) < count:
                await asyncio.sleep(0.001)
        return fakes.judged("x")

    for number in range(count):
        _says(line, str(number), all_there)
    try:
        pumped = line.pump(tools=line.tools(submit=thread.submit), chunk=10, in_flight=count, flush=60.0)
    finally:
        thread.stop()
    assert (pumped.decided, pumped.retried) == (count, 0)


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (errors.RetryLater("the budget is spent", after=90), "the budget is spent"),
        (errors.Misconfigured("the template is broken"), "the template is broken"),
        (ValueError("ada@private.example"), "unexpected ValueError"),  # its words may be anybody's
    ],
)
def test_one_leads_failure_is_its_own(line: Any, failure: Exception, told: str) -> None:
    _arrive(line, *"12345")
    _says(line, "3", failure)
    assert line.pump() == Pumped(decided=4, model_calls=4, retried=1, connections=("crm",))
    assert line.work() == {"done": 4, "ready": 1}
    assert _error(line, "3") == told
    line.clock.wait(90)
    assert line.pump().decided == 1
    assert line.work() == {"done": 5}


def test_a_retry_waits_longer_each_time_and_at_least_as_long_as_was_asked(line: Any) -> None:
    _arrive(line, "1")
    _says(line, "1", errors.RetryLater("1"), errors.RetryLater("2"), errors.RetryLater("3", after=77))
    waits = []
    for _ in range(3):
        assert line.pump().retried == 1
        begun = line.clock.elapsed
        while not line.store.works.due(now=line.clock.now):
            line.clock.wait(0.25)
        waits.append(line.clock.elapsed - begun)
    assert waits == [1.0, 2.0, 77.0]


def test_after_the_last_try_a_person_gets_it(line: Any) -> None:
    _arrive(line, "1", "2")
    _says(line, "1", *[errors.RetryLater("the model says nothing")] * 9)
    for _ in range(2):
        assert line.pump(attempts=3).quarantined == 0
        line.clock.wait(600)
    assert line.pump(attempts=3) == Pumped(quarantined=1, connections=("crm",))
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("schema", "1")
    assert "the model says nothing" in item.reason
    assert line.work() == {"done": 1, "quarantined": 1}
    line.write_back()
    assert line.crm.own["1"]["tierwise_status"] == "in_review"
    assert len(line.judge.asked) == 4


def test_what_kills_every_process_that_decides_it_ends_too(line: Any) -> None:
    """Tries are counted when a lead is claimed: who dies leaves no word."""
    _arrive(line, "1")
    for attempt in range(1, 4):
        (claim,) = line.store.works.claim(limit=9, owner=f"dead{attempt}", lease=60, now=line.clock.now)
        assert claim.attempt == attempt
        line.clock.wait(61)
    assert line.pump(attempts=3).quarantined == 1
    assert line.judge.asked == []
    assert "every try ended without an answer" in line.store.reviews.list()[0].reason


@pytest.mark.parametrize("rule", ["everybody", "spam"])  # after the model's answer, and before it is asked
def test_a_bug_that_one_lead_hits_does_not_stop_the_pump(line: Any, rule: str) -> None:
    def broken(facts: Any) -> Answer:
        if facts["lead"]["email"].startswith("3@"):
            raise ZeroDivisionError("3@acme.example")
        return Answer("match" if rule == "everybody" else "no_match")

    line.runnable = line.other_policy("2", **{rule: broken})
    _arrive(line, *"12345")
    pumped = line.pump(attempts=3)
    assert (pumped.decided, pumped.retried) == (4, 1)
    assert _error(line, "3") == "unexpected ZeroDivisionError", "its words may be anybody's"
    for _ in range(2):
        line.clock.wait(600)
        pumped = line.pump(attempts=3)
    assert pumped.quarantined == 1
    assert line.work() == {"done": 4, "quarantined": 1}
    assert [item.record_id for item in line.store.reviews.list()] == ["3"]


def test_a_loop_that_breaks_on_one_lead_takes_the_next(line: Any) -> None:
    _arrive(line, "1", "2", "3")
    left: list[Callable[[Any], Future[Any]]] = [line.hands.submit, line.hands.submit]

    def submit(coroutine: Any) -> Future[Any]:
        if coroutine.cr_frame.f_locals["lead"].email.startswith("2@"):
            coroutine.close()
            raise RuntimeError("can't start new thread")
        return left.pop()(coroutine)

    pumped = line.pump(tools=line.tools(submit=submit))
    assert (pumped.decided, pumped.retried) == (2, 1)
    assert _error(line, "2") == "unexpected RuntimeError"


def test_a_decision_that_cannot_be_shown_again_is_that_leads_failure(line: Any) -> None:
    """Back to what it was: the earlier decision stands, but this version does not know how to write it."""
    _arrive(line, "1")
    line.pump()
    _arrive(line, "1", employees=20)
    line.pump()
    _arrive(line, "1", employees=120)
    _arrive(line, "2")

    class Stale:
        """Decisions as they are stored, with one that this version cannot show."""

        def __init__(self, part: Any) -> None:
            self._part = part

        def __getattr__(self, name: str) -> Any:
            return getattr(self._part, name)

        def find(self, keys: Any) -> Any:
            return {key: object() for key in self._part.find(keys)}

    line.store.decisions = Stale(line.store.decisions)
    pumped = line.pump()
    assert (pumped.decided, pumped.reused, pumped.retried) == (1, 0, 1)
    assert "unexpected AttributeError" in [str(row["error"]) for row in line.story("1").work]


def test_a_loop_that_takes_no_more_work_puts_leads_back(line: Any) -> None:
    """The worker is shutting down while the pump starts a chunk: nobody's lease has to run out for that."""
    _arrive(line, "1", "2", "3")
    left: list[Callable[[Any], Future[Any]]] = [line.hands.submit]

    def submit(coroutine: Any) -> Future[Any]:
        if left:
            return left.pop()(coroutine)
        coroutine.close()
        raise errors.RetryLater("the worker is shutting down")

    pumped = line.pump(tools=line.tools(submit=submit))
    assert (pumped.decided, pumped.retried) == (1, 2)
    line.clock.wait(10)
    assert line.pump().decided == 2


def test_a_cancelled_call_is_tried_again(line: Any) -> None:
    _arrive(line, "1")
    pending: Future[Any] = Future()

    def submit(coroutine: Any) -> Future[Any]:
        coroutine.close()
        return pending

    assert line.pump(tools=line.tools(submit=submit), stop=_steps(None, pending.cancel)).retried == 1
    assert _error(line, "1") == "the process is shutting down"


# -- stopping ----------------------------------------------------------------------------------------------------------


def test_asked_to_stop_it_claims_no_more_and_finishes_what_is_under_way(line: Any) -> None:
    _arrive(line, *map(str, range(9)))
    for number in range(9):
        _says(line, str(number), _standstill)
    turns: list[int] = []

    def stop() -> bool:
        turns.append(line.hands.waiting)
        if len(turns) > 4:
            line.hands.resume(1)
        return len(turns) > 1

    assert line.pump(chunk=3, stop=stop).decided == 3
    assert line.work() == {"done": 3, "ready": 6}


def test_what_does_not_answer_in_time_is_put_back_and_the_try_not_counted(line: Any) -> None:
    _arrive(line, "1", "2", "3")
    _says(line, "2", _standstill)
    line.clock.tick = 1.0
    assert line.pump(longest=5, lease=60) == Pumped(decided=2, model_calls=2, connections=("crm",))
    assert line.clock.elapsed < 60, "a few seconds for draining, then it gives up"
    assert line.work() == {"done": 2, "ready": 1}
    (claim,) = line.store.works.claim(limit=9, owner="next", lease=60, now=line.clock.now)
    assert (claim.record_id, claim.attempt) == ("2", 1)


def test_what_is_decided_at_the_last_moment_is_kept(line: Any) -> None:
    """Waiting for company ends with the pump: a decision that was paid for is not thrown away."""
    _arrive(line, "1", "2")
    _says(line, "1", _standstill)
    _says(line, "2", _standstill)
    turns: list[bool] = []

    def stop() -> bool:
        turns.append(True)
        if len(turns) == 3:
            line.clock.wait(15)  # the time for draining is over
            line.hands.resume(1)
        return len(turns) > 1

    assert line.pump(lease=60, flush=0.05, stop=stop).decided == 1
    assert line.work() == {"done": 1, "ready": 1}


def test_time_is_up_while_more_is_due(line: Any) -> None:
    _arrive(line, *map(str, range(12)))
    line.clock.tick = 1.0
    pumped = line.pump(chunk=2, in_flight=2, longest=10)
    assert 0 < pumped.decided < 12
    assert line.work() == {"done": pumped.decided, "ready": 12 - pumped.decided}


# -- leases ------------------------------------------------------------------------------------------------------------


def test_leases_are_renewed_while_models_think(watched: Any) -> None:
    _arrive(watched, "1")
    _says(watched, "1", _standstill)
    others: list[Any] = []

    def think() -> None:
        watched.clock.wait(25)
        others.extend(watched.store.works.claim(limit=9, owner="other", lease=60, now=watched.clock.now))

    stop = _steps(None, think, None, think, None, think, None, think, watched.hands.resume)
    assert watched.pump(longest=500, lease=60, stop=stop) == Pumped(decided=1, model_calls=1, connections=("crm",))
    assert others == []
    assert len(watched.store.works.renewed) == 4


def test_who_lost_the_lease_drops_the_result(line: Any) -> None:
    _arrive(line, "1", "2")
    _says(line, "1", _standstill)
    line.clock.tick = 0.01
    taken: list[ports.Claim] = []

    def lose() -> None:
        line.clock.wait(61)
        taken.extend(line.store.works.claim(limit=9, owner="other", lease=60, now=line.clock.now))
        line.hands.resume()

    assert line.pump(longest=500, lease=60, stop=_steps(None, None, lose)) == Pumped(
        decided=1, model_calls=2, lost=1, connections=("crm",)
    )
    assert [claim.record_id for claim in taken] == ["1"]
    assert "1" not in line.decided()
    assert line.work() == {"done": 1, "leased": 1}, "the lease of the other one stands"


def test_a_dropped_result_is_told_to_nobody(line: Any) -> None:
    _arrive(line, "1")
    _says(line, "1", _standstill)

    def lose() -> None:
        line.clock.wait(61)
        assert line.store.works.claim(limit=9, owner="other", lease=60, now=line.clock.now)
        line.hands.resume()

    pumped = line.pump(longest=500, lease=60, stop=_steps(None, None, lose))
    assert pumped == Pumped(model_calls=1, lost=1), "no connection has new advice to write"


@pytest.mark.parametrize("attempts", [1, 5])
def test_who_lost_the_lease_reports_no_failure_either(line: Any, attempts: int) -> None:
    """Neither a retry nor a person: whoever has the lead now decides about it."""
    _arrive(line, "1")

    async def fail_late() -> Any:
        await fakes.suspended()
        raise errors.RetryLater("too late")

    _says(line, "1", fail_late)

    def lose() -> None:
        line.clock.wait(61)
        assert line.store.works.claim(limit=9, owner="other", lease=60, now=line.clock.now)
        line.hands.resume()

    assert line.pump(longest=500, lease=60, attempts=attempts, stop=_steps(None, None, lose)) == Pumped(lost=1)
    assert line.work() == {"leased": 1}
    assert line.store.reviews.list() == []


def test_a_renewal_tells_what_was_lost_before_the_model_answers(watched: Any) -> None:
    _arrive(watched, "1")
    _says(watched, "1", _standstill)

    def lose() -> None:
        watched.clock.wait(61)
        assert watched.store.works.claim(limit=9, owner="other", lease=60, now=watched.clock.now)

    pumped = watched.pump(longest=500, lease=60, stop=_steps(None, None, lose))
    assert pumped == Pumped(lost=1), "it goes home: the answer is of no use to it any more"


def test_a_pump_that_slept_and_got_its_own_lead_again_decides_it_once(line: Any) -> None:
    """The old answer is of the old lease: dropped, and the new lease is not given up with it."""
    _arrive(line, "1")
    _says(line, "1", _standstill, _standstill)
    stop = _steps(None, None, lambda: line.clock.wait(61), None, lambda: line.hands.resume(1), None, line.hands.resume)
    pumped = line.pump(longest=500, lease=60, stop=stop)
    assert (pumped.decided, pumped.lost) == (1, 1)
    assert line.work() == {"done": 1}
    assert len(line.decided()["1"]) == 1


# -- all of it together ------------------------------------------------------------------------------------------------

TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(0, 5), st.sampled_from([10, 120])),
        st.tuples(st.just("resume"), st.integers(1, 3)),
        st.tuples(st.just("sleep"), st.sampled_from([1, 25, 61])),
        st.tuples(st.just("rival"), st.sampled_from(["dies", "decides"])),
        st.tuples(st.just("activate"), st.integers(2, 4)),
    ),
    max_size=25,
)
ANSWERS = st.lists(st.sampled_from(["ok", "slow", "later", "bug"]), max_size=30)


@given(turns=TURNS, answers=ANSWERS)
def test_whatever_happens_every_lead_is_decided_once_for_each_input(
    fresh: Any, turns: list[Any], answers: list[str]
) -> None:
    with fresh() as line:
        plan = {"ok": fakes.judged("x"), "slow": _standstill,
                "later": errors.RetryLater("503"), "bug": ValueError("a bug")}  # fmt: skip
        for number, answer in enumerate(answers):
            line.judge.says.setdefault(f"{number % 6}@acme.example", []).append(plan[answer])
        left = list(turns)

        def stop() -> bool:
            if left:
                _turn(line, *left.pop(0))
            else:
                line.hands.resume()
            return False

        pace = {"longest": 40, "lease": 60, "attempts": 99}
        while left:
            line.pump(chunk=2, in_flight=4, stop=stop, **pace)
        for _ in range(12):  # faults are over: leases run out, waits too
            if set(line.work()) <= {"done", "superseded"}:
                break
            line.clock.wait(601)
            line.pump(stop=stop, **pace)
        else:
            pytest.fail(f"not decided: {line.work()}")
        for record_id in line.stored():
            story = line.story(record_id)
            keys = [(link.decision.fingerprint, link.decision.policy) for link in story.decisions]
            assert len(keys) == len(set(keys)), "one decision for each input and policy"
            assert story.fingerprint in {key[0] for key in keys}
        assert line.store.decisions.verify("crm").broken_at is None
        assert line.pump() == Pumped()


def _turn(line: Any, name: str, how: Any, *more: Any) -> None:
    """Something that happens while the pump runs."""
    if name == "arrive":
        line.put(str(how), employees=more[0])
        line.poll()
    elif name == "resume":
        line.hands.resume(how)
    elif name == "sleep":
        line.clock.wait(how)
    elif name == "activate":
        line.runnable = line.other_policy(str(how))
    else:
        claims = line.store.works.claim(limit=2, owner="rival", lease=60, now=line.clock.now)
        if how == "decides" and claims:
            line.store.works.release(claims, now=line.clock.now)
            line.pump(owner="rival", stop=lambda: bool(line.hands.resume()))


def test_a_lead_waits_for_money_without_using_up_its_tries(line: Any) -> None:
    line.put("1")
    line.put("2")
    line.poll()
    held = errors.Held("the daily budget is spent", after=600)
    line.judge.says["1@acme.example"] = [held] * 7
    pumped = line.pump()
    assert (pumped.decided, pumped.held, pumped.retried) == (1, 1, 0)
    assert line.work() == {"ready": 1, "done": 1}
    assert line.store.works.held() == {line.name: 1}
    (row,) = line.story("1").work
    assert (row["attempt"], row["error"]) == (0, "waits: the daily budget is spent")
    assert line.pump().held == 0, "it is not looked at before its time"
    for _ in range(6):
        line.clock.wait(600)
        assert line.pump().held == 1
    line.clock.wait(600)
    assert line.pump().decided == 1, "after more waits than there are tries"
    assert line.store.works.held() == {}
