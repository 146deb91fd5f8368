"""Reason codes with the sentence and the evidence they stand on: of levels reached, rules that hit, and our own.

Words only: nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierwise.domain import rules
from tierwise.domain.policy import BUILT_IN_REASONS, Policy
from tierwise.domain.rubric import Frozen, Scorecard


class ReasonGiven(Frozen):
    """One reason code with the sentence and evidence it stands on."""

    code: str
    sentence: str
    source: str
    """`criterion:<id>`, `rule:<id>` or `tierwise`."""
    quote: str | None = None
    field: str | None = None


def from_contributions(policy: Policy, card: Scorecard, facts: rules.Facts) -> list[ReasonGiven]:
    """Reasons of the levels reached, the weightiest first."""
    given = []
    reported = {criterion.id for criterion in policy.rubric.criteria if criterion.self_reported}
    for item in sorted(card.contributions, key=lambda item: (-item.points, item.criterion)):
        free = card.doubted and item.criterion in reported
        if item.reason is None or (free and card.knockout != f"{item.criterion}/{item.level}"):
            # Doubted words gave no reason for anything, but for a knockout.
            continue
        given.append(
            _reason(
                policy,
                item.reason,
                facts=facts,
                source=f"criterion:{item.criterion}",
                quote=item.verdict.quote,
                field=item.verdict.field,
            )
        )
    return given


def from_hit(policy: Policy, hit: rules.Hit, facts: rules.Facts) -> ReasonGiven:
    """The reason of a rule, in the rule's own words where it has some."""
    reason = _reason(policy, hit.reason, facts=facts, source=f"rule:{hit.rule}")
    return reason.model_copy(update={"sentence": hit.why}) if hit.why else reason


def built_in(policy: Policy, code: str, facts: rules.Facts) -> ReasonGiven:
    """A reason that Tierwise gives by itself; the policy's catalogue may word it."""
    return _reason(policy, code, facts=facts, source="tierwise")


def _reason(
    policy: Policy,
    code: str,
    *,
    facts: rules.Facts,
    source: str,
    quote: str | None = None,
    field: str | None = None,
) -> ReasonGiven:
    entry = policy.reason(code) or next((item for item in BUILT_IN_REASONS if item.code == code), None)
    text = rules.sentence(entry.template, facts) if entry else code
    return ReasonGiven(
        code=code, sentence=text.replace("{quote}", quote or ""), source=source, quote=quote, field=field
    )


def unique(reasons: Sequence[ReasonGiven]) -> tuple[ReasonGiven, ...]:
    """Each code of a source once, in order."""
    return tuple({(reason.code, reason.source): reason for reason in reasons}.values())
