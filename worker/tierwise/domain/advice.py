"""Decision in, the CRM's Tierwise fields out; and what those fields are.

The fields are declared once, here: connectors create, read and write them from this list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Literal, NamedTuple

from tierwise.domain.decision import Decision
from tierwise.domain.policy import BUILT_IN_REASONS, Policy
from tierwise.domain.rules import sentence

AdviceKind = Literal["number", "text", "long_text", "choice", "multi_choice", "timestamp", "boolean"]
AdviceValue = int | float | str | bool | tuple[str, ...] | None
Advice = Mapping[str, AdviceValue]

TEXT_LIMIT = 4_000  # characters: well under the CRMs' limits for a long text field


class AdviceField(NamedTuple):
    """One field that Tierwise owns in the CRM."""

    name: str
    label: str
    kind: AdviceKind
    description: str
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) of a choice; those of tier, route and reason codes come from the policy."""
    by_rep: bool = False
    """A rep writes it; we only read and clear it."""


_STATUSES = (
    ("scored", "Scored"), ("in_review", "In review"), ("rejected", "Rejected"), ("not_scorable", "Not scorable"),
)  # fmt: skip
_OUTCOMES = (("accept", "Accept"), ("nurture", "Nurture"), ("reject", "Reject"), ("review", "Review"))
_FEEDBACK = (("right", "Right"), ("too_high", "Too high"), ("too_low", "Too low"))
FEEDBACK_VALUES: frozenset[str] = frozenset(value for value, _ in _FEEDBACK)
REQUEST, FEEDBACK = "tierwise_request_review", "tierwise_feedback"
"""Set by a rep: the one asks for a review and is taken back when it was answered, the other is only read."""

FIELDS: tuple[AdviceField, ...] = (
    AdviceField("tierwise_score", "Tierwise score", "number", "0 to 100, from the rubric's weights. Advisory."),
    AdviceField("tierwise_fit", "Tierwise fit", "number", "How well the company fits, 0 to 100."),
    AdviceField("tierwise_intent", "Tierwise intent", "number", "How much the lead wants to buy, 0 to 100."),
    AdviceField("tierwise_tier", "Tierwise tier", "choice", "Tier by the rubric's cut-offs. Advisory."),
    AdviceField(
        "tierwise_confidence", "Tierwise confidence", "number", "Probability that the tier is right, in percent."
    ),
    AdviceField("tierwise_status", "Tierwise status", "choice", "Always set once Tierwise saw the lead.", _STATUSES),
    AdviceField("tierwise_outcome", "Tierwise outcome", "choice", "What Tierwise would do.", _OUTCOMES),
    AdviceField("tierwise_route", "Tierwise route", "text", "Queue or pod the lead is meant for."),
    AdviceField("tierwise_reason_codes", "Tierwise reason codes", "multi_choice", "Why, as codes."),
    AdviceField("tierwise_reasons", "Tierwise reasons", "long_text", "Why, one line a reason, with evidence."),
    AdviceField("tierwise_talking_points", "Tierwise talking points", "long_text", "What to open with."),
    AdviceField("tierwise_policy", "Tierwise policy", "text", "Version and digest of the policy that decided."),
    AdviceField("tierwise_scored_at", "Tierwise scored at", "timestamp", "When it was decided."),
    AdviceField("tierwise_fingerprint", "Tierwise fingerprint", "text", "Hash of what was decided on."),
    AdviceField(
        REQUEST, "Tierwise: review please", "boolean", "Tick to put the lead on top of the queue.",
        by_rep=True,
    ),
    AdviceField(
        FEEDBACK, "Tierwise feedback", "choice", "Was the tier right?", _FEEDBACK, by_rep=True
    ),
)  # fmt: skip
WRITTEN: tuple[str, ...] = tuple(field.name for field in FIELDS if not field.by_rep)

# A change of only these is no reason to write again.
VOLATILE: frozenset[str] = frozenset({"tierwise_scored_at"})


def fields_for(policy: Policy) -> tuple[AdviceField, ...]:
    """The fields with the options that this policy can produce."""
    codes = {reason.code: reason.label for reason in (*BUILT_IN_REASONS, *policy.reasons)}
    options = {
        "tierwise_tier": tuple((tier, tier) for tier in policy.rubric.tiers),
        "tierwise_reason_codes": tuple(codes.items()),
    }
    return tuple(field._replace(options=options.get(field.name, field.options)) for field in FIELDS)


def advise(decision: Decision, policy: Policy) -> dict[str, AdviceValue]:
    """The values of all fields that Tierwise writes; None means that the field is to be empty."""
    percent = None if decision.confidence is None else round(decision.confidence * 100)
    # Whole seconds: Salesforce keeps no more, and what is read back must equal what was written.
    stamp = decision.decided_at.astimezone(UTC).replace(microsecond=0).isoformat(timespec="milliseconds")
    lines = [_line(reason.sentence, reason.quote) for reason in decision.reasons]
    if decision.confidence is not None and not decision.calibrated:
        lines.append("Confidence is uncalibrated: too few labels yet.")
    return {
        "tierwise_score": decision.score,
        "tierwise_fit": decision.fit,
        "tierwise_intent": decision.intent,
        "tierwise_tier": decision.tier,
        "tierwise_confidence": percent,
        "tierwise_status": decision.status,
        "tierwise_outcome": decision.outcome,
        "tierwise_route": decision.route,
        "tierwise_reason_codes": decision.reason_codes or None,
        "tierwise_reasons": _joined(lines),
        "tierwise_talking_points": _joined(talking_points(decision, policy)),
        "tierwise_policy": f"{decision.policy_version} ({decision.policy[:12]})",
        "tierwise_scored_at": stamp.replace("+00:00", "Z"),
        "tierwise_fingerprint": decision.fingerprint,
    }


def not_scorable(fingerprint: str, *, why: str) -> dict[str, AdviceValue]:
    """The advice on a record that does not conform: a status and the reason, nothing claimed."""
    return {
        **dict.fromkeys(WRITTEN),
        "tierwise_status": "not_scorable",
        "tierwise_outcome": "review",
        "tierwise_reason_codes": ("NOT_SCORABLE",),
        "tierwise_reasons": why[:TEXT_LIMIT],
        "tierwise_fingerprint": fingerprint,
    }


def talking_points(decision: Decision, policy: Policy) -> list[str]:
    """Talking points of the reasons given, then the fragments that fit codes and route."""
    facts = {"lead": decision.fields}
    codes = decision.reason_codes
    points = [
        reason.talking_point for code in codes if (reason := policy.reason(code)) is not None and reason.talking_point
    ]
    for fragment in policy.fragments:
        fits_route = not fragment.routes or decision.route in fragment.routes
        if fits_route and (not fragment.reasons or any(map(codes.__contains__, fragment.reasons))):
            points.append(fragment.text)
    return [sentence(point, facts) for point in dict.fromkeys(points)]


def _line(text: str, quote: str | None) -> str:
    return f"{text} “{quote}”" if quote and quote not in text else text


def _joined(lines: Sequence[str]) -> str | None:
    return "\n".join(lines)[:TEXT_LIMIT] or None
