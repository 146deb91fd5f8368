"""Everything that can be wrong with a policy before it meets a lead, all at once and each with its place.

It reports; only `read` turns problems into an error. Whether the tests inside the files pass is `run_tests`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tierwise import expressions
from tierwise.domain.example import Example
from tierwise.domain.lead import Lead
from tierwise.domain.policy import BUILT_IN_REASONS, Policy
from tierwise.domain.rubric import UNKNOWN
from tierwise.domain.rules import Rule, RuleTest, Stage
from tierwise.errors import Misconfigured
from tierwise.policies import documents, owners, placing, ranking, tabling, trials, unfilled
from tierwise.policies.compiling import CRITERION
from tierwise.policies.documents import Document
from tierwise.policies.loading import PROMPT, REASONS, Loaded, Located, load
from tierwise.policies.problems import Problem

FEWEST_TESTS = 3
_SHOWN = 5

TemplateCheck = Callable[[str], list[str]]
"""Sentences about what is wrong with a prompt's template, beginning with `line N: ` where a line is known."""
Domains = Mapping[str, tuple[str, ...]]

_PLACE = re.compile(r"\{([^{}]*)\}")
_UNKNOWN = re.compile(r"unknown variable (\w+) \(there are: ([^)]*)\)")
_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)


def check(directory: Path, *, template_check: TemplateCheck | None = None) -> list[Problem]:
    """All problems of the files under the directory, in the order of file and line; empty when there is none.

    Also what logic proves wrong (dead rules, gaps, contradictions), where the extra `analysis` is installed.
    """
    return checked(directory, template_check=template_check)[1]


def checked(directory: Path, *, template_check: TemplateCheck | None = None) -> tuple[Policy | None, list[Problem]]:
    """The policy as far as its files can be read, and what `check` says of them."""
    with documents.uncollected():
        loaded = load(directory)
        problems = _problems(directory, loaded, template_check)
        return loaded.policy, sorted({*problems, *placing.proven(loaded, problems)}, key=_order)


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _problems(directory: Path, loaded: Loaded, template_check: TemplateCheck | None = None) -> list[Problem]:
    problems = [
        *ranking.check(loaded),
        *owners.check(directory, loaded),
        *_expressions(loaded),
        *_references(loaded),
        *_rules(loaded),
        *_tables(loaded),
        *_examples(loaded),
        *unfilled.check(loaded),
        *_maps(loaded),
        *_sentences(loaded),
    ]
    if template_check is not None and loaded.rubric is not None:
        problems += _template(loaded, template_check(loaded.prompt))
    return sorted(set(problems), key=_order)


def faults(policy: Policy) -> list[Problem]:
    """What `check` would say of a bundle that has no files any more; places are those of a file that is not there."""
    document = Document("policy", "", None, {}, {})
    return sorted(
        {
            *_expressions(loaded := _as_loaded(policy, document)), *_references(loaded), *_rules(loaded),
            *_tables(loaded), *_examples(loaded), *unfilled.check(loaded), *_maps(loaded), *_sentences(loaded),
        }
    )  # fmt: skip


def _as_loaded(policy: Policy, document: Document) -> Loaded:
    return Loaded(
        policy,
        (),
        rubric=Located(policy.rubric, document, ()),
        prompt=policy.prompt,
        rules=tuple(Located(item, document, ()) for item in policy.rules),
        reasons=tuple(Located(item, document, ()) for item in policy.reasons),
        fragments=tuple(Located(item, document, ()) for item in policy.fragments),
        maps={name: Located(item, document, ()) for name, item in policy.maps.items()},
        tables=tuple(Located(item, document, ()) for item in policy.tables),
    )


def read(directory: Path) -> Policy:
    """The policy of the directory. Raises Misconfigured with the first problems and their number."""
    loaded = load(directory)
    problems = _problems(directory, loaded)
    if loaded.policy is None or problems:
        told = "\n".join(f"  {problem}" for problem in problems[:_SHOWN])
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise Misconfigured(
            f"{count} in the policy\n{told}{more}", place=str(directory), remedy="tierwise policy check shows them all"
        )
    return loaded.policy


def _closed(loaded: Loaded) -> Domains:
    """Values that the policy itself closes: its tiers, and where its rules lead."""
    domains: dict[str, tuple[str, ...]] = {}
    if loaded.rubric is not None:
        domains["result.tier"] = tuple(loaded.rubric.value.tiers)
    routes = _routes(loaded, of="route")
    if routes and not loaded.unread:
        domains["result.route"] = tuple(sorted(routes))
    return domains


def _routes(loaded: Loaded, *, of: Stage | None = None) -> set[str]:
    """Where rules and tables lead, of one stage or all."""
    found = {item.value.route for item in loaded.rules if of in {None, item.value.stage}}
    for item in loaded.tables:
        if of in {None, item.value.stage}:
            found |= {item.value.route, *(row.route for row in item.value.rows)}
    return {route for route in found if route}


def _expressions(loaded: Loaded) -> Iterator[Problem]:
    domains = _closed(loaded)
    for item in loaded.rules:
        if item.stands("when"):
            path = (*item.path, "when")
            yield from _expression(item.document, path, item.value.when, stage=item.value.stage, domains=domains)
    for path, expression in _levels(loaded, "when"):
        assert loaded.rubric is not None
        yield from _expression(loaded.rubric.document, path, expression, stage=CRITERION, domains={})


def _expression(
    document: Document, path: documents.Path, expression: str, *, stage: Stage, domains: Domains
) -> Iterator[Problem]:
    for error in expressions.check(expression, stage, domains=domains):
        line, column = document.inside(path, expression, line=error.line, column=error.column)
        yield document.at(line, column, code=error.code, message=error.message, hint=error.hint)


def _levels(loaded: Loaded, key: str) -> Iterator[tuple[documents.Path, str]]:
    if loaded.rubric is None:
        return
    for i, criterion in enumerate(loaded.rubric.value.criteria):
        for j, level in enumerate(criterion.levels):
            value = getattr(level, key)
            if value is not None:
                yield ("criteria", i, "levels", j, key), value


def _references(loaded: Loaded) -> Iterator[Problem]:
    """Names that one part uses and another defines."""
    codes = [item.value.code for item in loaded.reasons] + [reason.code for reason in BUILT_IN_REASONS]
    used: list[tuple[Document, documents.Path, str]] = []
    if loaded.rubric is not None:
        used += [(loaded.rubric.document, path, code) for path, code in _levels(loaded, "reason")]
    used += [
        (item.document, (*item.path, "reason"), item.value.reason) for item in loaded.rules if item.stands("reason")
    ]
    for table in loaded.tables:
        if table.value.reason is not None and table.stands("reason"):
            used.append((table.document, (*table.path, "reason"), table.value.reason))
        used += [
            (table.document, (*table.path, "rows", n, "reason"), row.reason)
            for n, row in enumerate(table.value.rows)
            if row.reason is not None and table.stands("rows", n, "reason")
        ]
    for fragment in loaded.fragments:
        paths = [((*fragment.path, "reasons", n), code) for n, code in enumerate(fragment.value.reasons)]
        used += [(fragment.document, path, code) for path, code in paths]
    for document, path, code in used if REASONS not in loaded.unread else ():
        if code not in codes:
            message = f"the reason {code} is not in the catalogue"
            hint = expressions.closest(code, codes) or "add it to rules/reasons.yaml"
            yield document.problem(path, "unknown-reason", message, hint=hint)
    routes = _routes(loaded)
    if any(file.endswith(".rules.yaml") for file in loaded.unread):
        return
    for fragment in loaded.fragments:
        for n, route in enumerate(fragment.value.routes):
            if route not in routes:
                path = (*fragment.path, "routes", n)
                message = f"no rule leads to the route '{route}'"
                hint = expressions.closest(route, routes, all_of="the routes are")
                yield fragment.document.problem(path, "unknown-route", message, hint=hint)


def _rules(loaded: Loaded) -> Iterator[Problem]:
    for item in loaded.rules:
        rule = item.value
        if rule.stage in {"gate", "route"} and rule.outcome is None and item.stands("outcome"):
            message = f"a rule of stage {rule.stage} needs an outcome"
            yield item.document.problem(item.path, "missing", message, hint="accept, nurture, reject or review")
        if rule.stage == "contradiction" and rule.outcome not in {None, "review"}:
            message = "a contradiction always goes to review"
            yield item.document.problem((*item.path, "outcome"), "value", message, hint="remove the outcome")
        yield from _tests(item)


def _tables(loaded: Loaded) -> Iterator[Problem]:
    closed = _closed(loaded)
    tiers = loaded.rubric.value.tiers if loaded.rubric is not None else {}
    for item in loaded.tables:
        for code, told in tabling.check(item.value, closed, tiers):
            if item.stands(*told.path):
                hint = told.hint
                if told.choices:
                    hint = expressions.closest(told.word, told.choices, all_of="known here are")
                yield item.document.problem((*item.path, *told.path), code, told.text, hint=hint, key=told.key)


def _tests(item: Located[Rule]) -> Iterator[Problem]:
    rule, document = item.value, item.document
    where = (*item.path, "tests")
    for n, test in enumerate(rule.tests):
        try:
            trials.facts_of(rule, test)
        except trials.UnfitError as error:
            yield from _unfit(error, document, (*where, n), of=f"test '{test.name}'")
    if not item.stands("tests"):
        return
    yield from _named_twice(document, where, rule.tests, of=f"tests of {rule.id}")
    if len(rule.tests) < FEWEST_TESTS:
        message = f"the rule {rule.id} has {len(rule.tests)} tests, at least {FEWEST_TESTS} are needed"
        hint = "a typical lead that matches, one at the edge, and one that does not match"
        yield document.problem(where, "tests", message, hint=hint, key=True)
    expected = {test.expect for test in rule.tests}
    needed = ["match", "no_match"]
    if not expressions.check(rule.when, rule.stage) and _can_be_unknown(rule):
        needed.append("unknown")
    for truth in needed:
        if rule.tests and truth not in expected:
            message = f"no test of {rule.id} expects {truth}"
            hint = _TRUTHS[truth]
            yield document.problem(where, "tests", message, hint=hint, key=True)


def _examples(loaded: Loaded) -> Iterator[Problem]:
    """Examples of the rubric name leads, tiers and levels that there are."""
    if loaded.rubric is None:
        return
    rubric, document = loaded.rubric.value, loaded.rubric.document
    for n, example in enumerate(rubric.examples):
        path: documents.Path = ("examples", n)
        try:
            trials.lead_of(example.lead)
        except trials.UnfitError as error:
            yield from _unfit(error, document, path, of=f"example '{example.name}'")
        if example.tier not in (*rubric.tiers, unfilled.MARK) and loaded.rubric.stands(*path, "tier"):
            hint = expressions.closest(example.tier, rubric.tiers, all_of="the tiers are")
            yield document.problem((*path, "tier"), "value", f"there is no tier '{example.tier}'", hint=hint)
        for name, level in example.levels.items():
            criterion = rubric.find(name)
            where = (*path, "levels", name)
            if criterion is None:
                hint = expressions.closest(name, [item.id for item in rubric.criteria], all_of="the criteria are")
                yield document.problem(where, "value", f"there is no criterion '{name}'", hint=hint, key=True)
            elif level not in (known := [UNKNOWN, *(item.id for item in criterion.levels)]):
                hint = expressions.closest(level, known, all_of="the levels are")
                yield document.problem(where, "value", f"{name} has no level '{level}'", hint=hint)
    yield from _named_twice(document, ("examples",), rubric.examples, of="examples")


def _maps(loaded: Loaded) -> Iterator[Problem]:
    """A map without tests is a map that nobody has seen at work."""
    for item in loaded.maps.values():
        if not item.value.tests and item.stands("tests"):
            message = f"the map {item.value.connector} has no tests"
            hint = "tests: [{name: a size, record: {PROPERTY: 51-200}, expect: {employee_count: 126}}]"
            yield item.document.problem(("tests",), "tests", message, hint=hint, key=True)


def _unfit(error: trials.UnfitError, document: Document, path: documents.Path, *, of: str) -> Iterator[Problem]:
    for item in error.complaints:
        hint = expressions.closest(item.word, item.choices, all_of="known here are") if item.choices else item.hint
        yield document.problem((*path, *item.path), "test", f"{of}: {item.text}", hint=hint, key=item.key)


def _named_twice(
    document: Document, path: documents.Path, items: Sequence[RuleTest | Example], *, of: str
) -> Iterator[Problem]:
    names = [item.name for item in items]
    for n, name in enumerate(names):
        if name in names[:n]:
            message = f"{names.count(name)} {of} are called '{name}'"
            yield document.problem((*path, n, "name"), "duplicate", message, hint="rename one of them")


_TRUTHS = {
    "match": "a rule that is never seen matching may never match",
    "no_match": "a rule that is never seen refusing may match everything",
    "unknown": "it reads fields that a lead may lack: test a lead without them, or guard with has()",
}


def _can_be_unknown(rule: Rule) -> bool:
    """Whether an empty lead, which any CRM can hold, leaves the rule without an answer."""
    scored: dict[str, Any] = {
        "score": 50, "fit": 50, "intent": 50, "confidence": 0.5, "tier": "", "outcome": "nurture", "route": "",
    }  # fmt: skip
    facts = {"lead": Lead().signals(), "result": scored}
    return expressions.compile(rule.when, rule.stage)(facts).truth == "unknown"


def _sentences(loaded: Loaded) -> Iterator[Problem]:
    """Placeholders in texts for people must name something that will be there."""
    lead = tuple(expressions.variables("gate"))
    for item in loaded.rules:
        yield from _placeholders(item, ("why",), item.value.why, tuple(expressions.variables(item.value.stage)))
    for table in loaded.tables:
        known = tuple(expressions.variables(table.value.stage))
        yield from _placeholders(table, ("why",), table.value.why, known)
        for n, row in enumerate(table.value.rows):
            yield from _placeholders(table, ("rows", n, "why"), row.why or "", known)
    for reason in loaded.reasons:
        known = ("quote", *expressions.variables("guardrail"))
        yield from _placeholders(reason, ("template",), reason.value.template, known)
        if reason.value.talking_point:
            yield from _placeholders(reason, ("talking_point",), reason.value.talking_point, lead)
    for fragment in loaded.fragments:
        yield from _placeholders(fragment, ("text",), fragment.value.text, lead)


def _placeholders(item: Located[Any], within: documents.Path, text: str, known: tuple[str, ...]) -> Iterator[Problem]:
    path = (*item.path, *within)
    for found in _PLACE.finditer(text):
        if found[1] not in known:
            row = text.count("\n", 0, found.start()) + 1
            column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
            line, column = item.document.inside(path, text, line=row, column=column)
            yield item.document.at(
                line,
                column,
                code="placeholder",
                message=f"{found[0]} cannot be filled in",
                hint=expressions.closest(found[1], known) or "write {lead.field}",
            )


def _template(loaded: Loaded, sentences: list[str]) -> Iterator[Problem]:
    lines = loaded.prompt.split("\n")
    for sentence in sentences:
        found = _LINE.fullmatch(sentence)
        row, message = (int(found[1]), found[2]) if found else (1, sentence)
        excerpt = lines[row - 1] if 0 < row <= len(lines) else ""
        column, hint = _in_template(message, excerpt) if found else (1, "")
        yield Problem(PROMPT, loaded.prompt_line + row - 1, column, "template", message, hint, excerpt)


def _in_template(message: str, line: str) -> tuple[int, str]:
    """Where in the line a sentence about it belongs, and what to do."""
    unknown = _UNKNOWN.match(message)
    if unknown:
        found = re.search(rf"\b{re.escape(unknown[1])}\b", line)
        return (found.start() + 1 if found else 1), expressions.closest(unknown[1], unknown[2].split(", "))
    opened = re.search(r"\{[{%#]", line)
    return (
        opened.start() + 1 if opened else 1
    ), "{{ name }} shows a value; {% for %} and {% if %} end in {% endfor %}, {% endif %}"
