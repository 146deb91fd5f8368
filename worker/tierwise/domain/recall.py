"""What models said of a lead once, to decide it again under other weights, cut-offs or rules without asking.

The answers stay good as long as the questions do (`changes.asks`) and the lead is the same; who calls sees to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from tierwise.domain.decision import Decision, Judged
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Rubric, Verdict

DISAGREE = "MODELS_DISAGREE"


def judged(runnable: Runnable, earlier: Decision) -> Judged | None:
    """The judgement that the earlier decision stands on, at no cost; None where no model was asked then."""
    found = verdicts_of(earlier.model_dump(mode="json"), runnable.policy.rubric)
    if found is None:
        return None
    return Judged(
        assessments=tuple(item.model_copy(update={"cached": True}) for item in earlier.assessments),
        verdicts=found,
        used=earlier.used,
        contradiction=DISAGREE in earlier.reason_codes,
        fallback=earlier.fallback,
        errors=earlier.errors,
    )


def judged_of_body(body: Mapping[str, Any], rubric: Rubric, *, weigh: bool = True) -> Judged | None:
    """The same from a decision as it is stored, without what it cost: for replaying many. `weigh` brings what a
    calibration weighs, too."""
    found = verdicts_of(body, rubric)
    if found is None:
        return None
    codes = {reason["code"] for reason in body["reasons"]}
    # What a calibration weighs; what it cost is no matter here.
    answers = [_verdicts(item["verdicts"]) for item in body["assessments"]] if weigh else []
    return Judged.model_construct(
        verdicts=found,
        used=body["used"],
        contradiction=DISAGREE in codes,
        fallback=body["fallback"],
        weighed=tuple(answer for answer in answers if answer),
    )


def verdicts_of(body: Mapping[str, Any], rubric: Rubric) -> tuple[Verdict, ...] | None:
    """Verdicts on the criteria that a model decides; None where the lead was stopped before one was asked."""
    card = body["scorecard"]
    if card is None:
        return None
    asked = {criterion.id for criterion in rubric.asked}
    return _verdicts([item["verdict"] for item in card["contributions"] if item["criterion"] in asked])


# One call for all of a card: half the time of unchecked construction, one by one.
_verdicts = TypeAdapter(tuple[Verdict, ...]).validate_python


def paid(judgement: Judged) -> tuple[Assessment, ...]:
    """Its answers that were asked for just now."""
    return tuple(item for item in judgement.assessments if not item.cached)
