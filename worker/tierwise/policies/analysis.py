"""What is wrong with a policy whose every expression is right: rules that never decide, edges that no test guards.

Proofs need the extra `analysis`; without it everything else is still told. It reports and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain.policy import BUILT_IN_REASONS, Policy
from tierwise.domain.rubric import Criterion, Rubric
from tierwise.domain.rules import Rule, Stage
from tierwise.domain.tables import RowRule
from tierwise.policies import grids, mutation, solving
from tierwise.policies.compiling import CRITERION

NOT_ANALYSED = "not analysed: install tierwise[analysis]"
_FIRST_WINS: tuple[Stage, ...] = ("gate", "route")
Facts = Mapping[str, Mapping[str, Any]]


class Finding(NamedTuple):
    """One thing that is wrong, or may be."""

    code: str
    """never, shadowed, contradiction, gap; unseen, unguarded, unused-reason, unproven, silent."""
    subject: str
    """``rule free-mail``, ``criterion market``."""
    message: str
    blocks: bool
    """It keeps the policy from being activated."""
    witness: Facts | None = None
    """A lead and a result that show it."""
    about: tuple[str, ...] = ()
    """The level of the subject's that it is about; of a stage, its last rule."""

    def as_dict(self) -> dict[str, Any]:
        """The shape of `tierwise policy analyse --json`."""
        return {name: value for name, value in self._asdict().items() if name != "about"}


class Analysis(NamedTuple):
    """All that was found, and what could not be looked for."""

    findings: tuple[Finding, ...]
    not_analysed: str = ""


def analyse(policy: Policy) -> Analysis:
    """Everything that can be told of a checked policy."""
    findings = [*_tested(policy), *_tables(policy), *_unused(policy)]
    if not solving.available():
        return Analysis(tuple(findings), NOT_ANALYSED)
    return Analysis((*prove(policy), *findings))


def blocking(policy: Policy) -> tuple[Finding, ...]:
    """What must not be activated; nothing can be said where z3 is not installed."""
    if not solving.available():
        return ()
    return tuple(item for item in prove(policy) if item.blocks)


def prove(policy: Policy) -> tuple[Finding, ...]:
    """What logic alone says. Needs z3."""
    return proofs(policy.rubric, policy.every_rule, whole=True)


def proofs(rubric: Rubric, every: Sequence[Rule], *, whole: bool) -> tuple[Finding, ...]:
    """What logic says of these rules. Where they are not all there are, a gap between them says nothing."""
    space = solving.Space(rubric)
    truths = {rule.id: space.truth(rule.when, rule.stage) for rule in every}
    found = list(_never(every, space, truths))
    never = {finding.subject for finding in found}
    for stage in _FIRST_WINS:
        rules = [rule for rule in every if rule.stage == stage and rule.subject not in never]
        rules.sort(key=lambda rule: rule.order)
        found += _shadowed(rules, space, truths)
        found += _contradictory(rules, space, truths)
        if stage == "route" and rules and whole:
            found += _unrouted(rules, space, truths)
    for criterion in rubric.criteria:
        if criterion.decide == "rule":
            found += _levels(criterion, space)
    return tuple(found)


def silent(
    policy: Policy, *, decisions: int, matched: Collection[str], given: Collection[str], days: int
) -> list[Finding]:
    """Rules that matched, and reasons that were given, in none of the decisions of the last days."""
    where = f"in {decisions} decisions of the last {days} days"
    found = [
        Finding("silent", rule.subject, f"it matched nothing {where}: is it still needed?", blocks=False)
        for rule in policy.every_rule
        if rule.id not in matched
    ]
    used = {rule.reason for rule in policy.every_rule} | {
        level.reason for item in policy.rubric.criteria for level in item.levels if level.reason is not None
    }
    found += [
        Finding("silent", f"reason {reason.code}", f"it was never given {where}", blocks=False)
        for reason in policy.reasons
        if reason.code in used and reason.code not in given
    ]
    return found


def _tested(policy: Policy) -> Iterator[Finding]:
    for rule in policy.rules:
        subject = f"rule {rule.id}"
        said = mutation.seen(rule)
        for truth in ("match", "no_match"):
            if truth not in said:
                yield Finding("unseen", subject, f"its tests never see it say {truth}", blocks=False)
        for mutant in mutation.survivors(rule):
            message = f"no test notices when {mutant.change}: add a test exactly at that edge"
            yield Finding("unguarded", subject, message, blocks=False)


def _tables(policy: Policy) -> Iterator[Finding]:
    for table in policy.tables:
        for row, change in mutation.table_survivors(table, policy.rubric.tiers):
            message = f"no test notices when {change}: add a test exactly at that edge"
            yield Finding("unguarded", f"table {table.id}, row {row}", message, blocks=False)
        if not grids.search(table, policy.rubric.tiers).analysed:
            message = f"too large to look for gaps and overlaps (over {grids.MOST:,} steps): split it"
            yield Finding("unproven", f"table {table.id}", message, blocks=False)


def _unused(policy: Policy) -> Iterator[Finding]:
    used = {rule.reason for rule in policy.every_rule} | {reason.code for reason in BUILT_IN_REASONS}
    used |= {level.reason for item in policy.rubric.criteria for level in item.levels if level.reason is not None}
    for reason in policy.reasons:
        if reason.code not in used:
            message = "no rule and no level gives it: use it or remove it"
            yield Finding("unused-reason", f"reason {reason.code}", message, blocks=False)


def _never(rules: Sequence[Rule], space: solving.Space, truths: Mapping[str, solving.Truth]) -> Iterator[Finding]:
    for rule in rules:
        if space.find(truths[rule.id].holds) is None:
            message = "it can never match: its conditions exclude each other"
            yield Finding("never", rule.subject, message, blocks=True)


def _decides(rule: Rule, space: solving.Space, truth: solving.Truth) -> Any:
    """The rule ends the search: it matches, or asks for review of what it cannot tell."""
    return truth.holds if rule.on_unknown == "skip" else space.z3.Not(truth.fails)


def _shadowed(rules: Sequence[Rule], space: solving.Space, truths: Mapping[str, solving.Truth]) -> Iterator[Finding]:
    decides = [_decides(rule, space, truths[rule.id]) for rule in rules]
    for number, hidden in enumerate(space.hidden(decides)):
        if hidden and number:
            pairs = zip(rules[:number], decides[:number], strict=True)
            mine = decides[number]
            one = next((other.id for other, holds in pairs if space.find(mine, space.z3.Not(holds)) is None), None)
            by = f"'{one}' takes" if one else f"the {number} rules before it together take"
            message = f"it can never decide: {by} every lead that it would match; move it before, or narrow that"
            yield Finding("shadowed", rules[number].subject, message, blocks=True)


def _contradictory(
    rules: Sequence[Rule], space: solving.Space, truths: Mapping[str, solving.Truth]
) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        for other in rules[number + 1 :]:
            if other.priority != rule.priority or (other.outcome, other.route) == (rule.outcome, rule.route):
                continue
            if isinstance(rule, RowRule) and isinstance(other, RowRule) and rule.table == other.table:
                continue  # rows of one table have an order, or it was told already that they overlap
            one, two = truths[rule.id], truths[other.id]
            witness = space.find(one.holds, two.holds)
            if isinstance(witness, Mapping):
                exact = one.exact and two.exact
                message = (
                    f"{'it and' if exact else 'possibly it and'} '{other.id}' match the same lead with the same "
                    f"priority and do different things: give one a smaller priority"
                )
                yield Finding("contradiction", rule.subject, message, blocks=exact, witness=witness)


def _unrouted(rules: Sequence[Rule], space: solving.Space, truths: Mapping[str, solving.Truth]) -> Iterator[Finding]:
    decided = [_decides(rule, space, truths[rule.id]) for rule in rules]
    # A tier is always there: the witness shall name one.
    tier = space.truth("result.tier != ''", "route")
    witness = space.find(space.z3.Not(space.z3.Or(decided)), tier.holds)
    if isinstance(witness, Mapping):
        exact = all(truths[rule.id].exact for rule in rules)
        message = f"{'some' if exact else 'possibly some'} leads get no route: add a last rule that takes what is left"
        yield Finding("gap", "stage route", message, blocks=exact, witness=witness, about=(rules[-1].id,))


def _levels(criterion: Criterion, space: solving.Space) -> Iterator[Finding]:
    """The levels of a criterion are a table whose first row that holds wins."""
    subject = f"criterion {criterion.id}"
    rows = [(level.id, level.when, space.truth(level.when, CRITERION)) for level in criterion.levels if level.when]
    before: list[Any] = []
    for name, _, truth in rows:
        if space.find(truth.holds) is None:
            yield Finding("never", subject, f"level '{name}' can never hold", blocks=True, about=(name,))
        elif before and space.find(truth.holds, space.z3.Not(space.z3.Or(before))) is None:
            message = f"level '{name}' can never be reached: the levels before it take every lead; order them"
            yield Finding("shadowed", subject, message, blocks=True, about=(name,))
        before.append(truth.holds)
    reads = frozenset().union(*(expressions.tree(when, CRITERION).reads for _, when, _ in rows))
    exact = all(truth.exact for _, _, truth in rows)
    witness = space.find(space.present(reads, CRITERION), *(space.z3.Not(holds) for holds in before))
    if isinstance(witness, Mapping) and exact:
        message = "no level holds for some leads although nothing is missing: add a level or widen one"
        yield Finding("gap", subject, message, blocks=True, witness=witness)
