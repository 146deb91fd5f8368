from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import policies
from tierwise.errors import Misconfigured
from tierwise.policies import checking

Write = Callable[..., Path]
Place = Callable[[str, str], str]
PROMPT, RULES, REASONS, TEXTS = (
    "prompts/qualify.md", "rules/all.rules.yaml", "rules/reasons.yaml", "rules/fragments/texts.yaml",
)  # fmt: skip


def test_what_is_right_has_no_problem(write: Write) -> None:
    assert checking.check(write(), template_check=lambda _: []) == []


UNKNOWN_TEST = "lead: {email_kind: free}, expect: unknown"
LAST_TEST = "      - {name: last, result: {tier: C}, expect: no_match}\n"
# Both rules have tests; these are the keys of those of the one and of the other.
OF_SPAM, OF_SALES = "tests:\n      - {name: spam", "tests:\n      - {name: top"
MISTAKES = [
    # file, old, new, what stands at the place, code, part of message or hint
    (RULES, "'free'", "'fre'", "'fre'", "not-a-value", "'free'"),
    (RULES, "lead.message.contains", "lead.mesage.contains", ".mesage", "unknown-field", "'message'"),
    (RULES, "result.tier == 'A'", "result.tier == 'E'", "'E'", "not-a-value", "A, B, C"),
    (RULES, "result.tier == 'A'", "result.outcome == 'accept'", ".outcome ==", "unknown-field", "guardrail"),
    (PROMPT, "lead.employee_count >= 50", "lead.employee_count >= 50.0", ">= 50.0", "type", "write 50"),
    (PROMPT, "lead.employee_count < 50}", "result.fit > 1}", ".fit > 1", "unknown-name", "route and guardrail"),
    (PROMPT, "reason: NEED", "reason: NEEED", "NEEED", "unknown-reason", "'NEED'"),
    (RULES, "reason: SPAM", "reason: SPAMM", "SPAMM", "unknown-reason", "'SPAM'"),
    (RULES, "    outcome: reject\n", "", "id: spam", "missing", "needs an outcome"),
    (
        RULES,
        "{name: business,",
        "{name: spam,",
        "spam, lead: {message: a casino, email_kind: business}",
        "duplicate",
        "2 tests",
    ),
    (RULES, UNKNOWN_TEST, "lead: {email_kind: fee}, expect: unknown", "fee}", "test", "lead.email_kind"),
    (RULES, "lead: {message: a casino, email_kind: free}", "lead: {mesage: a}", "mesage: a}", "test", "lead.mesage"),
    (RULES, "result: {tier: C}", "result: {tier: 3}", "3}", "test", "result.tier must be text"),
    (RULES, "result: {tier: C}", "result: {outcome: review}", "outcome: review}", "test", "not known at stage route"),
    (RULES, LAST_TEST, "", OF_SALES, "tests", "at least 3"),
    (RULES, "{tier: A}, expect: match", "{tier: A}, expect: no_match", OF_SALES, "tests", "expects match"),
    (RULES, UNKNOWN_TEST, "lead: {email_kind: free}, expect: match", OF_SPAM, "tests", "has()"),
    (RULES, "{lead.company}", "{lead.compny}", "{lead.compny}", "placeholder", "lead.company"),
    (REASONS, "{quote}", "{quotes}", "{quotes}", "placeholder", "quote"),
    (TEXTS, "{lead.company}", "{result.tier}", "{result.tier}", "placeholder", "lead.company"),
    (TEXTS, "reasons: [BIG]", "reasons: [BIGG]", "BIGG", "unknown-reason", "'BIG'"),
    (TEXTS, "routes: [sales]", "routes: [sale]", "sale]", "unknown-route", "'sales'"),
    (
        PROMPT,
        "{A: 70, B: 40,",
        "{A: 30, B: 40,",
        "40, C",
        "value",
        "write them in this order if it is meant: {B: 40, A: 30",
    ),
    (PROMPT, "tiers: {A: 70,", "targets: {precision: 80}\ntiers: {A: 70,", "80}", "value", "write 0.8"),
]


@pytest.mark.parametrize("text", ["{C: 0, B: 40, A: 70}", "{A: 70, B: 40, C: 0}"])
def test_tiers_may_be_written_from_either_end(write: Write, text: str) -> None:
    directory = write()
    path = directory / PROMPT
    path.write_text(path.read_text().replace("{A: 70, B: 40, C: 0}", text))
    assert checking.check(directory, template_check=lambda _: []) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (PROMPT, "{A: 70, B: 40, C: 0}", "{A: seventy, B: 40, C: 0}", "A: a whole number is needed here"),
        (
            RULES,
            "    stage: route\n",
            "    stage: route\n    priority: first\n",
            "priority: a whole number is needed here",
        ),
    ],
)
def test_a_number_that_is_none_has_no_echo(write: Write, file: str, old: str, new: str, message: str) -> None:
    directory = write()
    path = directory / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    assert [problem.message for problem in checking.check(directory, template_check=lambda _: [])] == [message]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[2].strip() or "removed")
def test_each_mistake_has_its_place(write: Write, place: Place, mistake: tuple[str, str, str, str, str, str]) -> None:
    file, old, new, at, code, part = mistake
    problems = checking.check(write({file: (old, new)}))
    told = [problem for problem in problems if problem.place == place(file, at)]
    assert told, [str(problem) for problem in problems]
    assert any(problem.code == code and part in str(problem) for problem in told), told


def test_a_contradiction_cannot_decide_otherwise(write: Write) -> None:
    problems = checking.check(write({RULES: ("stage: gate", "stage: contradiction")}))
    assert [(problem.place, problem.code) for problem in problems] == [(f"{RULES}:9:14", "value")]


def test_a_broken_file_does_not_hide_what_is_wrong_in_another(write: Write) -> None:
    problems = checking.check(write({RULES: ("'free'", "'fre'"), REASONS: ("label: Big", "label: [")}))
    assert {(problem.file, problem.code) for problem in problems} >= {(RULES, "not-a-value"), (REASONS, "yaml")}


def test_problems_come_in_the_order_of_the_files(write: Write) -> None:
    problems = checking.check(
        write({RULES: ("'free'", "'fre'"), PROMPT: ("reason: NEED", "reason: NEEED"), TEXTS: ("[sales]", "[sale]")})
    )
    places = [(problem.file, problem.line, problem.column) for problem in problems]
    assert len(places) == 3
    assert places == sorted(places)


def test_the_templates_problems_are_placed_in_the_prompt_file(write: Write) -> None:
    directory = write()
    asked: list[str] = []

    def template_check(text: str) -> list[str]:
        asked.append(text)
        return ["line 2: unknown variable fields", "cannot be rendered"]

    problems = checking.check(directory, template_check=template_check)
    assert asked == ["Assess {{ rubric }}.\n{{ fields }}"]
    assert [(problem.place, problem.message, problem.excerpt) for problem in problems] == [
        (f"{PROMPT}:25:1", "cannot be rendered", "Assess {{ rubric }}."),
        (f"{PROMPT}:26:1", "unknown variable fields", "{{ fields }}"),
    ]


def test_reading_gives_the_policy(write: Write) -> None:
    assert policies.read(write()).name == "small"


def test_reading_what_is_wrong_raises_with_places_and_the_way_on(write: Write) -> None:
    text = (write() / RULES).read_text().replace("expect: match", "expect: maybe").replace("stage: ", "stage: x")
    with pytest.raises(Misconfigured) as caught:
        policies.read(write({RULES: text, PROMPT: ("weight: 60", "weight: 6O"), REASONS: ("BIG", "big")}))
    message = str(caught.value)
    assert f"{PROMPT}:9:13" in message
    assert "tierwise policy check" in message
    assert message.count("\n") == 6
    assert "and 4 more" in message
