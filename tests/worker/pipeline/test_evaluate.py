"""Figures against labels: what counts as predicted, as right, and as paid."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from tierwise_fixtures import fakes, policies

from tierwise.domain import measures
from tierwise.domain.canonical import canonical_map
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead, digest
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.domain.rules import Rule
from tierwise.llm import loop, offline
from tierwise.pipeline import evaluate
from tierwise.pipeline.evaluate import Engine, Result

# `size` is high by rule and worth 50; `intent` is what the message says and worth up to 50.
ROUTE = Rule(id="all", stage="route", when="true", reason="ANY", outcome="accept", route="sales", owner="o", why="all")
RUNNABLE = policies.runnable(
    policies.policy(rules=(ROUTE,)), rules={"all": policies.says("match")}, levels={("size", "high"): "match"}
)


class Listener:
    """Takes the message's first word for the level of `intent`, as sure as the second says; "broken" falls back."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.model = "fake"

    async def judge(self, runnable: Runnable, lead: Lead, *, connection: str = "") -> Judged:
        level, sure, *rest = (lead.message or "none 0.9").split()
        self.asked.append(lead.message or "")
        verdict = Verdict(criterion="intent", level=level, probability=float(sure), decided_by=self.model)
        price = None if "priceless" in rest else 0.25
        answer = Assessment(
            model=self.model, verdicts=(verdict,), content_hash=digest(lead.message), cost_usd=price,
            cached="cached" in rest,
        )  # fmt: skip
        broken = "broken" in rest
        return Judged(
            assessments=(answer,), verdicts=(verdict,), used=self.model, fallback=broken,
            errors=("fake: timed out",) if broken else (),
        )  # fmt: skip

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def judge() -> Listener:
    return Listener()


@pytest.fixture
def engine(judge: Listener) -> Iterator[Engine]:
    hands = fakes.Hands()
    yield Engine(RUNNABLE, canonical_map(), judge, hands.submit, fakes.Clock())
    hands.close()


def _record(message: str, won: Any, **fields: Any) -> dict[str, Any]:
    return {"email": f"{digest([message, won, fields])[:8]}@firm.example", "message": message, "won": won, **fields}


def _results(engine: Engine, records: Sequence[Mapping[str, Any]], **options: Any) -> list[Result]:
    cases, _ = evaluate.cases(records, label="won", **{k: v for k, v in options.items() if k == "positive"})
    policy = engine.runnable.policy
    tiers = evaluate.labels_are_tiers(cases, policy)
    made = evaluate.run(engine, [case.row for case in cases])
    segment = options.get("segment", "source")
    return [
        evaluate.result(case, item, policy=policy, segment=segment, tiers=tiers)
        for case, item in zip(cases, made, strict=True)
    ]


def test_labels_of_every_usual_kind() -> None:
    values = [True, "TRUE", 1, 1.0, "yes", "a", "Won", " converted ", False, 0, "no", "B", None, "", "  "]
    found, unlabelled = evaluate.cases([{"won": value} for value in values], label="won")
    assert [case.positive for case in found] == [True] * 8 + [False] * 4
    assert unlabelled == 3
    assert [case.row.id for case in found] == [str(n) for n in range(1, 13)]


def test_positive_values_are_the_callers() -> None:
    found, _ = evaluate.cases([{"won": "SQL"}, {"won": "yes"}], label="won", positive=["sql", " mql"])
    assert [case.positive for case in found] == [True, False]


def test_figures_by_hand(engine: Engine) -> None:
    found = _results(
        engine,
        [
            _record("clear 0.99", "yes"),  # 100: A
            _record("clear 0.98", "yes"),
            _record("clear 0.97", "no"),
            _record("none 0.99", "yes"),  # 50: C
            _record("none 0.98", "no"),
        ],
    )
    assert [item.tier for item in found] == ["A", "A", "A", "C", "C"]
    assert [item.right for item in found] == [True, True, False, False, True]
    figures = evaluate.summary(found)
    assert figures["n"] == 5
    assert figures["base_rate"] == 0.6
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["f1"] == pytest.approx(2 / 3)
    # Three positives at 100, 100, 50, two negatives at 100, 50: wins 0.5 + 1 + 0.5 + 1 + 0 + 0.5 of six.
    assert figures["auc"] == pytest.approx(3.5 / 6)
    assert figures["review_rate"] == 0
    stated = [item.confidence or 0 for item in found]
    assert figures["brier"] == pytest.approx(
        math.fsum((c - hit) ** 2 for c, hit in zip(stated, [1, 1, 0, 0, 1], strict=True)) / 5
    )
    assert figures["ece"] == pytest.approx(abs(sum(stated) / 5 - 0.6))
    assert figures["cost_usd"] == pytest.approx(1.25)
    assert figures["intervals"]["precision"] == pytest.approx([0.2077, 0.9385], abs=1e-4)


def test_leads_in_review_are_not_predicted(engine: Engine) -> None:
    found = _results(engine, [_record("clear 0.99", "yes"), _record("clear 0.99 broken", "yes")])
    assert [(item.tier, item.review, item.predicted) for item in found] == [("A", False, True), ("A", True, False)]
    figures = evaluate.summary(found)
    assert (figures["precision"], figures["recall"], figures["review_rate"]) == (1.0, 0.5, 0.5)
    assert found[1].fallback
    assert found[1].errors == ("fake: timed out",)


def test_where_labels_are_tiers_the_tier_must_be_the_same(engine: Engine) -> None:
    found = _results(engine, [_record("clear 0.99", "a"), _record("vague 0.99", "C"), _record("none 0.99", "D")])
    assert [(item.tier, item.right) for item in found] == [("A", True), ("B", False), ("C", False)]
    assert [item.positive for item in found] == [True, False, False]
    counts = evaluate.confusion(found, tiers=["A", "B", "C", "D"])
    assert list(counts) == ["a", "C", "D"]
    assert counts["D"] == {"A": 0, "B": 0, "C": 1, "D": 0, evaluate.ABSENT: 0}


def test_a_lead_that_does_not_conform_is_review_and_never_a_crash(engine: Engine, judge: Listener) -> None:
    found = _results(engine, [{"message": "clear 0.99", "won": "yes"}, _record("clear 0.99", "yes")])
    assert [(item.tier, item.review, item.predicted) for item in found] == [(None, True, False), ("A", False, True)]
    assert found[0].reason_codes == ("NOT_SCORABLE",)
    assert found[0].right is None
    assert len(judge.asked) == 1
    assert evaluate.confusion(found, tiers=["A"])["yes"] == {"A": 1, evaluate.ABSENT: 1}
    assert sum(item["n"] for item in evaluate.reliability(found)) == 1


def test_nothing_predicted_and_nothing_positive() -> None:
    figures = evaluate.summary([])
    assert figures["n"] == 0
    assert {figures[name] for name in ("precision", "recall", "f1", "auc", "ece", "brier", "base_rate")} == {None}
    assert figures["cost_usd"] == 0
    assert set(figures["intervals"].values()) == {None}


def test_an_area_of_one_claims_no_width(engine: Engine) -> None:
    figures = evaluate.summary(_results(engine, [_record("clear 0.99", "yes"), _record("none 0.9", "no")]))
    assert figures["auc"] == 1
    assert figures["intervals"]["auc"] is None


def test_an_answer_is_paid_once_and_an_unknown_price_is_unknown(engine: Engine) -> None:
    twice = [_record("clear 0.9", "yes", company=name) for name in ("A", "B")]
    assert evaluate.cost(_results(engine, twice)) == 0.25
    kept = [_record("clear 0.9 cached", "yes")]
    assert evaluate.cost(_results(engine, kept)) == 0.25
    assert evaluate.cost(_results(engine, [*twice, _record("clear 0.9 priceless", "no")])) is None


def test_segments_come_from_the_lead_or_from_the_file(engine: Engine) -> None:
    records = [
        _record("clear 0.99", "yes", country="Germany", team="North"),
        _record("none 0.99", "no", country="Germany", team="South"),
        _record("clear 0.99", "no", team="South"),
    ]
    by_country = evaluate.per_segment(_results(engine, records, segment="country"))
    assert {name: item["n"] for name, item in by_country.items()} == {"DE": 2, evaluate.ABSENT: 1}
    assert by_country["DE"]["precision"] == 1.0
    assert by_country[evaluate.ABSENT]["recall"] is None
    by_team = evaluate.per_segment(_results(engine, records, segment="team"))
    assert list(by_team) == ["South", "North"]


def test_reason_codes_have_their_own_precision(engine: Engine) -> None:
    found = _results(
        engine, [_record("clear 0.99", "yes"), _record("clear 0.98", "no"), _record("none 0.99", "no")]
    )  # fmt: skip
    by_code = {item["code"]: item for item in evaluate.per_reason(found)}
    assert (by_code["INTENT_CLEAR"]["n"], by_code["INTENT_CLEAR"]["precision"]) == (2, 0.5)
    assert (by_code["SIZE_HIGH"]["n"], by_code["SIZE_HIGH"]["positive"]) == (3, 1)
    assert by_code["SIZE_HIGH"]["interval"] == pytest.approx([0.0615, 0.7923], abs=1e-4)


def test_two_runs_side_by_side(engine: Engine) -> None:
    first = _results(engine, [_record("clear 0.99", "yes"), _record("clear 0.98", "no"), _record("none 0.9", "no")])
    second = [item if n != 1 else item._replace(tier="C", predicted=False) for n, item in enumerate(first)]
    found = evaluate.compare(first, second)
    assert (found["only_first_right"], found["only_second_right"], found["p"]) == (0, 1, 1.0)
    (lead,) = found["differ"]
    assert (lead["label"], lead["first"]["tier"], lead["second"]["tier"]) == ("no", "A", "C")
    assert evaluate.compare(first, first)["differ"] == []


def test_paid_answers_are_kept_at_once_and_off_the_loop() -> None:
    kept: list[tuple[int, list[Assessment]]] = []
    inner, thread = Listener(), loop.LoopThread("test-keeping")
    keeping = evaluate.Keeping(inner, lambda paid: kept.append((threading.get_ident(), list(paid))))
    try:
        for message in ("clear 0.9", "clear 0.9 cached"):
            judged = thread.submit(keeping.judge(RUNNABLE, Lead(message=message))).result(timeout=20)
            assert judged.used == "fake"
        inner.model = offline.MODEL
        thread.submit(keeping.judge(RUNNABLE, Lead(message="none 0.9"))).result(timeout=20)
        thread.submit(keeping.close()).result(timeout=20)
    finally:
        thread.stop()
    assert inner.closed
    ((ident, paid),) = kept
    assert [item.content_hash for item in paid] == [digest("clear 0.9")]
    assert ident != threading.get_ident()


def test_a_figure_of_confidence_is_drawn_again_and_again_the_same() -> None:
    stated, right = [0.6, 0.9] * 50, [True, True, False, True] * 25
    found = evaluate.resampled(measures.brier, stated, right)
    value = measures.brier(stated, right)
    assert found == evaluate.resampled(measures.brier, stated, right)
    assert found is not None
    assert value is not None
    assert found.low < value < found.high
    assert evaluate.resampled(measures.brier, [0.5], [True]) is None
