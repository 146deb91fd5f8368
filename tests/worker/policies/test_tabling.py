"""Decision tables from the file to what decides: checked, tested, analysed, compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures.policies import TANGLED, tangled

from tierwise import content, expressions, policies
from tierwise.domain import changes, decision, rules, tables
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Policy
from tierwise.domain.tables import Table
from tierwise.policies import checking, grids, mutation, tabling

Write = Callable[..., Path]
Place = Callable[[str, str], str]
FILE = "rules/rest.rules.yaml"


@pytest.fixture
def make(write: Write, tabled: dict[str, str]) -> Callable[..., Path]:
    def with_change(old: str = "", new: str = "") -> Path:
        text = tabled[FILE]
        assert not old or text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        return write({FILE: text.replace(old, new) if old else text})

    return with_change


def read(directory: Path) -> Policy:
    return policies.read(directory)


MISTAKES = [
    # old, new, what stands at the place, code, advice
    (
        "lead.employee_count, lead.region]",
        "lead.employe_count, lead.region]",
        "lead.employe_count",
        "unknown-field",
        "did you mean 'lead.employee_count'?",
    ),
    (
        "[result.tier, lead.employee_count",
        "[result.outcome, lead.employee_count",
        "result.outcome",
        "unknown-field",
        "result.tier",
    ),
    ("inputs: [result.tier,", "inputs: [lead.submitted_at,", "lead.submitted_at", "type", "a moment"),
    ("inputs: [result.tier,", "inputs: [lead.region,", "lead.region]", "duplicate", "stands twice"),
    ("[emea, na]]", "[emae, na]]", "emae", "not-a-value", "did you mean 'emea'?"),
    ("[[B, C], any, any]", "[[B, D], any, any]", "D], any", "not-a-value", "A, B, C"),
    ('"< 1000", any], route: inside', '"less than 1000", any], route: inside', '"less than', "type", "10..49"),
    ('"< 1000", any], route: inside', '"< 999.5", any], route: inside', '"< 999.5"', "type", "whole number"),
    ('[A, "< 1000", any]', '[A, "< 1000"]', '[A, "< 1000"]', "value", "any where it does not matter"),
    ("[[B, C], any, any]", "[[B, C], any, missing]", "rows", "gap", "region"),
    ('[A, "< 1000", any]', '[missing, "< 1000", any]', 'missing, "<', "value", "never missing"),
    ('[A, "< 1000", any]', '[A, "< 999", any]', "- {id: field, when", "gap", "for example lead: {employee_count: 999"),
    ('[A, ">= 1000", any]', '[A, ">= 1000", emea]', "{id: partner", "shadowed", "move it before"),
    ('[A, "< 1000", any]', '[A, {not: [">= 0", "< 0"]}, any]', "{id: inside", "never", "no value fits"),
    ("expect: inside}", "expect: 5}", "5}", "type", "expect: text is needed here (put it in quotes)"),
    ("expect: inside}", "expect: true}", "true}", "type", "expect: text is needed here (put it in quotes)"),
    ("expect: inside}", "expect: 2.5}", "2.5}", "type", "expect: text is needed here (put it in quotes)"),
    (
        "    stage: route\n",
        "    stage: route\n    hit: unique\n",
        "{id: partner",
        "overlap",
        "for example lead: {employee_count: 1000",
    ),
    ("    stage: route\n", "    stage: route\n    hit: frist\n", "frist", "value", "did you mean 'first'?"),
    ("    stage: route\n", "    stage: route\n    hit: collect\n", "collect", "value", "write hit: first or unique"),
    ("    outcome: accept\n", "", "{id: field, when", "missing", "needs an outcome"),
    ("    reason: BIG\n", "", "{id: field, when", "missing", "needs a reason"),
    ("reason: NEED", "reason: NEDE", "NEDE", "unknown-reason", "did you mean 'NEED'?"),
    ("{id: partner, when", "{id: field, when", 'field, when: [A, ">= 1000", any]', "duplicate", "rename one"),
    (
        "{lead.employee_count} people",
        "{lead.employees} people",
        "{lead.employees}",
        "placeholder",
        "lead.employee_count",
    ),
    ("expect: partner}", "expect: partnr}", "partnr", "test", "did you mean 'partner'?"),
    ("expect: unknown}", "expect: [inside, later]}", "[inside, later]", "test", "one row decides"),
    ("region: apac}", "regoin: apac}", "regoin", "test", "did you mean 'region'?"),
    (
        "name: just below",
        "name: large elsewhere",
        "large elsewhere, lead: {employee_count: 999",
        "duplicate",
        "rename one",
    ),
    ("    rows:\n", "    row:\n", "row:", "unknown-key", "did you mean 'rows'?"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{item[3]} {n}" for n, item in enumerate(MISTAKES)])
def test_each_mistake_has_its_place_and_advice(
    make: Callable[..., Path], place: Place, mistake: tuple[str, str, str, str, str]
) -> None:
    old, new, at, code, advice = mistake
    problems = checking.check(make(old, new))
    where = place(FILE, at) if at != "rows" else None
    told = [item for item in problems if (where is None or item.place == where) and item.code == code]
    assert told, [str(problem) for problem in problems]
    assert any(advice in str(item) for item in told), told


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("5", "expect: text is needed here"), ("{a: b}", "expect: text is needed here"),
        ("[inside, 5]", "expect: text is needed here"), ("[[inside]]", "expect: text is needed here"),
    ],
)  # fmt: skip
def test_a_value_of_several_types_is_told_once_and_hides_nothing(
    make: Callable[..., Path], place: Place, written: str, message: str
) -> None:
    directory = make("expect: inside}", f"expect: {written}}}")
    path = directory / FILE
    path.write_text(path.read_text().replace("region: apac}", "regoin: apac}"))
    problems = checking.check(directory)
    told = [problem for problem in problems if message in problem.message]
    assert len(told) == 1, [str(problem) for problem in problems]
    assert told[0].line == int(place(FILE, f"expect: {written}}}").split(":")[1])
    assert any("did you mean 'region'?" in problem.hint for problem in problems)


def test_a_row_that_no_test_sees_and_too_few_tests(make: Callable[..., Path], tabled: dict[str, str]) -> None:
    kept = tabled[FILE].split("      - {name: just below")[0]
    problems = checking.check(make(tabled[FILE].removeprefix(kept), ""))
    assert {problem.code for problem in problems} == {"tests"}
    assert [problem.message for problem in problems if "row" in problem.message] == [
        "no test of routes expects the row 'inside'", "no test of routes expects the row 'later'",
    ]  # fmt: skip


def test_a_table_may_leave_the_rest_to_later_rules(make: Callable[..., Path]) -> None:
    gone = "      - {id: later, when: [[B, C], any, any], route: later, outcome: nurture, reason: NEED}\n"
    test = "expect: later}"
    directory = make(gone, "")
    path = directory / FILE
    path.write_text(path.read_text().replace(test, "expect: none}"))
    assert {problem.code for problem in checking.check(directory)} == {"gap"}
    path.write_text(path.read_text().replace("    priority: 5\n", "    priority: 5\n    complete: false\n"))
    # Without it the routes as a whole still have the gap, which proof finds.
    assert {(problem.code, problem.file) for problem in checking.check(directory)} <= {("gap", "rules/all.rules.yaml")}


def test_it_decides_and_is_traced_like_rules(make: Callable[..., Path]) -> None:
    policy = read(make())
    assert all(result.passed for result in policies.run_tests(policy))
    names = [result.name for result in policies.run_tests(policy) if result.subject == "table routes"]
    assert names[0] == "large at home"
    runnable = policies.compile(policy)
    facts: dict[str, Any] = {"lead": Lead(employee_count=2000, region="apac").signals(), "result": {"tier": "A"}}
    hits = rules.evaluate(policy.every_rule, "route", predicates=runnable.rules, facts=facts)
    first = rules.first(hits)
    assert first is not None
    assert (first.rule, first.route, first.why) == ("routes/partner", "partner", "Tier A, 2000 people.")
    assert decision.gate(runnable, Lead()) is not None


def test_a_failing_test_says_which_row_came(make: Callable[..., Path]) -> None:
    directory = make("expect: unknown}", "expect: later}")
    (failed,) = [result for result in policies.run_tests(read(directory)) if not result.passed]
    assert (failed.subject, failed.name, failed.message) == ("table routes", "no size", "expected later, got unknown")


def test_bounds_are_moved_and_a_test_must_notice(make: Callable[..., Path]) -> None:
    policy = read(make())
    tiers = policy.rubric.tiers
    (table,) = policy.tables
    # `< 1000` may take in 1000: the rows before it decide that anyway, so nothing is there to be noticed.
    assert mutation.table_survivors(table, tiers) == []
    loose = read(make("employee_count: 999", "employee_count: 500"))
    assert mutation.table_survivors(loose.tables[0], tiers) == [
        ("field", "lead.employee_count >= 1000 -> >= 999"),
        ("partner", "lead.employee_count >= 1000 -> >= 999"),
        ("inside", "lead.employee_count < 1000 -> < 999"),
    ]
    told = {(item.code, item.subject, item.blocks) for item in policies.analyse(loose).findings}
    assert ("unguarded", "table routes, row inside", False) in told


def test_changes_are_told_by_row_and_column_and_are_major_but_for_words(make: Callable[..., Path]) -> None:
    before = read(make())

    def told(old: str, new: str) -> tuple[list[str], str]:
        after = read(make(old, new))
        return [str(item) for item in changes.compare(before, after)], changes.change_class(before, after)

    assert told("[emea, na]]", "[emea, latam]]") == (
        ["table `routes`, row `field`: lead.region: also latam; no longer na"], "major",
    )  # fmt: skip
    assert told("route: partner}", "route: agents}") == (
        ["table `routes`, row `partner`: route partner -> agents"],
        "major",
    )
    assert told("Tier {result.tier}, {lead.employee_count} people.", "Tier {result.tier}.")[1] == "minor"
    assert told("name: just below", "name: one less")[1] == "minor"
    later = "      - {id: later"
    new = "      - {id: late, when: [B, any, any], route: later, outcome: nurture, reason: NEED}\n"
    added = policies.load(make(later, new + later)).policy
    assert added is not None
    assert str(changes.compare(before, added)[0]) == (
        "table `routes`, row `late`: new (outcome nurture, route later): result.tier B, lead.employee_count any, "
        "lead.region any"
    )
    (table,) = before.tables
    turned = before.model_copy(update={"tables": (table.model_copy(update={"rows": table.rows[::-1]}),)})
    (change,) = changes.compare(before, turned)
    assert (change.text, change.major) == ("another order: later, inside, partner, field", True)


def test_what_must_not_run_is_refused_by_its_digest_too(make: Callable[..., Path]) -> None:
    policy = read(make())
    (table,) = policy.tables
    short = table.model_copy(update={"rows": table.rows[:-1], "tests": table.tests[:3]})
    codes = {problem.code for problem in checking.faults(policy.model_copy(update={"tables": (short,)}))}
    assert codes >= {"gap"}


@pytest.mark.parametrize("hit", ["first", "unique"])
def test_a_table_too_large_to_be_proved_is_refused(make: Callable[..., Path], hit: str) -> None:
    (known,) = read(make()).tables
    rows = tuple(
        known.rows[0].model_copy(update={"id": f"r{n}", "when": tuple(when)}) for n, when in enumerate(tangled())
    )
    inputs = tuple(f"lead.{name}" for name in TANGLED)
    table = known.model_copy(update={"inputs": inputs, "rows": rows, "tests": (), "hit": hit, "complete": False})
    told = [complaint for code, complaint in tabling.check(table, {}, {"A": 70, "B": 0}) if code == "unproven"]
    assert [(item.path, "more than 100,000" in item.text, "split it" in item.hint) for item in told] == [
        (("rows",), True, True)
    ]


def test_guardrails_collect(write: Write) -> None:
    text = """\
owner: ops
tables:
  - id: doubts
    stage: guardrail
    hit: collect
    complete: false
    inputs: [lead.email_kind, lead.employee_count]
    reason: SPAM
    outcome: review
    why: "Look at it."
    rows:
      - {id: mail, when: [free, any]}
      - {id: size, when: [any, "> 100000"]}
    tests:
      - {name: both, lead: {email_kind: free, employee_count: 100001}, expect: [mail, size]}
      - {name: mail, lead: {email_kind: free, employee_count: 100000}, expect: mail}
      - {name: neither, lead: {email_kind: business, employee_count: 5}, expect: none}
"""
    directory = write({"rules/guards.rules.yaml": text})
    assert checking.check(directory) == []
    assert all(result.passed for result in policies.run_tests(read(directory)))


RULES = policies.read(content.find(None)).rules
# What the shipped routes say from priority 20 on, as a table.
SHIPPED = {
    "id": "routes", "stage": "route", "priority": 20, "owner": "sales-operations", "why": "w", "outcome": "accept",
    "inputs": ["result.tier", "lead.region", "lead.employee_count", "lead.monthly_volume", "result.intent",
               "result.score", "result.fit"],
    "rows": [
        {"id": f"{name}", "reason": reason, "route": route, "when": when, **({"outcome": outcome} if outcome else {})}
        for name, reason, route, outcome, when in (
            ("big-emea", "ENTERPRISE", "enterprise_emea", "", [["A", "B"], "emea", ">= 1000", *["any"] * 4]),
            ("busy-emea", "ENTERPRISE", "enterprise_emea", "", [["A", "B"], "emea", "any", ">= 100000", *["any"] * 3]),
            ("big-na", "ENTERPRISE", "enterprise_na", "", [["A", "B"], "na", ">= 1000", *["any"] * 4]),
            ("busy-na", "ENTERPRISE", "enterprise_na", "", [["A", "B"], "na", "any", ">= 100000", *["any"] * 3]),
            ("emea", "MIDMARKET", "midmarket_emea", "", [["A", "B"], "emea", *["any"] * 5]),
            ("na", "MIDMARKET", "midmarket_na", "", [["A", "B"], "na", *["any"] * 5]),
            ("latam", "PARTNER_REGION", "partner_latam", "", [["A", "B"], "latam", *["any"] * 5]),
            ("apac", "PARTNER_REGION", "partner_apac", "", [["A", "B"], "apac", *["any"] * 5]),
            ("nowhere", "NO_REGION", "inside_sales", "", [["A", "B"], "missing", *["any"] * 5]),
            ("warm", "WARM_INTENT", "sales_development", "nurture", ["C", *["any"] * 3, ">= 45", "any", "any"]),
            ("cool", "NOT_YET", "nurture_program", "nurture", ["C", *["any"] * 6]),
            ("out", "KNOCKED_OUT", "archive", "reject", ["D", *["any"] * 4, ">= 30", "any"]),
            ("long", "NOT_YET", "newsletter", "nurture", ["D", *["any"] * 5, ">= 50"]),
            ("none-of-it", "LOW_SCORE", "archive", "reject", ["D", *["any"] * 6]),
        )
    ],
}  # fmt: skip


@given(
    st.sampled_from("ABCD"), st.sampled_from([None, "emea", "na", "latam", "apac"]),
    st.sampled_from([None, 5, 999, 1000, 50000]), st.sampled_from([None, 10.0, 99999.0, 100000.0]),
    st.tuples(*[st.sampled_from([0, 29, 30, 44, 45, 49, 50, 100])] * 3),
)  # fmt: skip
def test_the_shipped_routes_as_a_table_lead_to_the_same(
    tier: str, region: str | None, size: int | None, volume: float | None, numbers: tuple[int, int, int]
) -> None:
    given_ = {"region": region, "employee_count": size, "monthly_volume": volume}
    score, fit, intent = numbers
    facts: dict[str, Any] = {
        "lead": {name: value for name, value in given_.items() if value is not None},
        "result": {"tier": tier, "score": score, "fit": fit, "intent": intent, "confidence": 0.5},
    }
    found = []
    for asked in (RULES, tables.rules_of(Table.model_validate(SHIPPED))):
        mine = tuple(rule for rule in asked if rule.stage == "route")
        predicates = {rule.id: expressions.compile(rule.when, "route") for rule in mine}
        first = rules.first(rules.evaluate(mine, "route", predicates=predicates, facts=facts))
        assert first is not None
        found.append((first.outcome, first.route, first.reason))
    assert found[0] == found[1]


def test_the_shipped_routes_as_a_table_leave_nothing_out() -> None:
    found = grids.search(Table.model_validate(SHIPPED), {"A": 70, "B": 55, "C": 30, "D": 0})
    assert found == grids.Grid(overlaps=found.overlaps)
