"""Runs the tests that stand inside the files of a policy: of its rules, its field maps and its rubric."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from tierwise import expressions
from tierwise.domain import mapping
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rules import Facts, Rule, RuleTest
from tierwise.errors import RejectRecord


class TestResult(NamedTuple):
    """What one test came to."""

    subject: str
    """`rule free-mail` or `map hubspot`."""
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
    for connector, field_map in policy.maps.items():
        for trial in field_map.tests:
            alone = field_map.model_copy(update={"tests": (trial,)})
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


def lead_of(values: Mapping[str, Any]) -> Lead:
    """The lead of a test. Raises ValueError with what is wrong."""
    try:
        return Lead.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            raise ValueError(f"there is no field lead.{name}") from error
        raise ValueError(f"lead.{name}: {detail['msg'].removeprefix('Value error, ')}") from error


def facts_of(rule: Rule, test: RuleTest) -> Facts:
    """What the test gives its rule, exactly as a real lead would arrive. Raises ValueError with what is wrong."""
    facts: dict[str, Mapping[str, Any]] = {"lead": lead_of(test.lead).signals()}
    known = expressions.variables(rule.stage)
    result: dict[str, Any] = {}
    for name, given in test.result.items():
        variable = known.get(f"result.{name}")
        if variable is None:
            raise ValueError(f"result.{name} is not known at stage {rule.stage}")
        value = float(given) if variable.kind == "decimal" and type(given) is int else given
        if type(value) is not {"integer": int, "decimal": float}.get(variable.kind, str):
            raise ValueError(f"result.{name} must be {_KINDS.get(variable.kind, 'text')}")
        result[name] = value
    return {**facts, "result": result}


_KINDS = {"integer": "a whole number", "decimal": "a number"}


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
