"""Stored decisions under another policy: what would be different, without asking a model or writing anything.

A lead is decided again from the signals it was decided on then, and from what models said of it. Where the new policy
asks what nobody answered yet, the lead is counted as one that would need a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from tierwise.domain import finding, recall, rules
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.errors import TierwiseError
from tierwise.ports import PastDecision

SEGMENTS = ("region", "source")
NONE = "(none)"
MANY = 200
"""Flips that a report lists; all are counted."""
Judge = Callable[[Runnable, Lead], Judged | None]
"""What models said of a lead; None where one would have to be asked."""


class Side(NamedTuple):
    """What one policy makes of a lead."""

    outcome: str
    tier: str | None
    score: int | None
    route: str | None
    review: bool
    codes: tuple[str, ...]


class Replayed(NamedTuple):
    """One lead under both."""

    connection: str
    record_id: str
    segments: tuple[str, ...]
    """Values of SEGMENTS."""
    before: Side
    after: Side | None
    """None where it would need a model, and where it fails."""
    error: str
    """Why the new policy cannot decide it; empty where it can."""
    asked: bool
    """Models were asked then."""
    cost_usd: float | None
    """What that cost; None where a price is unknown."""
    decision_id: int

    @property
    def needs_model(self) -> bool:
        """The new policy asks what nobody answered yet."""
        return self.after is None and not self.error

    @property
    def flips(self) -> bool:
        """Another tier or outcome."""
        return self.after is not None and (self.before.tier, self.before.outcome) != (
            self.after.tier,
            self.after.outcome,
        )


class Tools(NamedTuple):
    """What a replay works with."""

    before: Runnable
    after: Runnable
    asks: Callable[[str], str]
    """Digest of what the policy of a digest asks models."""
    judge: Judge


def replay(pasts: Iterable[PastDecision], tools: Tools) -> Iterator[Replayed | None]:
    """Each stored decision under both policies; None where its signals were erased or are of another version."""
    for past in pasts:
        lead = lead_of(past)
        yield _replayed(past, lead, tools) if lead is not None else None


def lead_of(past: PastDecision) -> Lead | None:
    """The lead as it was then; None where it was erased or is of another version."""
    try:
        return Lead.model_validate(past.fields) if past.fields is not None else None
    except ValidationError:
        return None


class _Case:
    """One stored decision with its lead, read once for both policies."""

    def __init__(self, past: PastDecision, lead: Lead, tools: Tools) -> None:
        self.past = past
        self.lead = lead
        self.signals = lead.signals()
        self._tools = tools
        self._recalled: dict[tuple[str, bool], Judged | None] = {}

    def recalled(self, runnable: Runnable) -> Judged | None:
        """What models said then, where the policy asks the same; None where it does not, and where none was asked."""
        asks = self._tools.asks(runnable.digest)
        weigh = runnable.calibration is not None
        if self._tools.asks(self.past.policy) != asks:
            return None
        if (asks, weigh) not in self._recalled:
            found = recall.judged_of_body(self.past.body, runnable.policy.rubric, weigh=weigh)
            self._recalled[asks, weigh] = found
        kept = self._recalled[asks, weigh]
        return recall.disputed_anew(runnable, self.lead, kept) if kept is not None else None


def _replayed(past: PastDecision, lead: Lead, tools: Tools) -> Replayed:
    case = _Case(past, lead, tools)
    before = stored = _stored(past.body)
    if past.policy != tools.before.digest:
        made = _under(tools.before, case, tools=tools)
        before = made if isinstance(made, Side) else stored
    after = _under(tools.after, case, tools=tools)
    assessments = past.body["assessments"]
    paid = [item["cost_usd"] for item in assessments if not item["cached"]]
    return Replayed(
        connection=past.connection,
        record_id=past.record_id,
        segments=tuple(str(past.fields.get(name) or NONE) if past.fields else NONE for name in SEGMENTS),
        before=before,
        after=after if isinstance(after, Side) else None,
        error=after if isinstance(after, str) else "",
        asked=bool(assessments),
        cost_usd=None if None in paid else sum(paid),
        decision_id=past.id,
    )


def _under(runnable: Runnable, case: _Case, *, tools: Tools) -> Side | str | None:
    """The outcome, None where a model would have to be asked, or what went wrong."""
    try:
        gates = finding.evaluated(runnable, "gate", {"lead": case.signals}, told=False)
        judged: Judged | None = None
        if rules.first(gates) is None:
            judged = case.recalled(runnable)
            if judged is None:
                judged = tools.judge(runnable, case.lead)
            if judged is None:
                return None
        made = finding.find(runnable, case.lead, case.signals, gates=gates, judged=judged, told=False)
    except TierwiseError as error:
        return str(error)
    card = made.weighed
    return Side(
        made.outcome, card.tier if card else None, card.score if card else None, made.route, made.review is not None,
        made.codes,
    )  # fmt: skip


def _stored(body: Mapping[str, Any]) -> Side:
    codes = tuple(dict.fromkeys(reason["code"] for reason in body["reasons"]))
    return Side(body["outcome"], body["tier"], body["score"], body["route"], body["review"] is not None, codes)


# -- what it comes to ---------------------------------------------------------------------------------------------


class Limits(NamedTuple):
    """The most that may change without somebody's leave, as shares of the leads."""

    flips: float
    review: float
    asked: float


def report(
    found: Sequence[Replayed | None], *, before: Mapping[str, str], after: Mapping[str, str], limits: Limits
) -> dict[str, Any]:
    """Everything that a person decides on, as JSON. `before` and `after` name the policies."""
    seen = [item for item in found if item is not None]
    decided = [item for item in seen if item.after is not None]
    flips = [item for item in decided if item.flips]
    failed = [item for item in seen if item.error]
    asked = [item for item in seen if item.needs_model]
    made = {
        "before": dict(before),
        "after": dict(after),
        "leads": len(found),
        "replayed": len(decided),
        "unreadable": len(found) - len(seen),
        "would_need_model": len(asked),
        "failed": len(failed),
        "flips": len(flips),
        "outcomes": _matrix((item.before.outcome, _after(item).outcome) for item in decided),
        "tiers": _matrix((item.before.tier or NONE, _after(item).tier or NONE) for item in decided),
        "segments": [line for place, name in enumerate(SEGMENTS) for line in _segments(name, place, decided)],
        "review": {
            "before": sum(item.before.review for item in decided),
            "after": sum(_after(item).review for item in decided),
        },
        "cost": _cost(seen, len(asked)),
        "reasons": _reasons(flips),
        "flipped": [_flip(item) for item in flips[:MANY]],
        "needing_model": [f"{item.connection}:{item.record_id}" for item in asked[:MANY]],
        "failures": [{"lead": f"{item.connection}:{item.record_id}", "error": item.error} for item in failed[:MANY]],
    }
    return {**made, "beyond": _beyond(made, limits)}


def _after(item: Replayed) -> Side:
    assert item.after is not None
    return item.after


def _matrix(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """From what (rows) to what (columns), how often."""
    counted = Counter(pairs)
    rows = sorted({row for row, _ in counted})
    return {row: {to: count for (start, to), count in sorted(counted.items()) if start == row} for row in rows}


def _segments(name: str, place: int, decided: Sequence[Replayed]) -> Iterator[dict[str, Any]]:
    """Per value: how many leads, how many flip, and how the mean score moves."""
    groups: dict[str, list[Replayed]] = {}
    for item in decided:
        groups.setdefault(item.segments[place], []).append(item)
    for value, items in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        moved = [
            _after(item).score - item.before.score  # type: ignore[operator]  # both are asked for
            for item in items
            if item.before.score is not None and _after(item).score is not None
        ]
        yield {
            "segment": name,
            "value": value,
            "leads": len(items),
            "flips": sum(item.flips for item in items),
            "score_shift": round(sum(moved) / len(moved), 2) if moved else 0.0,
            "accepted_before": sum(item.before.outcome == "accept" for item in items),
            "accepted_after": sum(_after(item).outcome == "accept" for item in items),
        }


def _cost(seen: Sequence[Replayed], asked: int) -> dict[str, Any]:
    """What the leads that would need a model would cost, at what a lead cost until now."""
    paid = [item.cost_usd for item in seen if item.asked]
    known = [cost for cost in paid if cost is not None]
    mean = sum(known) / len(known) if known and len(known) == len(paid) else None
    estimate = 0.0 if not asked else mean * asked if mean is not None else None
    return {"per_lead_usd": mean, "would_need_model": asked, "estimate_usd": estimate}


def _reasons(flips: Sequence[Replayed]) -> list[dict[str, Any]]:
    """Codes that came or went with a flip, the most frequent first."""
    come: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for item in flips:
        come.update(set(_after(item).codes) - set(item.before.codes))
        gone.update(set(item.before.codes) - set(_after(item).codes))
    codes = sorted({*come, *gone}, key=lambda code: (-(come[code] + gone[code]), code))
    return [{"code": code, "new": come[code], "gone": gone[code]} for code in codes]


def _flip(item: Replayed) -> dict[str, Any]:
    after = _after(item)
    return {
        "lead": f"{item.connection}:{item.record_id}",
        "before": {"tier": item.before.tier, "outcome": item.before.outcome, "score": item.before.score},
        "after": {"tier": after.tier, "outcome": after.outcome, "score": after.score},
        "new_reasons": [code for code in after.codes if code not in item.before.codes],
        "gone_reasons": [code for code in item.before.codes if code not in after.codes],
    }


def _beyond(made: Mapping[str, Any], limits: Limits) -> list[str]:
    """Sentences about limits that are exceeded."""
    decided, leads = made["replayed"] or 1, made["leads"] or 1
    asked = (
        (made["flips"] / decided, limits.flips, "of leads get another tier or outcome"),
        (made["review"]["after"] / decided, limits.review, "of leads would go to people"),
        (made["would_need_model"] / leads, limits.asked, "of leads would need a model"),
    )
    return [f"{share:.1%} {words}, the limit is {most:.1%}" for share, most, words in asked if share > most]
