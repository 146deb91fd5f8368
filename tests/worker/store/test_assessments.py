"""An answer that was paid for is there for the next one who asks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tierwise.domain.lead import digest
from tierwise.store import engine, schema


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


def test_an_answer_in_the_shape_of_another_version_is_asked_again(desk: Any, store_url: str) -> None:
    desk.poll(desk.arrival("1"))
    (claim,) = desk.claim()
    desk.commit([claim])
    key = desk.assessment(claim.fingerprint).content_hash
    database = engine.Database(store_url)
    older = sa.update(schema.assessment).values(body={"model": "m", "score": 80})
    database.write(lambda connection: connection.execute(older))
    database.close()
    assert desk.store.assessments.get([key]) == {}


def test_the_first_answer_stays(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"), desk.arrival("2", company="B"))
    one, two = desk.claim()
    answer = desk.assessment("the same question")
    desk.commit([one], assessments=(answer,))
    desk.commit([two], assessments=(answer.model_copy(update={"cost_usd": 5.0}),))
    assert desk.store.assessments.get([answer.content_hash]) == {answer.content_hash: answer}
    assert desk.store.assessments.get([]) == {}


def test_an_answer_is_kept_before_any_decision_stands_on_it(desk: Any) -> None:
    answers = desk.store.assessments
    paid, known = desk.assessment("paid"), desk.assessment("known", cached=True)
    answers.keep([paid, known], now=desk.now)
    answers.keep([], now=desk.now)
    assert answers.get([paid.content_hash, known.content_hash]) == {paid.content_hash: paid}
