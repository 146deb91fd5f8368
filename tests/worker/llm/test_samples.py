from __future__ import annotations

from typing import Any

import pytest

from tierwise.domain.rubric import UNKNOWN, Verdict
from tierwise.llm import samples


def said(level: str, probability: float, **more: Any) -> Verdict:
    return Verdict(criterion="purchase_timing", level=level, probability=probability, decided_by="m", **more)


def test_every_order_holds_the_same_questions(criteria: Any) -> None:
    seen = set()
    for number in range(1, 7):
        order = samples.reordered(criteria, number)
        assert {item.id for item in order} == {item.id for item in criteria}
        for item in order:
            original = next(one for one in criteria if one.id == item.id)
            assert {level.id for level in item.levels} == {level.id for level in original.levels}
            assert item.lowest == original.lowest
        seen.add(tuple((item.id, tuple(level.id for level in item.levels)) for item in order))
    assert len(seen) == 6, "three criteria and two directions"


def test_agreement_keeps_the_level_and_its_surest_quote(criteria: Any) -> None:
    answers = [
        [said("now", 0.6, quote="asap", field="message")],
        [said("now", 0.9, quote="this month", field="message")],
    ]
    (verdict,) = samples.averaged(criteria, answers)
    assert (verdict.level, verdict.quote) == ("now", "this month")
    assert verdict.probability == pytest.approx(0.75)


def test_disagreement_costs_certainty(criteria: Any) -> None:
    (verdict,) = samples.averaged(criteria, [[said("now", 0.9)], [said("later", 0.8)], [said("now", 0.7)]])
    assert verdict.level == "now"
    assert verdict.probability == pytest.approx((0.9 + 0.1 + 0.7) / 3)


def test_mostly_unknown_is_unknown(criteria: Any) -> None:
    unknown = said(UNKNOWN, 0, flags=("EVIDENCE_MISSING",))
    (verdict,) = samples.averaged(criteria, [[said("now", 0.9)], [unknown], [unknown]])
    assert verdict == unknown
    (verdict,) = samples.averaged(criteria, [[said("now", 0.9)], [unknown]])
    assert (verdict.level, verdict.probability) == ("now", pytest.approx((0.9 + 1 / 3) / 2, abs=1e-6))


def test_a_suspicion_of_one_answer_stays(criteria: Any) -> None:
    suspect = said(UNKNOWN, 0, flags=("INJECTION_SUSPECT",))
    (verdict,) = samples.averaged(criteria, [[said("now", 0.9)], [suspect], [said("now", 0.9)]])
    assert verdict == suspect
