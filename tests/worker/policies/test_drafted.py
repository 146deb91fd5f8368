"""Drafted files are YAML that says what was drafted, whatever words the sheet is in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tierwise.policies import drafted, drafts, sheets

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30)


@given(WORDS.filter(str.strip), st.integers(1, 50))
def test_any_words_survive(text: str, points: int) -> None:
    draft = drafts.draft(sheets.Sheet((sheets.Row(1, text.strip(), float(points)),), (), ()))
    files = drafted.files(draft, name=text, owner="ops", tiers_of={})
    front = files["prompts/qualify.md"].split("\n---\n")[0].removeprefix("---\n")
    rubric = YAML(typ="safe").load(front)
    assert rubric["name"] == text
    assert text.strip() in rubric["criteria"][0]["question"]
    reasons = YAML(typ="safe").load(files["rules/reasons.yaml"])["reasons"]
    assert reasons[0]["code"] == rubric["criteria"][0]["levels"][0]["reason"]
    routes = YAML(typ="safe").load(files["rules/routes.rules.yaml"])["rules"]
    assert [len(rule["tests"]) for rule in routes] == [3] * len(rubric["tiers"])
