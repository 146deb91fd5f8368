"""What a model should have answered about a lead, as chat messages to fine-tune one with.

The messages are those of production, personal data disguised in the same way; an answer that production would not take
word for word (a quote that is not in its field, a level without proof) is no lesson.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import NamedTuple

from tierwise.domain.lead import Lead
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import UNKNOWN, Criterion
from tierwise.llm import answer, injection, prompt


class Wanted(NamedTuple):
    """The right answer to one criterion."""

    level: str
    probability: float
    field: str | None = None
    words: str | None = None
    """The lead's own, that prove it."""


class Lessons:
    """Lessons of one policy's questions."""

    def __init__(self, policy: Policy) -> None:
        self._plan = prompt.plan(policy)
        self._terms = injection.terms(policy)

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Those that a model is asked."""
        return self._plan.criteria

    def messages(self, lead: Lead, wanted: Mapping[str, Wanted], *, raw: bool = False) -> list[prompt.Message] | None:
        """System, user and assistant; None where production would not take the answer. `wanted`: one a criterion.

        `raw`: the lead's fields as they are, with whatever personal data they hold.
        """
        disguise = prompt.disguised(lead, self.criteria)
        written = disguise.originals if raw else disguise.fields
        fields = {name: kept for name, value in written.items() if (kept := injection.without(value, self._terms))}
        said = {}
        for criterion in self.criteria:
            given = wanted[criterion.id]
            words = given.words
            if words and given.field and not raw:
                words = disguise.disguised(given.field, words)
                if words is None:
                    return None
            # A schema in strict mode wants a field even where nothing is quoted.
            place = given.field if words and given.field else criterion.fields[0]
            said[criterion.id] = {
                "level": given.level, "probability": given.probability, "quote": words or "", "field": place,
            }  # fmt: skip
        # The same lead is the same lesson each time it is exported.
        user = prompt.user_message(fields, rng=random.Random(lead.fingerprint()))  # noqa: S311  (guards nothing)
        text = json.dumps(said, ensure_ascii=False)
        if not fields or not self._taken(text, fields, user):
            return None
        return [{"role": "system", "content": self._plan.system}, user, {"role": "assistant", "content": text}]

    def _taken(self, text: str, fields: Mapping[str, str], user: prompt.Message) -> bool:
        mark = prompt.read_back(user["content"]).mark
        found = answer.verdicts(text, self.criteria, fields=fields, mark=mark, model="", terms=self._terms)
        items = json.loads(text)
        return all(not one.flags and one.level == items[one.criterion]["level"] for one in found)


def proof(criterion: Criterion, words: str, lead: Lead) -> tuple[str, str] | None:
    """Field and passage of the lead in which these words stand, of those that the criterion names; None: in none."""
    written = prompt.disguised(lead, [criterion]).originals
    for field in criterion.fields:
        found = answer.located(words, field, fields=written)
        if found is not None:
            return field, found
    return None


def proves(criterion: Criterion, level: str) -> bool:
    """Whether that level needs words of the lead: only the lowest one and `unknown` do not."""
    known = criterion.level(level)
    return level != UNKNOWN and known is not None and known.points > criterion.lowest.points
