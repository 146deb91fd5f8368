"""One lead's story, for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape

from tierwise.cli import output
from tierwise.domain.advice import WRITTEN
from tierwise.domain.decision import Decision
from tierwise.pipeline import review as reviewing
from tierwise.ports import LeadStory, StoredDecision


def as_dict(story: LeadStory) -> dict[str, Any]:
    """Everything stored on the lead, as plain JSON."""
    return {
        **story._asdict(),
        "lead": story.lead.model_dump(mode="json", exclude_none=True) if story.lead else None,
        "decisions": [
            {**link._asdict(), "decision": link.decision.model_dump(mode="json")} for link in story.decisions
        ],
        "attempts": [attempt._asdict() for attempt in story.attempts],
        "reviews": [item._asdict() for item in story.reviews],
        "kept_since": dict(story.kept_since),
        "labels": [item._asdict() for item in story.labels],
    }


def veiled(story: LeadStory) -> LeadStory:
    """Without what we think of the lead, wherever that stands: for who is to say what they think."""
    own = {name: value for name, value in story.own.items() if name not in WRITTEN}
    return story._replace(
        own=own,
        decisions=[],
        attempts=[attempt._replace(values={}) for attempt in story.attempts],
        reviews=[
            reviewing.masked(item)
            if item.blind
            else item._replace(score=None, tier=None, confidence=None, reason="", answer=None)
            for item in story.reviews
        ],
        labels=[item._replace(value="", previous=None, title="") for item in story.labels],
    )


def show(story: LeadStory) -> None:
    """Tables from the record's fields to what was written."""
    output.out.rule(f"[bold]{escape(story.connection)}:{escape(story.record_id)}")
    output.out.print(
        f"submitted {output.ago(story.submitted_at)}, seen {output.ago(story.first_seen_at)}, "
        f"decided {output.ago(story.decided_at)}, read back {output.ago(story.delivered_at)}",
        markup=False,
    )
    if story.rejected:
        output.out.print(f"does not conform: {story.rejected}", markup=False)
    if story.work and (waits := _queue(story.work[-1])):
        output.out.print(waits, markup=False)
    _fields(story)
    for problem in story.problems:
        output.out.print(f"  mapping: {problem}", markup=False)
    for link in story.decisions:
        _decision(link)
    if story.attempts:
        output.table(
            "Written to the CRM",
            ["at", "version", "outcome", "fields", "error"],
            [
                [f"{a.at:%Y-%m-%d %H:%M:%S}", a.version, a.outcome or "unknown", _values(a.values), a.error]
                for a in story.attempts
            ],
        )
    if story.kept:
        kept = [
            f"{name} (since {since:%Y-%m-%d %H:%M})" if (since := story.kept_since.get(name)) else name
            for name in story.kept
        ]
        output.out.print(f"a person's value is kept in: {', '.join(kept)}", markup=False)
    if story.labels:
        output.table(
            "Said later",
            ["at", "source", "about", "what", "before", "amount", "decision"],
            [
                [f"{item.said_at:%Y-%m-%d %H:%M}", item.source, item.subject, item.title or item.value, item.previous,
                 item.amount, item.decision_id]
                for item in story.labels
            ],
        )  # fmt: skip
    if story.reviews:
        output.table(
            "Review",
            ["id", "kind", "state", "why", "answer"],
            [[item.id, item.kind, item.state, item.reason, item.answer] for item in story.reviews],
        )


def _queue(row: Mapping[str, Any]) -> str:
    """What its last row of the queue waits for; nothing where it was decided."""
    times = "once" if row["attempt"] == 1 else f"{row['attempt']} times"
    tried = f"tried {times}, {row['error'] or 'no error kept'}" if row["attempt"] else ""
    if row["state"] == "leased":
        until = row["lease_until"]
        late = until is not None and until < datetime.now(UTC)
        return "its worker is gone; the next one to look for work takes it over" if late else "being decided now"
    if row["state"] == "quarantined":
        return f"given up: {tried}"
    if row["state"] != "ready":
        return ""
    if row["batch_since"] is not None:
        where = "to get into a batch" if row["batch"] is None else f"for batch {row['batch']} (tierwise batches list)"
        return f"waits {where} since {output.ago(row['batch_since'])}; live at {row['run_after']:%Y-%m-%d %H:%M} UTC"
    return f"waits to be decided{f' again: {tried}' if tried else ''}; due {row['run_after']:%Y-%m-%d %H:%M:%S} UTC"


def _values(values: Any) -> str:
    return ", ".join(f"{name.removeprefix('tierwise_')}={_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    text = ";".join(value) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _fields(story: LeadStory) -> None:
    if story.lead is None:
        return
    rows = []
    for name, value in story.lead.model_dump(mode="json", exclude_none=True).items():
        origin = story.provenance.get(name) or {}
        rows.append([name, value, origin.get("from"), origin.get("raw"), origin.get("transform"), origin.get("note")])
    output.table("Fields", ["field", "value", "from", "as it stood", "transform", "note"], rows)


def _decision(link: StoredDecision) -> None:
    made = link.decision
    confidence = "–" if made.confidence is None else f"{made.confidence:.0%}"
    word = "" if made.confidence is None else " (uncalibrated)"
    if made.calibrated:
        raw = "" if made.confidence_raw is None else f", {made.confidence_raw:.0%} before"
        word = f" (calibration {(made.calibration or '')[:12]}{raw})"
    output.out.print()
    output.out.print(
        f"[bold]Decision {link.sequence}[/] {made.decided_at:%Y-%m-%d %H:%M:%S}  policy {escape(made.policy_version)} "
        f"({made.policy[:12]})  link {link.hash[:12]}  trace {made.trace_id or '–'}"
    )
    output.out.print(
        f"status {made.status}, outcome {made.outcome}, route {made.route or '–'}, score {_or_dash(made.score)} "
        f"(fit {_or_dash(made.fit)}, intent {_or_dash(made.intent)}), tier {made.tier or '–'}, "
        f"confidence {confidence}{word}",
        markup=False,
    )
    _criteria(made)
    output.table(
        "Rules",
        ["stage", "rule", "verdict", "outcome", "why or what is missing"],
        [[hit.stage, hit.rule, hit.truth, hit.outcome, hit.why or ", ".join(hit.missing)] for hit in made.hits],
    )
    if made.assessments:
        output.table(
            "Cascade",
            ["model", "used", "calls", "tokens in", "tokens out", "ms", "cost (USD)", "trouble on the way"],
            [
                [a.model, "yes" if a.model == made.used else "",
                 "from cache" if a.cached else "2" if a.repaired else "1",
                 a.tokens_in, a.tokens_out, a.latency_ms, "unknown" if a.cost_usd is None else f"{a.cost_usd:.6f}",
                 ", ".join(a.troubles)]
                for a in made.assessments
            ],
        )  # fmt: skip
    for error in made.errors:
        output.out.print(f"  error: {error}", markup=False)
    output.table("Reasons", ["code", "sentence", "from"], [[r.code, r.sentence, r.source] for r in made.reasons])


def _criteria(made: Decision) -> None:
    if made.scorecard is None:
        return
    output.table(
        "Criteria",
        ["criterion", "verdict", "probability", "points", "of", "by", "field", "quote", "flags"],
        [
            [
                item.criterion, item.level, f"{item.verdict.probability:.0%}", f"{item.points:g}", item.weight,
                item.verdict.decided_by, item.verdict.field, item.verdict.quote, ", ".join(item.verdict.flags),
            ]
            for item in made.scorecard.contributions
        ],
    )  # fmt: skip


def _or_dash(value: int | None) -> str:
    return "–" if value is None else str(value)
