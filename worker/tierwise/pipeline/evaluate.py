"""Decisions against labels: how right a policy and a model are on leads whose truth is known. Nothing is stored.

Figures describe the file they were measured on. They open no gate: that takes labels with known sampling.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.domain import measures
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.mapping import FieldMap
from tierwise.domain.measures import Share
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rubric import Assessment
from tierwise.llm import offline
from tierwise.pipeline import preview
from tierwise.pipeline.map import Enrich
from tierwise.pipeline.preview import Previewed, Row

POSITIVE = ("true", "1", "yes", "A", "won", "converted")
ABSENT = "(none)"
"""The segment of leads that have no value there, and the tier of leads that got none."""


class Case(NamedTuple):
    """One lead of the file whose label is known."""

    row: Row
    label: str
    positive: bool


class Result(NamedTuple):
    """One case and what was decided on it."""

    id: str
    label: str
    positive: bool
    predicted: bool
    """In a positive tier, and not sent to a person."""
    review: bool
    right: bool | None
    """The tier is the label's, or, where labels are no tiers, on the label's side. None without a tier."""
    segment: str
    tier: str | None
    score: int | None
    confidence: float | None
    status: str
    outcome: str
    reason_codes: tuple[str, ...]
    fallback: bool
    assessments: tuple[Assessment, ...]
    errors: tuple[str, ...]


class Engine(NamedTuple):
    """What makes the decisions."""

    runnable: Runnable
    field_map: FieldMap
    judge: ports.Judge
    submit: Callable[[Coroutine[Any, Any, Judged]], Future[Judged]]
    clock: ports.Clock
    enrich: Enrich | None = None
    """None: leads are decided on as the file has them."""


def cases(
    records: Sequence[Mapping[str, Any]], *, label: str, positive: Iterable[str] = POSITIVE
) -> tuple[list[Case], int]:
    """The labelled records, and how many have no label. A label is compared without regard to case."""
    wanted = {value.strip().casefold() for value in positive}
    found = [(row, label_text(row.properties.get(label))) for row in preview.rows(records)]
    labelled = [Case(row, text, text.casefold() in wanted) for row, text in found if text]
    return labelled, len(found) - len(labelled)


def label_text(value: Any) -> str:
    """A label as text: JSON's true is "true", 1.0 is "1", nothing is ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


class Keeping:
    """A judge whose answers are kept as soon as they are there, so that an interruption loses none that was paid."""

    def __init__(self, judge: ports.Judge, keep: Callable[[Sequence[Assessment]], None]) -> None:
        """`keep` may block; it is called in a worker thread."""
        self._judge = judge
        self._keep = keep

    async def judge(self, runnable: Runnable, lead: Lead, *, connection: str = "") -> Judged:
        """ports.Judge. The lexicon's answers are not kept: making one is cheaper than finding it."""
        judged = await self._judge.judge(runnable, lead, connection=connection)
        paid = [item for item in judged.assessments if not item.cached and item.model != offline.MODEL]
        if paid:
            await asyncio.to_thread(self._keep, paid)
        return judged

    async def close(self) -> None:
        """ports.Judge."""
        await self._judge.close()


def run(engine: Engine, rows: Sequence[Row]) -> Iterator[Previewed]:
    """Decisions in the order of the rows, concurrently."""
    return preview.preview(
        rows,
        runnable=engine.runnable,
        field_map=engine.field_map,
        judge=engine.judge,
        submit=engine.submit,
        clock=engine.clock,
        enrich=engine.enrich,
    )


def result(case: Case, made: Previewed, *, policy: Policy, segment: str, tiers: bool) -> Result:
    """What was decided, held against the label; `tiers` says that labels are the policy's tiers."""
    positive_tiers = policy.rubric.targets.positive_tiers
    decision = made.decision
    shape = preview.as_json(made)
    tier, review = shape["tier"], shape["outcome"] == "review"
    high = tier in positive_tiers
    fits = tier is not None and (tier.casefold() == case.label.casefold() if tiers else high == case.positive)
    return Result(
        id=case.row.id,
        label=case.label,
        positive=case.positive,
        predicted=high and not review,
        review=review,
        right=fits if tier is not None else None,
        segment=_segment(case, made, segment),
        tier=tier,
        score=shape["score"],
        confidence=shape["confidence"],
        status=shape["status"],
        outcome=shape["outcome"],
        reason_codes=tuple(shape["reason_codes"]),
        fallback=decision.fallback if decision else False,
        assessments=decision.assessments if decision else (),
        errors=decision.errors if decision else (),
    )


def labels_are_tiers(found: Iterable[Case], policy: Policy) -> bool:
    """Whether every label is a tier of the policy."""
    tiers = {tier.casefold() for tier in policy.rubric.tiers}
    return all(case.label.casefold() in tiers for case in found)


def _segment(case: Case, made: Previewed, field: str) -> str:
    """The canonical field where the lead has it, else the file's own column."""
    value = made.decision.fields.get(field) if made.decision else None
    return label_text(value if value is not None else case.row.properties.get(field)) or ABSENT


def summary(found: Sequence[Result]) -> dict[str, Any]:
    """The figures that scripts rely on, and their intervals (95 %); None where a figure has no meaning."""
    positives = sum(item.positive for item in found)
    predicted = [item for item in found if item.predicted]
    hits = sum(item.positive for item in predicted)
    base, precision, recall = Share(positives, len(found)), Share(hits, len(predicted)), Share(hits, positives)
    review = Share(sum(item.review for item in found), len(found))
    sure = [(item.confidence, item.right) for item in found if item.confidence is not None and item.right is not None]
    stated, right = [confidence for confidence, _ in sure], [hit for _, hit in sure]
    ranked = measures.auc([_rank(item) for item in found], [item.positive for item in found])
    area = None
    if ranked is not None and 0 < ranked < 1:
        # At 0 and 1 the interval has no width, whatever the number of leads: that would be no information.
        area = measures.auc_interval(ranked, positives, len(found) - positives)
    sure_area = measures.auc(stated, right)
    tells = None
    if sure_area is not None and 0 < sure_area < 1:
        tells = measures.auc_interval(sure_area, sum(right), len(right) - sum(right))
    shares = {"base_rate": base, "precision": precision, "recall": recall, "review_rate": review}
    spread = {
        "f1": measures.f1_interval(hits, len(predicted), positives),
        "auc": area,
        "confidence_auc": tells,
        "ece": resampled(_error, stated, right),
        "brier": resampled(measures.brier, stated, right),
    }
    return {
        "n": len(found),
        "base_rate": base.value,
        "precision": precision.value,
        "recall": recall.value,
        "f1": measures.f1(precision.value, recall.value),
        "auc": ranked,
        "ece": measures.ece(measures.reliability(stated, right)),
        "brier": measures.brier(stated, right),
        "confidence_auc": sure_area,
        "review_rate": review.value,
        "cost_usd": cost(found),
        "intervals": {
            **{name: list(share.interval) if share.interval else None for name, share in shares.items()},
            **{name: list(interval) if interval else None for name, interval in spread.items()},
        },
    }


def resampled(
    figure: Callable[[Sequence[float], Sequence[bool]], float | None],
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    times: int = 200,
) -> measures.Interval | None:
    """The middle 95 % of a figure of confidence over leads drawn again and again, always the same; None below 2 leads.

    For large files fewer draws, since their spread is small.
    """
    n = len(right)
    if n < 2:
        return None
    rng = random.Random(n)  # noqa: S311 - reproducible, nothing secret
    found = []
    for _ in range(min(times, max(20, 400_000 // n))):
        places = rng.choices(range(n), k=n)
        value = figure([confidences[place] for place in places], [right[place] for place in places])
        if value is not None:
            found.append(value)
    ordered = sorted(found)
    return (
        measures.Interval(ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered))]) if ordered else None
    )


def _error(stated: Sequence[float], right: Sequence[bool]) -> float | None:
    return measures.ece(measures.reliability(stated, right))


def _rank(item: Result) -> float:
    # A gate that rejects says what the lowest score says; what could not be scored is known to be neither.
    return item.score if item.score is not None else 0.0 if item.status == "rejected" else 0.5


def cost(found: Iterable[Result]) -> float | None:
    """Money for the answers that were used, each counted once, now or when it was first paid; None if unknown."""
    paid = {answer.content_hash: answer.cost_usd for item in found for answer in item.assessments}
    known = [price for price in paid.values() if price is not None]
    return sum(known) if len(known) == len(paid) else None


def per_segment(found: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """The figures of every segment, the largest first."""
    sizes = Counter(item.segment for item in found)
    return {
        name: summary([item for item in found if item.segment == name])
        for name, _ in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))
    }


def per_reason(found: Sequence[Result]) -> list[dict[str, Any]]:
    """For every reason code: how many leads carry it, the share of them that is positive, and all figures of the leads
    that carry it; the commonest first."""
    carried = Counter(code for item in found for code in item.reason_codes)
    hits = Counter(code for item in found if item.positive for code in item.reason_codes)
    of = {code: summary([item for item in found if code in item.reason_codes]) for code in carried}
    listed = []
    for code, n in sorted(carried.items(), key=lambda pair: (-pair[1], pair[0])):
        share = Share(hits[code], n)
        interval = share.interval
        listed.append(
            {
                "code": code, "n": n, "positive": share.hits, "precision": share.value,
                "interval": list(interval) if interval else None, "figures": of[code],
            }
        )  # fmt: skip
    return listed


def precision_recall(found: Sequence[Result]) -> list[dict[str, float]]:
    """Precision and recall if the leads from each score on were taken, whatever their tier and review."""
    points = measures.curve([_rank(item) for item in found], [item.positive for item in found])
    return [{"score": score, "recall": recall, "precision": precision} for score, recall, precision in points]


def reliability(found: Sequence[Result]) -> list[dict[str, Any]]:
    """The bins of the reliability diagram."""
    sure = [(item.confidence, item.right) for item in found if item.confidence is not None and item.right is not None]
    return [item._asdict() for item in measures.reliability([c for c, _ in sure], [hit for _, hit in sure])]


def confusion(found: Sequence[Result], *, tiers: Sequence[str]) -> dict[str, dict[str, int]]:
    """By label, how many leads got each tier; a label that is a tier stands in the tiers' order."""
    order = {tier.casefold(): place for place, tier in enumerate(tiers)}
    labels = sorted({item.label for item in found}, key=lambda text: (order.get(text.casefold(), len(order)), text))
    counts = Counter((item.label, item.tier or ABSENT) for item in found)
    return {label: {tier: counts[label, tier] for tier in (*tiers, ABSENT)} for label in labels}


def compare(first: Sequence[Result], second: Sequence[Result]) -> dict[str, Any]:
    """Two runs over the same cases: the leads that differ, and whether one is right more often than chance allows."""
    pairs = list(zip(first, second, strict=True))
    mine = sum(a.predicted == a.positive and b.predicted != b.positive for a, b in pairs)
    theirs = sum(b.predicted == b.positive and a.predicted != a.positive for a, b in pairs)
    return {
        "only_first_right": mine,
        "only_second_right": theirs,
        "p": measures.mcnemar(mine, theirs),
        "differ": [
            {"id": a.id, "label": a.label, "first": _shown(a), "second": _shown(b)}
            for a, b in pairs
            if (a.tier, a.outcome) != (b.tier, b.outcome)
        ],
    }


def _shown(item: Result) -> dict[str, Any]:
    return {
        "tier": item.tier, "score": item.score, "confidence": item.confidence, "outcome": item.outcome,
        "predicted": item.predicted,
    }  # fmt: skip
