"""A small policy, complete and right, that each test writes out and breaks in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PROMPT = """\
---
name: small
version: "1"
owner: ops
criteria:
  - id: size
    dimension: fit
    question: How large?
    weight: 60
    decide: rule
    levels:
      - {id: big, points: 1, when: lead.employee_count >= 50, reason: BIG}
      - {id: small, points: 0, when: lead.employee_count < 50}
  - id: need
    dimension: intent
    question: Is there a need?
    weight: 40
    decide: model
    fields: [message]
    levels:
      - {id: stated, points: 1, description: It is stated., reason: NEED}
      - {id: none, points: 0, description: It is not.}
tiers: {A: 70, B: 40, C: 0}
---
Assess {{ rubric }}.
{{ fields }}
"""
RULES = """\
owner: ops
rules:
  - id: spam
    stage: gate
    when: >-
      lead.message.contains('casino')
      && lead.email_kind == 'free'
    reason: SPAM
    outcome: reject
    why: "It is spam."
    tests:
      - {name: spam, lead: {message: a casino, email_kind: free}, expect: match}
      - {name: business, lead: {message: a casino, email_kind: business}, expect: no_match}
      - {name: silent, lead: {email_kind: free}, expect: unknown}
  - id: sales
    stage: route
    when: result.tier == 'A'
    reason: BIG
    outcome: accept
    route: sales
    why: "Tier {result.tier}, {lead.company}."
    tests:
      - {name: top, result: {tier: A}, expect: match}
      - {name: next, result: {tier: B}, expect: no_match}
      - {name: last, result: {tier: C}, expect: no_match}
"""
REST = """\
owner: ops
rules:
  - id: rest
    stage: route
    when: result.tier != 'A'
    reason: NEED
    outcome: nurture
    why: "Tier {result.tier}."
    tests:
      - {name: second, result: {tier: B}, expect: match}
      - {name: third, result: {tier: C}, expect: match}
      - {name: first, result: {tier: A}, expect: no_match}
"""
REASONS = """\
owner: ops
reasons:
  - {code: BIG, label: Big, template: "{lead.employee_count} people."}
  - {code: NEED, label: Need, template: "“{quote}”"}
  - {code: SPAM, label: Spam, template: It is spam., owner: somebody else}
"""
FRAGMENTS = """\
owner: ops
fragments:
  - {id: first-call, text: "Call {lead.company}.", reasons: [BIG], routes: [sales]}
"""
MAP = """\
connector: hubspot
owner: ops
version: "1"
fields:
  email: email
  employee_count: numemployees
tests:
  - {name: a size, record: {numemployees: "51-200"}, expect: {employee_count: 126}}
"""
FILES = {
    "prompts/qualify.md": PROMPT,
    "rules/all.rules.yaml": RULES,
    "rules/rest.rules.yaml": REST,
    "rules/reasons.yaml": REASONS,
    "rules/fragments/texts.yaml": FRAGMENTS,
    "rules/maps/hubspot.yaml": MAP,
}
Write = Callable[..., Path]
Place = Callable[[str, str], str]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """`place(file, text)`: where the text begins in the file as it was written; the text must stand there once."""

    def find(file: str, text: str) -> str:
        content = (tmp_path / file).read_text(encoding="utf-8")
        assert content.count(text) == 1, f"{text!r} stands {content.count(text)} times in {file}"
        before = content[: content.index(text)]
        return f"{file}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    return find


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write({file: (old, new)})` writes the small policy with the replacement made; a whole text replaces a file."""

    def make(changes: dict[str, tuple[str, str] | str] | None = None) -> Path:
        files: dict[str, str] = dict(FILES)
        for file, change in (changes or {}).items():
            if isinstance(change, str):
                files[file] = change
                continue
            old, new = change
            assert files[file].count(old) == 1, f"{old!r} stands {files[file].count(old)} times in {file}"
            files[file] = files[file].replace(old, new)
        for file, text in files.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return make


TABLE = """\
owner: ops
tables:
  - id: routes
    stage: route
    inputs: [result.tier, lead.employee_count, lead.region]
    priority: 5
    reason: BIG
    outcome: accept
    why: "Tier {result.tier}, {lead.employee_count} people."
    rows:
      - {id: field, when: [A, ">= 1000", [emea, na]], route: field}
      - {id: partner, when: [A, ">= 1000", any], route: partner}
      - {id: inside, when: [A, "< 1000", any], route: inside}
      - {id: later, when: [[B, C], any, any], route: later, outcome: nurture, reason: NEED}
    tests:
      - {name: large at home, lead: {employee_count: 1000, region: emea}, result: {tier: A}, expect: field}
      - {name: large elsewhere, lead: {employee_count: 1000, region: apac}, result: {tier: A}, expect: partner}
      - {name: just below, lead: {employee_count: 999, region: emea}, result: {tier: A}, expect: inside}
      - {name: another tier, lead: {employee_count: 5000}, result: {tier: B}, expect: later}
      - {name: no size, lead: {region: emea}, result: {tier: A}, expect: unknown}
"""


@pytest.fixture
def tabled() -> dict[str, str]:
    """The files of a policy whose routes are a table, for `write`."""
    return {"rules/rest.rules.yaml": TABLE}
