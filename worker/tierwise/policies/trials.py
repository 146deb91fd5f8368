"""Runs the tests that stand inside the files of a policy: of its rules, its field maps and its rubric."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tierwise import expressions
from tierwise.domain import mapping
from tierwise.domain.complaints import Complaint
from tierwise.domain.decision import Judged
from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rules import Facts, Rule, RuleTest, Stage
from tierwise.domain.tables import NONE, RowRule, Table, TableTest, rules_of
from tierwise.errors import RejectRecord


class TestResult(NamedTuple):
    """What one test came to."""

    subject: str
    """`rule free-mail`, `table routes`, `map hubspot` or `examples`."""
    name: str
    passed: bool
    message: str = ""
    """What was expected and what came instead, empty where it passed."""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The shape of `tierwise policy test --json`."""
        return {"subject": self.subject, "name": self.name, "message": self.message}


class Judge(Protocol):
    """What models say of a lead, or None."""

    def judge(self, runnable: Runnable, lead: Lead) -> Judged | None: ...


def run_tests(policy: Policy, examples: Callable[[Policy], Iterator[TestResult]]) -> tuple[TestResult, ...]:
    """Every test of the policy, in order. Raises Misconfigured where an expression does not compile."""
    results = [_timed(partial(_tried, rule, test)) for rule in policy.rules for test in rule.tests]
    for table in policy.tables:
        rows = rules_of(table)
        results += [_timed(partial(_decided, table, rows, trial)) for trial in table.tests]
    for connector, field_map in policy.maps.items():
        for record in field_map.tests:
            alone = field_map.model_copy(update={"tests": (record,)})
            results.append(_timed(partial(_mapped, connector, alone)))
    began = time.perf_counter()
    for result in examples(policy):
        results.append(result._replace(seconds=time.perf_counter() - began))
        began = time.perf_counter()
    return tuple(results)


def _timed(test: Callable[[], TestResult]) -> TestResult:
    began = time.perf_counter()
    return test()._replace(seconds=time.perf_counter() - began)


def _mapped(connector: str, field_map: FieldMap) -> TestResult:
    """The one test that the map has here."""
    failures = mapping.run_tests(field_map)
    return TestResult(f"map {connector}", field_map.tests[0].name, not failures, "; ".join(failures))


class UnfitError(ValueError):
    """A test gives what no lead or result can hold."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("; ".join(item.text for item in complaints))
        self.complaints = tuple(complaints)
        """Each with its path within the test."""


def lead_of(values: Mapping[str, Any]) -> Lead:
    """The lead of a test. Raises UnfitError with all that is wrong."""
    try:
        return Lead.model_validate(values)
    except ValidationError as error:
        raise UnfitError([_unfit(detail) for detail in error.errors(include_url=False)]) from error


def _unfit(detail: ErrorDetails) -> Complaint:
    name = ".".join(str(part) for part in detail["loc"])
    path = ("lead", *detail["loc"])
    if detail["type"] == "extra_forbidden":
        text = f"there is no field lead.{name}"
        return Complaint(path, text, word=name, choices=tuple(CATALOGUE), key=True)
    info = CATALOGUE.get(name)
    if info is not None and info.values:
        given = str(detail["input"])
        return Complaint(path, f"lead.{name}: '{given}' is not one of its values", word=given, choices=info.values)
    wanted = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "greater_than_equal":
        wanted = f"{detail['input']} is below 0, which no lead has; leave out what is not known"
    if info is not None and detail["type"].endswith(("_type", "_parsing", "_from_float")):
        wanted = _NEEDED.get(info.kind, wanted)
    return Complaint(path, f"lead.{name}: {wanted}")


def facts_of(rule: Rule, test: RuleTest) -> Facts:
    """What the test gives its rule, exactly as a real lead would arrive. Raises UnfitError with what is wrong."""
    return given(rule.stage, test)


def given(stage: Stage, test: RuleTest | TableTest) -> Facts:
    """What a test gives whatever is tried at that stage. Raises UnfitError with what is wrong."""
    complaints: list[Complaint] = []
    lead: Mapping[str, Any] = {}
    try:
        lead = lead_of(test.lead).signals()
    except UnfitError as error:
        complaints += error.complaints
    known = expressions.variables(stage)
    names = tuple(name.removeprefix("result.") for name in known if name.startswith("result."))
    result: dict[str, Any] = {}
    for name, given in test.result.items():
        path, variable = ("result", name), known.get(f"result.{name}")
        if variable is None:
            text = f"result.{name} is not known at stage {stage}"
            complaints.append(Complaint(path, text, word=name, choices=names, key=True))
            continue
        value = float(given) if variable.kind == "decimal" and type(given) is int else given
        if type(value) is not {"integer": int, "decimal": float}.get(variable.kind, str):
            wanted, hint = _KINDS.get(variable.kind, ("text", "put it in quotes"))
            complaints.append(Complaint(path, f"result.{name} must be {wanted}", hint))
        result[name] = value
    if complaints:
        raise UnfitError(complaints)
    return {"lead": lead, "result": result}


_NEEDED = {
    "integer": "a whole number is needed here, without quotes",
    "decimal": "a number is needed here, without quotes",
    "boolean": "true or false is needed here, without quotes",
    "text": "text is needed here",
    "timestamp": "a time with its zone is needed here: 2026-03-01T09:30:00Z",
}
_KINDS = {"integer": ("a whole number", "50"), "decimal": ("a number", "0.85")}


def _tried(rule: Rule, test: RuleTest) -> TestResult:
    subject = f"rule {rule.id}"
    try:
        answer = expressions.compile(rule.when, rule.stage)(facts_of(rule, test))
    except (ValueError, RejectRecord) as error:
        return TestResult(subject, test.name, passed=False, message=str(error))
    if answer.truth == test.expect:
        return TestResult(subject, test.name, passed=True)
    message = f"expected {test.expect}, got {answer.truth}"
    if answer.missing:
        message += f" (missing: {', '.join(answer.missing)})"
    return TestResult(subject, test.name, passed=False, message=message)


def decided_by(table: Table, rows: Sequence[RowRule], facts: Facts) -> tuple[str, ...]:
    """Rows that decide on these facts: one at most, unless the table collects; `unknown` where one cannot tell."""
    unknown = False
    found = []
    for row in rows:
        truth = expressions.compile(row.when, row.stage)(facts).truth
        if truth == "match":
            found.append(row.row)
        elif truth == "unknown":
            unknown = True
        if table.hit != "collect" and (found or (unknown and table.on_unknown == "review")):
            break
    return tuple(found) or (("unknown",) if unknown else (NONE,))


def _decided(table: Table, rows: Sequence[RowRule], test: TableTest) -> TestResult:
    subject = f"table {table.id}"
    try:
        found = decided_by(table, rows, given(table.stage, test))
    except (ValueError, RejectRecord) as error:
        return TestResult(subject, test.name, passed=False, message=str(error))
    expected = (test.expect,) if isinstance(test.expect, str) else test.expect
    passed = set(found) == set(expected)
    message = "" if passed else f"expected {', '.join(expected)}, got {', '.join(found)}"
    return TestResult(subject, test.name, passed=passed, message=message)
