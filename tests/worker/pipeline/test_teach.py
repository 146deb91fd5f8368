"""Which labels teach: what people confirmed, what they corrected to the end, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures.school import School

from tierwise import ports, store, wiring
from tierwise import settings as configuration
from tierwise.pipeline import teach
from tierwise.pipeline.review import Correction


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store.upgrade(url)
    parts = wiring.Wiring(configuration.Settings(home=tmp_path, database_url=url))
    yield School(parts)
    parts.close()


def answered(messages: Any) -> dict[str, str]:
    return {name: said["level"] for name, said in json.loads(messages[2]["content"]).items()}


def test_what_people_agreed_with_is_taught_as_it_was_said(school: School) -> None:
    item = school.decide()
    school.answer(item, agree=True)
    (lesson,), left_out = school.lessons()
    assert answered(lesson) == {"need": "concrete", "timeline": "soon", "buying_power": "none", "purpose": "own_use"}
    assert left_out == {}
    assert [message["role"] for message in lesson] == ["system", "user", "assistant"]
    assert "Meyer" not in json.dumps(lesson)
    assert "jo@acme" not in json.dumps(lesson)
    assert "Meyer" in json.dumps(school.lessons(raw=True)[0])


def test_a_wrong_tier_alone_teaches_nothing(school: School) -> None:
    item = school.decide()
    school.answer(item, tier="D")
    assert school.lessons() == ([], {"contradicted": 1})


def test_corrected_criteria_teach_where_they_lead_to_the_tier_that_was_given(school: School) -> None:
    item = school.decide()
    assert item.tier == "A"
    outsider = {"purpose": Correction("outsider", "message", "Ask Jo Meyer")}
    school.answer(item, tier="D", criteria=outsider)
    (lesson,), _ = school.lessons()
    said = json.loads(lesson[2]["content"])
    assert said["purpose"] == {
        "level": "outsider", "probability": teach.CERTAIN, "quote": "Ask [PERSON_1]", "field": "message"
    }  # fmt: skip
    assert said["need"]["level"] == "concrete", "the rest stands"
    labels = {label.subject: label.value for label in school.store.labels.list()}
    assert labels == {"tier": "D", "criterion:purpose": "outsider"}


def test_corrections_that_do_not_explain_the_tier_are_left_out(school: School) -> None:
    school.answer(school.decide(), tier="D", criteria={"timeline": Correction("none")})
    assert school.lessons() == ([], {"unexplained": 1})


def test_a_correction_without_the_words_that_prove_it_is_left_out(school: School) -> None:
    school.answer(school.decide(), tier="D", criteria={"purpose": Correction("outsider")})
    assert school.lessons() == ([], {"unproved": 1})


def test_a_withdrawn_answer_is_left_out_until_somebody_corrects_it(school: School) -> None:
    school.answer(school.decide({"timeline": ("unknown", None)}, flags=("EVIDENCE_MISSING",)), agree=True)
    assert school.lessons() == ([], {"withdrawn": 1})


def test_the_last_word_counts_and_a_rep_only_where_nobody_reviewed(school: School) -> None:
    def rep(item: ports.ReviewItem, value: str) -> None:
        arrival = ports.Arrival(
            item.record_id, school.now, None, "f" * 64, None, {}, (), "x", {"tierwise_feedback": value}
        )
        claim = school.store.cursors.claim("crm", owner="o", lease=60, now=school.now)
        assert claim is not None
        claim = school.store.cursors.open_window(claim, until=school.now, now=school.now)
        school.store.leads.ingest(
            claim, [arrival], policy=school.runnable.digest, position=None, watermark=school.now, now=school.now
        )
        school.store.cursors.release(claim, next_poll_at=school.now, error="", now=school.now)

    first, second, third = school.decide(), school.decide(), school.decide()
    school.answer(first, agree=True)
    rep(first, "too_high")
    rep(second, "too_high")
    rep(third, "right")
    found, left_out = school.lessons()
    assert len(found) == 2
    assert left_out == {"contradicted": 1}
    assert len(school.lessons(source="review")[0]) == 1


def test_an_outcome_alone_says_nothing_of_the_tier(school: School) -> None:
    school.answer(school.decide(), outcome="reject")
    assert school.lessons() == ([], {"no_tier": 1})


def test_other_questions_and_erased_leads_are_left_out(school: School) -> None:
    one, other = school.decide(), school.decide()
    school.answer(one, agree=True)
    school.answer(other, agree=True)
    school.store.persons.erase([("crm", other.record_id)], needles=[], by="ada", reason="asked", now=school.now)
    found, left_out = school.lessons()
    assert (len(found), left_out) == (1, {"erased": 1})
    changed = school.runnable.policy.model_copy(update={"prompt": school.runnable.policy.prompt + "\nBe brief."})
    key = school.store.policies.publish(changed, by="ada", note="", now=school.now)
    tools = teach.Tools(school.store, changed, key, school.parts.asks)
    left_out = Counter()
    assert list(teach.examples(tools, left_out=left_out)) == []
    assert left_out["other_questions"] == 2


def test_every_reason_is_told_in_words() -> None:
    told = list(teach.left_out_in_words({"contradicted": 2, "erased": 5}))
    assert [sentence.split(" ")[0] for sentence in told] == ["5", "2"]
    assert all(teach.left_out_in_words({why: 1}) for why in teach.WHY)
