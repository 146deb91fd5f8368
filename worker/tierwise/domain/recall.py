"""What models said of a lead once, to decide it again under other weights, cut-offs or rules without asking.

The answers stay good as long as the questions do (`changes.asks`) and the lead is the same; who calls sees to both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from tierwise.domain import calibration as calibrations
from tierwise.domain import decision as decisions
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Rubric, Verdict

DISAGREE = "MODELS_DISAGREE"


def judged(runnable: Runnable, earlier: Decision, lead: Lead) -> Judged | None:
    """The judgement that the earlier decision stands on, at no cost; None where no model was asked then."""
    found = verdicts_of(earlier.model_dump(mode="json"), runnable.policy.rubric)
    if found is None:
        return None
    made = Judged(
        assessments=tuple(item.model_copy(update={"cached": True}) for item in earlier.assessments),
        verdicts=found,
        used=earlier.used,
        contradiction=DISAGREE in earlier.reason_codes,
        fallback=earlier.fallback,
        errors=earlier.errors,
        weighed=calibrations.answers_of(earlier.assessments),
    )
    return disputed_anew(runnable, lead, made)


def judged_of_body(body: Mapping[str, Any], rubric: Rubric, *, weigh: bool = True) -> Judged | None:
    """The same from a decision as it is stored, without what it cost: for replaying many. `weigh` brings what a
    calibration weighs, too. A dispute is as it was found then: `disputed_anew` finds it under a policy."""
    found = verdicts_of(body, rubric)
    if found is None:
        return None
    codes = {reason["code"] for reason in body["reasons"]}
    # What a calibration weighs, and what may contradict itself; what it cost is no matter here.
    needed = weigh or len(body["assessments"]) > 1
    answers = [_verdicts(item["verdicts"]) for item in body["assessments"]] if needed else []
    return Judged.model_construct(
        verdicts=found,
        used=body["used"],
        contradiction=DISAGREE in codes,
        fallback=body["fallback"],
        weighed=tuple(answer for answer in answers if answer),
    )


def disputed_anew(runnable: Runnable, lead: Lead, recalled: Judged) -> Judged:
    """With the dispute as it stands under this policy and its calibration, whatever was made of it then. What cannot
    be told from the answers (one alone, samples that were averaged) stays as it was found; so does the dispute about a
    text that instructs, which a person sees anyway."""
    warned = any("INJECTION_SUSPECT" in verdict.flags for verdict in recalled.verdicts)
    if recalled.fallback or warned or pair(recalled.weighed) is None:
        return recalled
    return recalled.model_copy(update={"contradiction": decisions.disputed(runnable, lead, recalled)})


def pair(answers: Sequence[tuple[Verdict, ...]]) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]] | None:
    """The two answers of two models; None where there are fewer or more, or one model gave both."""
    if len(answers) != 2 or answers[0][0].decided_by == answers[1][0].decided_by:
        return None
    return answers[0], answers[1]


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
