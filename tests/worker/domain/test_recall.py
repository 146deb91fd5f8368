"""A lead decided again from what models said once is decided as if they had been asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import chain, recall
from tierwise.domain import decision as decisions
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Rubric

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LEAD = Lead(company="Acme", message="We need it now.")


def decide(runnable: Runnable, judged: Judged) -> Decision:
    return decisions.decide(runnable, LEAD, connection="c", record_id="1", gates=(), judged=judged, now=NOW)


def answer(verdicts: Any, *, cost: float = 0.002) -> Assessment:
    return Assessment(model="m", verdicts=verdicts, content_hash="x" * 64, cost_usd=cost)


@given(st.data())
def test_as_if_asked(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    asked = {item.id for item in rubric.asked}
    verdicts = tuple(item for item in data.draw(make.verdicts(rubric)) if item.criterion in asked)
    fresh = Judged(assessments=(answer(verdicts),), verdicts=verdicts, used="m", contradiction=data.draw(st.booleans()))
    before = make.runnable(make.policy(rubric))
    shifted = {**rubric.model_dump(mode="json"), "tiers": {name: max(0, cut - 7) if cut else 0 for name, cut in
                                                           rubric.tiers.items()}}  # fmt: skip
    try:
        after = make.runnable(make.policy(Rubric.model_validate(shifted)))
    except ValueError:
        after = make.runnable(make.policy(rubric, version="other"))
    earlier = decide(before, fresh)
    recalled = recall.judged(after, earlier)
    assert recalled is not None
    made, meant = decide(after, recalled), decide(after, fresh)
    free = {"cost_usd", "assessments"}
    # A verdict that was missing came back as `unknown`: both count the same.
    assert made.model_dump(exclude=free) == meant.model_dump(exclude=free)
    assert made.cost_usd == 0
    assert recall.paid(fresh) == fresh.assessments
    assert recall.paid(recalled) == ()
    stored = json.loads(chain.link(earlier, previous="0", salt="s").body)
    from_body = recall.judged_of_body(stored, after.policy.rubric)
    assert from_body is not None
    swift = decide(after, from_body)
    assert (swift.tier, swift.score, swift.outcome, swift.review) == (made.tier, made.score, made.outcome, made.review)
    assert swift.reason_codes == made.reason_codes


def test_a_lead_that_a_gate_stopped_has_nothing_to_recall() -> None:
    earlier = decide(make.runnable(make.policy()), Judged()).model_copy(update={"scorecard": None})
    assert recall.judged(make.runnable(make.policy()), earlier) is None
