"""What logic proves wrong with a policy, at its place in the files.

Only parts whose expressions are right are looked at, so that a typo elsewhere hides none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tierwise import expressions
from tierwise.domain.rubric import Criterion, Rubric
from tierwise.domain.rules import Rule
from tierwise.domain.tables import rules_of
from tierwise.policies import analysis, documents, examples, solving
from tierwise.policies.analysis import Finding
from tierwise.policies.compiling import CRITERION
from tierwise.policies.documents import Document
from tierwise.policies.loading import PROMPT, Loaded, Located
from tierwise.policies.problems import Problem


def proven(loaded: Loaded, problems: Sequence[Problem]) -> Iterator[Problem]:
    """What keeps the policy from being activated by proof, beside the problems that are known already.

    Nothing where z3 is not installed.
    """
    if loaded.rubric is None or not solving.available():
        return
    rows = list(_rows(loaded, problems))
    asked = {item.value.id: item for item in reversed((*loaded.rules, *rows))}
    rules = [item for item in asked.values() if _right(item, problems)]
    whole = len(rules) == len(loaded.rules) + sum(len(item.value.rows) for item in loaded.tables) and not any(
        problem.file.startswith("rules/") and problem.file.endswith(".rules.yaml") for problem in loaded.problems
    )
    rubric = loaded.rubric.value
    criteria = [item for item in rubric.criteria if _levels_right(item)]
    if not rubric.tiers or not loaded.rubric.stands("tiers"):
        return
    known = Rubric.model_construct(**{**dict(rubric), "criteria": tuple(criteria)})
    for finding in analysis.proofs(known, [item.value for item in rules], whole=whole):
        if finding.blocks:
            yield problem(loaded, finding)


def problem(loaded: Loaded, finding: Finding) -> Problem:
    """The finding at its rule, level or criterion."""
    document, path = _place(loaded, finding)
    witness = finding.witness
    if witness is not None and finding.subject.startswith("criterion "):
        witness = {"lead": witness["lead"]}
    hint = f"for example {shown(witness)}" if witness is not None else ""
    return document.problem(path, finding.code, f"{finding.subject}: {finding.message}", hint=hint)


def tests(loaded: Loaded) -> dict[tuple[str, str], Problem]:
    """Where each test inside the files stands, by the subject and the name that its result has."""
    found = {}
    named: list[tuple[str, Document, documents.Path, Sequence[Any]]] = [
        *((item.value.subject, item.document, (*item.path, "tests"), item.value.tests) for item in loaded.rules),
        *((f"table {item.value.id}", item.document, (*item.path, "tests"), item.value.tests) for item in loaded.tables),
        *((f"map {name}", item.document, ("tests",), item.value.tests) for name, item in loaded.maps.items()),
    ]
    if loaded.rubric is not None:
        named.append((examples.SUBJECT, loaded.rubric.document, ("examples",), loaded.rubric.value.examples))
    for subject, document, path, items in named:
        for number, item in enumerate(items):
            found[subject, item.name] = document.problem((*path, number), "failed", "")
    return found


def shown(witness: Mapping[str, Mapping[str, Any]]) -> str:
    """A lead as one writes it in a test: `lead: {employee_count: 9}, result: {tier: C}`."""
    parts = []
    for root, facts in witness.items():
        inner = ", ".join(f"{name}: {_plain(value)}" for name, value in facts.items())
        if inner or root == "lead":
            parts.append(f"{root}: {{{inner}}}")
    return ", ".join(parts)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _rows(loaded: Loaded, problems: Sequence[Problem]) -> Iterator[Located[Rule]]:
    """Rows of tables as rules, where nothing was said against the table."""
    for item in loaded.tables:
        node = item.document.nodes.get(item.path)
        lines = range(node.start_mark.line + 1, node.end_mark.line + 2) if node is not None else range(0)
        wrong = any(told.file == item.document.file and told.line in lines for told in problems)
        if not wrong and not item.made_up:
            for number, row in enumerate(rules_of(item.value)):
                yield Located(row, item.document, (*item.path, "rows", number))


def _right(item: Located[Rule], problems: Sequence[Problem]) -> bool:
    """Whether the rule can be asked: what it asks is as it is in the file, and nothing was said against that."""
    asked = all(item.stands(name) for name in ("when", "stage", "priority", "on_unknown"))
    if not asked or expressions.check(item.value.when, item.value.stage):
        return False
    node = item.document.nodes[*item.path, "when"]
    lines = range(node.start_mark.line + 1, node.end_mark.line + 2)
    return not any(told.file == item.document.file and told.line in lines for told in problems)


def _levels_right(criterion: Criterion) -> bool:
    whens = [level.when for level in criterion.levels if level.when is not None]
    return criterion.decide == "rule" and bool(whens) and not any(expressions.check(when, CRITERION) for when in whens)


def _place(loaded: Loaded, finding: Finding) -> tuple[Document, documents.Path]:
    kind, _, name = finding.subject.partition(" ")
    wanted = finding.about[0] if kind == "stage" and finding.about else name
    if kind in {"rule", "stage"}:
        for item in loaded.rules:
            if item.value.id == wanted:
                return item.document, (*item.path, "when")
    for table in loaded.tables:
        for number, row in enumerate(table.value.rows):
            here = f"{table.value.id}, row {row.id}" if kind == "table" else f"{table.value.id}/{row.id}"
            if here == wanted:
                return table.document, (*table.path, "rows", number)
        if kind == "table" and table.value.id == wanted:
            return table.document, table.path
    if kind == "criterion" and loaded.rubric is not None:
        for number, criterion in enumerate(loaded.rubric.value.criteria):
            if criterion.id == name:
                path: documents.Path = ("criteria", number)
                levels = [n for n, level in enumerate(criterion.levels) if level.id in finding.about]
                return loaded.rubric.document, (*path, "levels", levels[0], "when") if levels else (*path, "levels")
    return Document(PROMPT, "", None, {}, {}), ()
