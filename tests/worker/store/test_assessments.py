"""An answer that was paid for is there for the next one who asks."""

from __future__ import annotations

from typing import Any

from tierwise.domain.lead import digest


def test_paid_answers_are_cached_by_content(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"), desk.arrival("2", company="B"))
    one, two = desk.claim()
    cached = desk.assessment("known before", cached=True)
    desk.commit([one])
    desk.commit([two], assessments=(cached, desk.assessment("second opinion")))
    first = desk.assessment(one.fingerprint)
    second = desk.assessment("second opinion")
    asked = [first.content_hash, second.content_hash, cached.content_hash, digest("never asked")]
    assert desk.store.assessments.get(asked) == {first.content_hash: first, second.content_hash: second}


def test_the_first_answer_stays(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"), desk.arrival("2", company="B"))
    one, two = desk.claim()
    answer = desk.assessment("the same question")
    desk.commit([one], assessments=(answer,))
    desk.commit([two], assessments=(answer.model_copy(update={"cost_usd": 5.0}),))
    assert desk.store.assessments.get([answer.content_hash]) == {answer.content_hash: answer}
    assert desk.store.assessments.get([]) == {}
