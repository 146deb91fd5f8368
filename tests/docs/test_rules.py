"""What docs/rules.md shows is right: its rule and its table are checked as part of the shipped policy."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tierwise import content, policies

DOCUMENT = Path(__file__).parents[2] / "docs" / "rules.md"


def test_its_examples_hold_in_the_shipped_policy(tmp_path: Path) -> None:
    rule, table = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    content.lay_out(tmp_path)
    # Before all that is shipped, or the same leads would find two rules of one priority.
    rule = rule.replace("  stage: gate", "  priority: 39\n  stage: gate").replace(
        "disposable'", "disposable' && has(lead.company)"
    )
    text = f"owner: sales-operations\nrules:\n{textwrap.indent(rule, '  ')}{table}".replace(
        "    stage: route", "    priority: 15\n    stage: route"
    )
    (tmp_path / "rules" / "document.rules.yaml").write_text(text)
    found = policies.check(tmp_path)
    # The table takes every lead with a region and a size: later routes are then behind it.
    assert {problem.code for problem in found} <= {"shadowed"}, [str(problem) for problem in found]
    assert "rules/document.rules.yaml" not in {problem.file for problem in found}
    policy = policies.load(tmp_path).policy
    assert policy is not None
    results = [result for result in policies.run_tests(policy) if result.subject == "table routes"]
    assert [result for result in results if not result.passed] == []
    assert len(results) == 5


def test_it_is_found_from_the_readme() -> None:
    assert "docs/rules.md" in (DOCUMENT.parents[1] / "README.md").read_text(encoding="utf-8")
