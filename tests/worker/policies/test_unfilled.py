"""What was left to people is told until they filled it in."""

from __future__ import annotations

from pathlib import Path

from tierwise import content, policies


def test_a_marked_example_is_told_at_its_place(tmp_path: Path) -> None:
    content.lay_out(tmp_path)
    file = tmp_path / "prompts" / "qualify.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("examples:\n", 'examples:\n  - {name: "FILL_IN: a good one", lead: {}, tier: FILL_IN}\n', 1),
        encoding="utf-8",
    )
    (problem,) = policies.check(tmp_path)
    assert (problem.code, problem.message) == ("fill-in", "to be filled in: a good one")
    assert "A, B, C, D" in problem.hint
    file.write_text(file.read_text(encoding="utf-8").replace("tier: FILL_IN", "tier: A"), encoding="utf-8")
    (problem,) = policies.check(tmp_path)
    assert problem.code == "fill-in", "the name is still the draft's"
