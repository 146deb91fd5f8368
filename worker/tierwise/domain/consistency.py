"""Whether a rubric holds together: weights, tiers, knockouts, levels.

Only complaints are made here; `rubric` decides that nothing is built with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from tierwise.domain.complaints import Complaint
from tierwise.domain.lead import CATALOGUE
from tierwise.domain.verdict import UNKNOWN

_HUNDRED = 100
CUT_OFFS = "tiers need different cut-offs from 100 downwards, the last one at 0"


class Level(Protocol):
    """What is looked at of a level."""

    @property
    def id(self) -> str: ...
    @property
    def when(self) -> str | None: ...


class Criterion(Protocol):
    """What is looked at of a criterion."""

    @property
    def id(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def decide(self) -> str: ...
    @property
    def fields(self) -> Sequence[str]: ...
    @property
    def levels(self) -> Sequence[Level]: ...


class Knockout(Protocol):
    """A verdict that decides alone."""

    @property
    def criterion(self) -> str: ...
    @property
    def level(self) -> str: ...


class Thresholds(Protocol):
    """Confidences below which others are asked."""

    @property
    def escalate_below(self) -> float: ...
    @property
    def review_below(self) -> float: ...


class Targets(Protocol):
    """What validation must show."""

    @property
    def positive_tiers(self) -> Sequence[str]: ...


class Rubric(Protocol):
    """What is looked at of a rubric."""

    @property
    def criteria(self) -> Sequence[Criterion]: ...
    @property
    def knockouts(self) -> Sequence[Knockout]: ...
    @property
    def tiers(self) -> Mapping[str, int]: ...
    @property
    def thresholds(self) -> Thresholds: ...
    @property
    def targets(self) -> Targets: ...


def of_criterion(criterion: Criterion) -> Iterator[Complaint]:
    """What is wrong with one criterion by itself."""
    name, ids = criterion.id, [level.id for level in criterion.levels]
    for n, level in enumerate(criterion.levels):
        if level.id in ids[:n] or level.id == UNKNOWN:
            text = f"criterion {name}: level ids must differ, and none may be '{UNKNOWN}'"
            yield Complaint(("levels", n, "id"), text, f"rename '{level.id}'")
        if criterion.decide == "rule" and level.when is None:
            text = f"criterion {name} is decided by rule: every level needs `when`"
            yield Complaint(("levels", n), text, "say when the level holds: when: lead.employee_count >= 50")
        if criterion.decide == "model" and level.when is not None:
            text = f"criterion {name} is decided by a model: no level takes `when`"
            yield Complaint(("levels", n, "when"), text, "remove it, or write decide: rule", key=True)
    if criterion.decide == "model" and not criterion.fields:
        text = f"criterion {name}: name the `fields` that the model may read"
        yield Complaint(("fields",), text, "fields: [message]", key=True)
    for n, field in enumerate(criterion.fields):
        if field not in CATALOGUE:
            text = f"criterion {name}: not a lead field: '{field}'"
            yield Complaint(("fields", n), text, word=field, choices=tuple(CATALOGUE))


def of_rubric(rubric: Rubric) -> Iterator[Complaint]:
    """What is wrong between the parts of a rubric."""
    ids = [criterion.id for criterion in rubric.criteria]
    for n, name in enumerate(ids):
        if name in ids[:n]:
            yield Complaint(("criteria", n, "id"), f"two criteria have the same id: '{name}'", "rename one of them")
    total = sum(criterion.weight for criterion in rubric.criteria)
    if total != _HUNDRED:
        text = f"the weights of all criteria must add up to 100, these add up to {total}"
        change = f"{'take' if total > _HUNDRED else 'add'} {abs(total - _HUNDRED)}"
        hint = f"{change} {'from' if total > _HUNDRED else 'to'} one of them: {_weights(rubric.criteria)}"
        yield Complaint(("criteria",), text, hint, rests_on="weight")
    cuts = list(rubric.tiers.values())
    if not cuts or len(set(cuts)) != len(cuts) or cuts[-1] != 0 or cuts[0] > _HUNDRED:
        yield Complaint(("tiers",), CUT_OFFS, "{A: 70, B: 55, C: 30, D: 0}", rests_on="tiers")
    for n, knockout in enumerate(rubric.knockouts):
        criterion = next((item for item in rubric.criteria if item.id == knockout.criterion), None)
        said = f"knockout {knockout.criterion}/{knockout.level}: no such"
        if criterion is None:
            text = f"{said} criterion '{knockout.criterion}'"
            yield Complaint(("knockouts", n, "criterion"), text, word=knockout.criterion, choices=ids)
        elif knockout.level not in (levels := [level.id for level in criterion.levels]):
            text = f"{said} level '{knockout.level}'"
            yield Complaint(("knockouts", n, "level"), text, word=knockout.level, choices=levels)
    limits = rubric.thresholds
    if limits.review_below > limits.escalate_below:
        text = "thresholds: review_below must not exceed escalate_below"
        hint = f"write at most {limits.escalate_below:g}: a second model is asked before a person is"
        yield Complaint(("thresholds", "review_below"), text, hint)
    for n, tier in enumerate(rubric.targets.positive_tiers):
        if tier not in rubric.tiers:
            text = f"targets.positive_tiers: no such tier: '{tier}'"
            yield Complaint(("targets", "positive_tiers", n), text, word=tier, choices=tuple(rubric.tiers))


def _weights(criteria: Sequence[Criterion]) -> str:
    return ", ".join(f"{item.id} {item.weight}" for item in criteria)
