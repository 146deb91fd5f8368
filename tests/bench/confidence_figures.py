"""Figures of the cascade beside the strong model on every lead: their meaning and intervals, and the aims."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tierwise.domain import aims, measures, paired, rules
from tierwise.domain.aims import Aim
from tierwise.domain.decision import Decision
from tierwise.domain.measures import Share
from tierwise.domain.paired import Counted
from tierwise.pipeline import calibrate
from tierwise.pipeline.preview import Previewed

MARGIN = 0.02
CONFIDENCE = 0.95
MEANING = {
    "review_rate": "of all leads that arrive, also those that gates decide and those that do not conform: a person is "
    "asked; the sandbox plants contradictory facts, orders to the model and giants on free mail in a tenth of them",
    "review_rate_if_always_right_and_sure": "the same of a model that never errs and is sure of it: what the policy's "
    "own rules send to people",
    "review_rate_due_to_models": "leads in review that such a model would not have sent there",
    "review_causes": "share of all leads, by the first thing that asks for a person: contradictory fields, text that "
    "instructs, models that disagree, a guardrail, low confidence; `schema` does not conform",
    "review_rate_by_stream": "the review rate of every held-back stream by itself",
    "decided": "as `tierwise eval` counts: predicted is tier A and not in review; recall is of all leads truly A",
    "answered": "the same after people have answered what is in review, and rightly",
    "tiers": "of the tiers alone, review or not",
    "non_inferior": f"on the same leads, the one-sided {CONFIDENCE:.0%} bound of cascade less always_strong lies above "
    f"-{MARGIN}, for precision and for recall",
    "cascade_said": "contradiction by what two models said (DESIGN 8.5 to the letter)",
    "cascade_weighed": "what `calibrate fit` does by default: contradiction by what their answers make likeliest, "
    "unless both together leave the tier as sure as the precision agreed on",
    "aims": "what is aimed at, what was measured, whether that meets it, and whether all of the interval does; "
    "Tierwise's own are those of cascade_weighed",
    "always_strong": "the second model on every lead, calibrated with the same labels",
    "intervals": "95 %, two-sided; ECE and saved by resampling leads",
}


def of(
    runs: Mapping[str, Sequence[Previewed]],
    truth: Mapping[str, Decision | None],
    *,
    perfect: Sequence[Previewed],
) -> dict[str, Any]:
    """Everything about the runs over the same leads."""
    strong = runs["always_strong"]
    found: dict[str, Any] = {"leads": len(strong), "asked": sum(_asked(item) for item in strong)}
    for name, run in runs.items():
        found[name] = _one(run, truth)
        extra = [_reviewed(item) and not _reviewed(other) for item, other in zip(run, perfect, strict=True)]
        found[name]["review_rate_due_to_models"] = sum(extra) / len(run)
        if name.startswith("cascade"):
            found[name] |= _confidence(run, truth) | _saved(run, strong)
            found[name]["non_inferior"] = {
                against: {how: _compared(run, runs[against], truth, how=how) for how in ("decided", "answered")}
                for against in ("always_strong", "always_strong_uncalibrated")
            }
            found[name]["aims"] = _aims(found[name])
    return found


def review_rate(run: Sequence[Previewed]) -> float:
    """Share of the leads that a person is asked about."""
    return sum(map(_reviewed, run)) / len(run)


def review_causes(run: Sequence[Previewed]) -> dict[str, float]:
    """Share of all leads by what first asks for a person: a rule's id, or the code of the reason."""
    found = Counter(_cause(item) for item in run if _reviewed(item))
    return {name: _rounded(count / len(run)) or 0.0 for name, count in found.most_common()}


def point(cut: float, run: Sequence[Previewed], truth: Mapping[str, Previewed]) -> dict[str, float | None]:
    """One point of the frontier: what a lower or higher cut-off for review would give."""
    told = {name: item.decision for name, item in truth.items()}
    return {"review_below": cut, "review_rate": review_rate(run), **_values(run, told, how="decided")}


def _one(run: Sequence[Previewed], truth: Mapping[str, Decision | None]) -> dict[str, Any]:
    reviewed = Share(sum(map(_reviewed, run)), len(run))
    asked = [item for item in run if _asked(item)]
    return {
        "review_rate": reviewed.value,
        "review_rate_interval": reviewed.interval,
        "review_rate_of_asked": review_rate(asked),
        "review_rate_by_stream": {
            name: review_rate([item for item in run if _stream_of(item) == name])
            for name in sorted({_stream_of(item) for item in run})
        },
        "review_kinds": Counter((item.decision.review if item.decision else "schema") or "none" for item in run),
        "review_causes": review_causes(run),
        **{
            how: {name: _rounded(value) for name, value in _values(run, truth, how=how).items()}
            for how in ("decided", "answered", "tiers")
        },
    }


def _values(run: Sequence[Previewed], truth: Mapping[str, Decision | None], *, how: str) -> dict[str, float | None]:
    precision, recall = (_counts(run, truth, how=how, of=name) for name in ("precision", "recall"))
    shares = [Share(sum(item.part for item in side), sum(item.whole for item in side)) for side in (precision, recall)]
    return {"precision": shares[0].value, "recall": shares[1].value, "positives": shares[1].n}


def _counts(run: Sequence[Previewed], truth: Mapping[str, Decision | None], *, how: str, of: str) -> list[Counted]:
    found = []
    for item in run:
        right = truth[item.id]
        positive = right is not None and right.tier == "A"
        predicted = item.decision is not None and item.decision.tier == "A"
        if how != "tiers" and _reviewed(item):
            predicted = positive if how == "answered" else False
        whole = predicted if of == "precision" else positive
        found.append(Counted(int(predicted and positive), int(whole)))
    return found


def _compared(
    ours: Sequence[Previewed], theirs: Sequence[Previewed], truth: Mapping[str, Decision | None], *, how: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("precision", "recall"):
        sides = [_counts(run, truth, how=how, of=name) for run in (ours, theirs)]
        apart = paired.difference(sides[0], sides[1], confidence=CONFIDENCE)
        found[name] = None if apart is None else {"difference": _rounded(apart.value), "bound": _rounded(apart.low)}
        found[f"{name}_non_inferior"] = apart is not None and apart.not_worse_by(MARGIN)
    return found


def _confidence(run: Sequence[Previewed], truth: Mapping[str, Decision | None]) -> dict[str, Any]:
    stated: list[float] = []
    right: list[bool] = []
    own: list[tuple[float, bool]] = []
    for item in run:
        told = truth[item.id]
        if item.decision is None or item.decision.confidence is None or told is None:
            continue
        stated.append(item.decision.confidence)
        right.append(item.decision.tier == told.tier)
        answered = calibrate.answered(item.decision)
        if answered is not None and (said := calibrate.stated(answered)) is not None:
            own.append((said, right[-1]))
    rng, errors = random.Random(3), []
    for _ in range(200):
        some = rng.choices(range(len(stated)), k=len(stated))
        bins = measures.reliability([stated[place] for place in some], [right[place] for place in some])
        errors.append(measures.ece(bins) or 0.0)
    ranked = measures.auc(stated, right)
    wrong = right.count(False)
    area = measures.auc_interval(ranked, len(right) - wrong, wrong) if ranked is not None else None
    return {
        "tier_right": sum(right) / len(right),
        "ece": measures.ece(measures.reliability(stated, right)),
        "ece_interval": _middle(errors),
        "brier": measures.brier(stated, right),
        "auroc": ranked,
        "auroc_interval": area,
        "auroc_own_word": measures.auc([value for value, _ in own], [hit for _, hit in own]),
    }


def _saved(run: Sequence[Previewed], strong: Sequence[Previewed]) -> dict[str, Any]:
    costs = [(_cost(ours), _cost(theirs)) for ours, theirs in zip(run, strong, strict=True)]
    rng, found = random.Random(4), []
    for _ in range(200):
        some = rng.choices(costs, k=len(costs))
        found.append(1 - math.fsum(a for a, _ in some) / math.fsum(b for _, b in some))
    ours, theirs = (math.fsum(column) for column in zip(*costs, strict=True))
    asked = [item for item in run if _asked(item)]
    second = sum(len({answer.model for answer in item.decision.assessments}) > 1 for item in asked if item.decision)
    return {
        "saved": 1 - ours / theirs,
        "saved_interval": _middle(found),
        "cost_usd": [ours, theirs],
        "escalated": second / len(asked),
    }


def _aims(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    held = (
        Aim("saved", aims.SAVED, True, found["saved"], found["saved_interval"]),
        Aim("review_rate", aims.REVIEW_RATE, False, found["review_rate"], found["review_rate_interval"]),
        Aim("ece", aims.ECE, False, found["ece"], found["ece_interval"]),
        Aim("auroc", aims.CONFIDENCE_AUC, True, found["auroc"], found["auroc_interval"]),
    )
    told = {item.name: item.plain() for item in held}
    versus = found["non_inferior"]["always_strong"]["decided"]
    for name in ("precision", "recall"):
        bound = versus[name]["bound"] if versus[name] else None
        met = versus[f"{name}_non_inferior"]
        told[name] = {"aim": f"bound above -{MARGIN}", "measured": bound, "met": met, "shown": met}
    return told


def _cause(item: Previewed) -> str:
    made = item.decision
    if made is None:
        return "schema"
    if "INJECTION_SUSPECT" in made.reason_codes:
        return "INJECTION_SUSPECT"
    hits = [hit for hit in made.hits if hit.stage in {"contradiction", "guardrail"} and rules.first((hit,))]
    disputed = [hit.rule for hit in hits if hit.stage == "contradiction"]
    said = [code for code in ("CLAIM_MISMATCH", "MODELS_DISAGREE") if code in made.reason_codes]
    guarded = [hit.rule for hit in hits if hit.stage == "guardrail"]
    last = [code for code in ("MODEL_UNAVAILABLE", "LOW_CONFIDENCE", "NO_ROUTE") if code in made.reason_codes]
    return next(iter([*disputed, *said, *guarded, *last]), "gate")


def _stream_of(item: Previewed) -> str:
    return item.id.partition("-")[0]


def _asked(item: Previewed) -> bool:
    return item.decision is not None and bool(item.decision.assessments)


def _reviewed(item: Previewed) -> bool:
    return item.decision is None or item.decision.outcome == "review"


def _cost(item: Previewed) -> float:
    return (item.decision.cost_usd or 0.0) if item.decision is not None else 0.0


def _middle(found: list[float]) -> tuple[float, float]:
    ordered = sorted(found)
    return ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered))]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
