"""What confidence is worth and what the cascade saves, through litellm's HTTP path: models whose errors are known.

Truth is what a model that never errs makes of the same leads. 200 labelled leads are learnt from; all figures are of
the others. Non-inferior: precision and recall at most three points below those of the strong model on every lead.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tierwise import policies, wiring
from tierwise.cli import stack
from tierwise.domain import fitting, measures, rules
from tierwise.domain.calibration import Calibration
from tierwise.domain.decision import gate
from tierwise.domain.mapping import apply
from tierwise.errors import RejectRecord
from tierwise.pipeline import calibrate, evaluate, preview
from tierwise.pipeline.preview import Previewed, Row
from tierwise.settings import Settings
from tierwise_sandbox.leads import generator

ROOT = Path(__file__).parents[2]
PRIMARY, SECONDARY, ORACLE = "openai/gpt-6-luna", "anthropic/claude-sonnet-5-5", "openai/gpt-6-sol"
PAIRS = ((0.88, 0.96), (0.80, 0.92), (0.94, 0.98))
LABELS, MARGIN = 200, 0.03
SHARE = 0.15  # 200 leads tell a share to within three points; a fifth of the leads is what three quarters saved allow
NOW_MS = 1_795_000_000_000


def measure(scale: float) -> list[dict[str, Any]]:
    """One row of figures for every pair of accuracies."""
    pairs = PAIRS if scale >= 1 else PAIRS[:1]
    with stack.sandbox("--hubspot-port", "0", "--model-port", "0", "--leads", "0") as box:
        base = {"OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-bench",
                "ANTHROPIC_API_BASE": box.model_url, "ANTHROPIC_API_KEY": "sk-bench"}  # fmt: skip
        before = {name: os.environ.get(name) for name in base}
        os.environ.update(base)
        try:
            return [_pair(box.hubspot_url, pair, leads=max(500, int(2500 * scale))) for pair in pairs]
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _pair(door: str, accuracy: tuple[float, float], *, leads: int) -> dict[str, Any]:
    common = {"stated": [0.8, 0.99], "auroc": 0.75, "errors": 0.02, "malformed": 0.02}
    models = {
        PRIMARY.split("/")[1]: {**common, "accuracy": accuracy[0]},
        SECONDARY.split("/")[1]: {**common, "accuracy": accuracy[1]},
        ORACLE.split("/")[1]: {"accuracy": 1.0, "stated": [0.99, 0.99]},
    }
    _post(f"{door}/_sandbox/faults", {"models": models})
    rows = _rows(leads)
    truth = {item.id: item.decision.tier for item in _run(rows, ORACLE) if item.decision and item.decision.tier}
    rows = [row for row in rows if row.id in truth]
    seen, unseen = rows[:LABELS], rows[LABELS:]
    first = list(_run(seen, PRIMARY, SECONDARY))
    labelled = [
        one._replace(id=item.id)
        for item in first
        if item.decision is not None and (one := calibrate.labelled(item.decision, tier=truth[item.id])) is not None
    ]
    with _engine(PRIMARY, SECONDARY) as (engine, _):
        policy = engine.runnable.policy
    targets = policy.rubric.targets
    wanted = fitting.Wanted(targets.precision, targets.recall, escalate_share=SHARE)
    made = fitting.fit(policy, (PRIMARY, SECONDARY), labelled, source="bench", wanted=wanted)
    cascade, strong = list(_run(unseen, PRIMARY, SECONDARY, made=made)), list(_run(unseen, SECONDARY))
    return {"accuracy": accuracy, "leads": len(unseen), **_figures(cascade, strong, truth, made)}


def _figures(
    cascade: Sequence[Previewed], strong: Sequence[Previewed], truth: dict[str, str], made: Calibration
) -> dict[str, Any]:
    stated, right, own = [], [], []
    for item in cascade:
        if item.decision is None or item.decision.confidence is None:
            continue
        stated.append(item.decision.confidence)
        right.append(item.decision.tier == truth[item.id])
        one = calibrate.labelled(item.decision, tier=truth[item.id])
        own.append((one.stated if one else None, right[-1]))
    said = [(value, hit) for value, hit in own if value is not None]
    costs = [sum(item.decision.cost_usd or 0 for item in run if item.decision) for run in (cascade, strong)]
    ours, theirs = _rates(cascade, truth), _rates(strong, truth)
    return {
        "saved": 1 - costs[0] / costs[1],
        "cost_usd": costs,
        "cascade": ours,
        "always_strong": theirs,
        "non_inferior": all(ours[name] >= theirs[name] - MARGIN for name in ("precision", "recall")),
        "escalated": sum(len(item.decision.assessments) > 1 for item in cascade if item.decision) / len(cascade),
        "ece": measures.ece(measures.reliability(stated, right)),
        "brier": measures.brier(stated, right),
        "auroc": measures.auc(stated, right),
        "auroc_own_word": measures.auc([value for value, _ in said], [hit for _, hit in said]),
        "before": made.before.model_dump(exclude={"bins"}),
        "review_below": made.review.model_dump() if made.review else None,
    }


def _rates(run: Sequence[Previewed], truth: dict[str, str]) -> dict[str, float]:
    """`tier_*`: of the tiers alone; without it leads in review count as not predicted."""
    found = [(item.decision, truth[item.id] == "A") for item in run if item.decision is not None]
    positives = sum(positive for _, positive in found)
    result = {"review_rate": sum(made.outcome == "review" for made, _ in found) / len(found)}
    for prefix, kept in (("", [made.outcome != "review" for made, _ in found]), ("tier_", [True] * len(found))):
        hits = [positive for (made, positive), some in zip(found, kept, strict=True) if made.tier == "A" and some]
        result |= {f"{prefix}precision": sum(hits) / len(hits), f"{prefix}recall": sum(hits) / positives}
    return result


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


def _rows(leads: int) -> list[Row]:
    """Leads that models decide on: no gate stops them, and they say something."""
    runnable = policies.compile(policies.read(ROOT))
    field_map = policies.read_map(ROOT / "rules/maps/hubspot.yaml")
    found = []
    for number, made in enumerate(generator.generate(leads, seed=7, now_ms=NOW_MS)):
        try:
            lead = apply(field_map, made.properties).lead
        except RejectRecord:
            continue
        if rules.first(gate(runnable, lead)) is None and lead.message:
            found.append({"id": str(number), **made.properties})
    return preview.rows(found)


def _post(url: str, body: Any) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
