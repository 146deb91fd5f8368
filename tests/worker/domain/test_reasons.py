from __future__ import annotations

from tierwise_fixtures import policies as make

from tierwise.domain import reasons
from tierwise.domain.rules import Hit


def hit(**more: str) -> Hit:
    return Hit.model_validate({"rule": "big", "stage": "route", "truth": "match", "reason": "BIG", **more})


def test_a_rule_speaks_in_its_own_words_where_it_has_some() -> None:
    policy = make.policy()
    assert reasons.from_hit(policy, hit(why="Because of 3 people."), {"lead": {}}).sentence == "Because of 3 people."
    assert reasons.from_hit(policy, hit(), {"lead": {}}).source == "rule:big"


def test_a_code_of_the_same_source_is_given_once_and_the_last_words_stand() -> None:
    one, again, other = (
        reasons.ReasonGiven(code=code, sentence=sentence, source=source)
        for code, sentence, source in (("BIG", "a", "rule:x"), ("BIG", "b", "rule:x"), ("BIG", "c", "rule:y"))
    )
    assert reasons.unique([one, other, again]) == (again, other)


def test_a_code_that_no_catalogue_has_speaks_for_itself() -> None:
    given = reasons.built_in(make.policy(), "NOWHERE", {"lead": {}})
    assert (given.sentence, given.source) == ("NOWHERE", "tierwise")
