"""What confidence is worth and what the cascade saves, through litellm's HTTP path: models whose errors are known.

Truth is what a model that never errs makes of the same leads, under the same policy. 200 labelled leads of one stream
are learnt from; every figure is of other streams, whose leads and whose models' errors were drawn by other seeds. The
strong model, asked about every lead, is calibrated with the same 200 labels. The arithmetic is in `confidence_figures`.
"""

from __future__ import annotations

import json
import os
import random
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confidence_figures as figures

from tierwise import policies, wiring
from tierwise.cli import stack
from tierwise.domain import decision as decisions
from tierwise.domain import fitting, recall
from tierwise.domain.calibration import Calibration
from tierwise.domain.curves import Curve
from tierwise.domain.cutoffs import Chosen
from tierwise.domain.decision import Decision
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Rubric
from tierwise.pipeline import calibrate, evaluate, preview
from tierwise.pipeline import map as mapped
from tierwise.pipeline.preview import Previewed, Row
from tierwise.sdk import Record
from tierwise.settings import Settings
from tierwise_sandbox.leads import generator

ROOT = Path(__file__).parents[2]
PRIMARY, SECONDARY, ORACLE = "openai/gpt-6-luna", "anthropic/claude-sonnet-5-5", "openai/gpt-6-sol"
PAIRS = ((0.88, 0.96), (0.80, 0.92), (0.94, 0.98))
LABELS = 200
SHARE = 0.14  # two standard errors of 200 labels more are a fifth of the leads: what three quarters saved allow
LEARNT, HELD_BACK = 7, (11, 12, 13)  # seeds of the streams
NOW_MS = 1_795_000_000_000


def measure(scale: float) -> dict[str, Any]:
    """One row of figures for every pair of accuracies, and what their names mean."""
    pairs = PAIRS if scale >= 1 else PAIRS[:1]
    with stack.sandbox("--hubspot-port", "0", "--model-port", "0", "--leads", "0") as box:
        base = {"OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-bench",
                "ANTHROPIC_API_BASE": box.model_url, "ANTHROPIC_API_KEY": "sk-bench"}  # fmt: skip
        before = {name: os.environ.get(name) for name in base}
        os.environ.update(base)
        try:
            seen = _stream(LEARNT, max(400, int(600 * scale)))
            unseen = [row for seed in HELD_BACK for row in _stream(seed, max(250, int(1200 * scale)))]
            behave(box.hubspot_url, (1.0, 1.0), seed=LEARNT)
            truths = [{item.id: item for item in _run(rows, ORACLE)} for rows in (seen, unseen)]
            found = [_pair(box.hubspot_url, pair, (seen, unseen), truths=truths) for pair in pairs]
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    return {"meaning": figures.MEANING, "margin": figures.MARGIN, "pairs": found}


def _pair(
    door: str,
    accuracy: tuple[float, float],
    streams: tuple[list[Row], list[Row]],
    *,
    truths: Sequence[Mapping[str, Previewed]],
) -> dict[str, Any]:
    seen, unseen = streams
    behave(door, accuracy, seed=LEARNT)
    asked = [row for row in seen if (made := truths[0][row.id].decision) and made.assessments]
    some = random.Random(LEARNT).sample(asked, min(LABELS, len(asked)))
    policy = policies.compile(policies.read(ROOT)).policy
    targets = policy.rubric.targets
    learnt: dict[str, Calibration] = {}
    chains = (((PRIMARY, SECONDARY), SHARE), ((SECONDARY,), None))
    for models, share in chains:
        labelled = [
            one for item in _run(some, *models) if (one := _labelled(item, truths[0], policy.rubric)) is not None
        ]
        wanted = fitting.Wanted(targets.precision, targets.recall, escalate_share=share)
        learnt[models[0]] = fitting.fit(policy, models, labelled, source="bench", wanted=wanted)
    behave(door, accuracy, seed=HELD_BACK[0])
    runs = {
        f"cascade_{disputes}": list(_run(unseen, PRIMARY, SECONDARY, made=_with(learnt[PRIMARY], disputes=disputes)))
        for disputes in ("said", "weighed")
    }
    plain = list(_run(unseen, SECONDARY))
    again = _Again(unseen)
    runs |= {"always_strong": again.all(plain, learnt[SECONDARY]), "always_strong_uncalibrated": plain}
    sure = _with(learnt[SECONDARY], models=(ORACLE,), curve=Curve(method="platt", intercept=30, slope=0))
    perfect = again.all(list(truths[1].values()), sure)
    return {
        "accuracy": accuracy,
        "labels": len(some),
        "escalate_below": _value(learnt[PRIMARY].escalate),
        "review_below": _value(learnt[PRIMARY].review),
        "review_rate_if_always_right_and_sure": figures.review_rate(perfect),
        "review_causes_if_always_right_and_sure": figures.review_causes(perfect),
        **figures.of(runs, {name: item.decision for name, item in truths[1].items()}, perfect=perfect),
        "frontier": [
            figures.point(cut, again.all(runs["cascade_weighed"], _review_below(learnt[PRIMARY], cut)), truths[1])
            for cut in (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
        ],
    }


class _Again:
    """Decides leads anew under another calibration, from what the models answered."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._leads: dict[str, Lead] = {}
        field_map, known = policies.read_map(ROOT / "rules/maps/hubspot.yaml"), set[str]()
        for row in rows:
            item = mapped.arrival(Record(row.id, wiring.clock(), row.properties, {}), field_map)
            if item.lead is not None:
                duplicate = item.identity in known
                known |= {item.identity} if item.identity else set()
                self._leads[row.id] = item.lead.model_copy(update={"is_duplicate": duplicate})
        self._runnable = policies.compile(policies.read(ROOT))

    def all(self, made: Sequence[Previewed], calibration: Calibration) -> list[Previewed]:
        runnable = self._runnable._replace(calibration=calibration)
        return [
            item._replace(decision=self._one(runnable, item.id, item.decision)) if item.decision else item
            for item in made
        ]

    def _one(self, runnable: Runnable, name: str, earlier: Decision) -> Decision:
        lead = self._leads[name]
        judged = recall.judged(runnable, earlier, lead)
        if judged is None:
            return earlier
        gates = decisions.gate(runnable, lead)
        return decisions.decide(
            runnable, lead, connection="bench", record_id=name, gates=gates, judged=judged, now=wiring.clock()
        ).model_copy(update={"cost_usd": earlier.cost_usd})


def _with(made: Calibration, **changes: Any) -> Calibration:
    return Calibration.model_validate({**made.model_dump(), **changes})


def _review_below(made: Calibration, cut: float) -> Calibration:
    return _with(made, disputes="weighed", review=Chosen(value=cut, target="frontier", risk=0, n=0))


def _value(chosen: Chosen | None) -> float | None:
    return chosen.value if chosen else None


def _labelled(item: Previewed, truth: Mapping[str, Previewed], rubric: Rubric) -> fitting.Labelled | None:
    right = truth[item.id].decision
    if item.decision is None or right is None or right.tier is None:
        return None
    one = calibrate.labelled(item.decision, rubric, tier=right.tier)
    return one._replace(id=item.id) if one is not None else None


@contextmanager
def _engine(
    primary: str, secondary: str | None = None, made: Calibration | None = None
) -> Iterator[tuple[evaluate.Engine, wiring.Wiring]]:
    settings = Settings()
    chosen = settings.model.model_copy(update={"primary": primary, "secondary": secondary})
    parts = wiring.Wiring(settings.model_copy(update={"model": chosen}), uncached=True)
    try:
        bundle = policies.read(ROOT)
        judge, loop = parts.judge()
        runnable = policies.compile(bundle)._replace(calibration=made)
        field_map = policies.read_map(ROOT / "rules/maps/hubspot.yaml")
        yield evaluate.Engine(runnable, field_map, judge, loop.submit, wiring.clock), parts
    finally:
        parts.close()


def _run(
    rows: Sequence[Row], primary: str, secondary: str | None = None, *, made: Calibration | None = None
) -> Iterator[Previewed]:
    with _engine(primary, secondary, made) as (engine, parts):
        assert made is None or parts.chain(engine.runnable.policy) == made.models
        yield from evaluate.run(engine, rows)


def _stream(seed: int, leads: int) -> list[Row]:
    """All that a portal sends, junk and leads without a word as well."""
    made = generator.generate(leads, seed=seed, now_ms=NOW_MS)
    return preview.rows([{"id": f"{seed}-{place}", **lead.properties} for place, lead in enumerate(made)])


def behave(door: str, accuracy: tuple[float, float], *, seed: int, errors: float = 0.02) -> None:
    """Tell the sandbox how often its models are right, and how many answers are errors and how many malformed."""
    common = {"stated": [0.8, 0.99], "auroc": 0.75, "errors": errors, "malformed": errors, "seed": seed}
    models = {
        PRIMARY.split("/")[1]: {**common, "accuracy": accuracy[0]},
        SECONDARY.split("/")[1]: {**common, "accuracy": accuracy[1]},
        ORACLE.split("/")[1]: {"accuracy": 1.0, "stated": [0.99, 0.99]},
    }
    body = json.dumps({"models": models}).encode()
    request = urllib.request.Request(f"{door}/_sandbox/faults", body, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
