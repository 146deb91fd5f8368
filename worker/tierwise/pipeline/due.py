"""Which rules are due for a look by their owners: old ones, silent ones, and those that people keep overruling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise.domain.policy import Policy
from tierwise.domain.rules import Rule
from tierwise.ports import PastDecision, ReviewItem


class Due(NamedTuple):
    """One rule of the policy that runs."""

    rule: str
    owner: str
    since: datetime
    """It runs like this since then."""
    hits: int
    """Matches among the decisions looked at."""
    answered: int
    """Of those, how many people answered."""
    overruled: int
    """Of those, how often they said otherwise."""
    due: bool

    @property
    def override_rate(self) -> float | None:
        """None where nobody answered."""
        return self.overruled / self.answered if self.answered else None


def review(
    policy: Policy,
    *,
    ran: Sequence[tuple[datetime, Policy]],
    pasts: Iterable[PastDecision],
    answers: Iterable[ReviewItem],
    every: timedelta,
    now: datetime,
) -> list[Due]:
    """The rules of `policy`, the longest unchanged first. `ran` are activations, the newest first."""
    matched = {past.id: {hit["rule"] for hit in past.body["hits"] if hit["truth"] == "match"} for past in pasts}
    hits = Counter(rule for found in matched.values() for rule in found)
    answered: Counter[str] = Counter()
    overruled: Counter[str] = Counter()
    for item in answers:
        rules = matched.get(item.decision_id or 0, set())
        answered.update(rules)
        if item.answer is not None and item.answer.get("agree") is False:
            overruled.update(rules)
    found = []
    for rule in policy.every_rule:
        since = _since(rule, ran, now)
        # Looked at is what was changed or answered for; a rule that nobody touched in a month asks for its owner.
        due = now - since >= every
        found.append(Due(rule.id, rule.owner, since, hits[rule.id], answered[rule.id], overruled[rule.id], due))
    return sorted(found, key=lambda item: (item.since, item.rule))


def _since(rule: Rule, ran: Sequence[tuple[datetime, Policy]], now: datetime) -> datetime:
    """When it began to run as it is, without a break."""
    since = now
    for moment, policy in ran:
        if not any(other.id == rule.id and _same(other, rule) for other in policy.every_rule):
            break
        since = moment
    return since


def _same(one: Rule, other: Rule) -> bool:
    return _told(one) == _told(other)


def _told(rule: Rule) -> Mapping[str, object]:
    return rule.model_dump(exclude={"tests", "why", "owner"})
