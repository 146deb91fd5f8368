from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise.policies import documents, loading

Write = Callable[..., Path]
Place = Callable[[str, str], str]


def codes(loaded: loading.Loaded) -> list[tuple[str, str]]:
    return [(problem.place, problem.code) for problem in loaded.problems]


def test_all_files_become_one_policy(write: Write) -> None:
    loaded = loading.load(write())
    policy = loaded.policy
    assert loaded.problems == ()
    assert policy is not None
    assert (policy.name, policy.version, policy.owner) == ("small", "1", "ops")
    assert [rule.id for rule in policy.rules] == ["rest", "sales", "spam"]
    assert [reason.code for reason in policy.reasons] == ["BIG", "NEED", "SPAM"]
    assert [fragment.id for fragment in policy.fragments] == ["first-call"]
    assert list(policy.maps) == ["hubspot"]
    assert policy.prompt == "Assess {{ rubric }}.\n{{ fields }}"


def test_the_files_owner_is_the_items_unless_they_name_one(write: Write) -> None:
    policy = loading.load(write()).policy
    assert policy is not None
    assert [reason.owner for reason in policy.reasons] == ["ops", "ops", "somebody else"]


def test_identity_is_what_is_said_and_not_where_or_how(write: Write) -> None:
    first = loading.load(write()).policy
    commented = loading.load(write({"prompts/qualify.md": ("weight: 60", "weight: 60 # the same")})).policy
    spam, sales = (write() / "rules/all.rules.yaml").read_text().split("  - id: sales")
    moved = write({"rules/all.rules.yaml": spam, "rules/a.rules.yaml": f"owner: ops\nrules:\n  - id: sales{sales}"})
    second = loading.load(moved).policy
    assert first is not None
    assert commented is not None
    assert second is not None
    assert first.digest() == commented.digest() == second.digest()


def test_a_changed_word_is_another_policy(write: Write) -> None:
    first = loading.load(write()).policy
    second = loading.load(write({"rules/reasons.yaml": ("It is spam.", "It was spam.")})).policy
    assert first is not None
    assert second is not None
    assert first.digest() != second.digest()


def test_the_template_keeps_its_lines(write: Write) -> None:
    loaded = loading.load(write())
    lines = (write() / "prompts/qualify.md").read_text().split("\n")
    assert lines[loaded.prompt_line - 1] == "Assess {{ rubric }}."


def test_one_mistake_does_not_hide_the_others(write: Write, place: Place) -> None:
    loaded = loading.load(
        write(
            {
                "prompts/qualify.md": ("weight: 60", "weight: many"),
                "rules/all.rules.yaml": ("stage: gate", "stage: gates"),
                "rules/reasons.yaml": ("label: Big", "lable: Big"),
                "rules/maps/hubspot.yaml": ("employee_count: numemployees", "employes: numemployees"),
            }
        )
    )
    assert loaded.policy is None
    assert codes(loaded) == [
        (place("prompts/qualify.md", "many"), "type"),
        (place("rules/all.rules.yaml", "gates"), "value"),
        (place("rules/reasons.yaml", "lable"), "unknown-key"),
        (place("rules/maps/hubspot.yaml", "employes"), "value"),
    ]
    assert [item.value.id for item in loaded.rules] == ["spam", "sales", "rest"]  # as far as it can be guessed


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        pytest.param("prompts/qualify.md", "Assess this.\n", "front-matter", id="no front matter"),
        pytest.param("prompts/qualify.md", "---\nname: x\n", "front-matter", id="front matter without an end"),
        pytest.param("prompts/qualify.md", "---\n- a\n---\nx\n", "type", id="front matter is a list"),
        pytest.param("rules/reasons.yaml", "owner: ops\n", "missing", id="no reasons"),
        pytest.param("rules/reasons.yaml", "owner: ops\nreasons: 5\n", "type", id="reasons are a number"),
        pytest.param("rules/reasons.yaml", "~\n", "empty", id="nothing in it"),
        pytest.param("rules/all.rules.yaml", "owner: ops\nrule: []\nrules: []\n", "unknown-key", id="unknown key"),
        pytest.param("rules/all.rules.yaml", "rules:\n  - text\n", "type", id="a rule is a text"),
        pytest.param("rules/all.rules.yaml", "x" * (documents.MAX_BYTES + 1), "limit", id="too large"),
    ],
)
def test_a_file_of_another_shape_is_told(write: Write, file: str, text: str, code: str) -> None:
    loaded = loading.load(write({file: text}))
    assert loaded.policy is None
    assert [(problem.file, problem.code) for problem in loaded.problems] == [(file, code)]


def test_a_file_that_is_missing_or_no_text_is_told(write: Write) -> None:
    directory = write()
    (directory / "rules/reasons.yaml").unlink()
    (directory / "rules/all.rules.yaml").write_bytes(b"\xff\xfe\x00")
    assert codes(loading.load(directory)) == [("rules/all.rules.yaml:1:1", "file"), ("rules/reasons.yaml:1:1", "file")]


def test_no_directory_is_told(tmp_path: Path) -> None:
    loaded = loading.load(tmp_path / "nowhere")
    assert [problem.code for problem in loaded.problems] == ["file"]
    assert "nowhere" in loaded.problems[0].message


def test_an_identity_stands_once_in_all_files(write: Write, place: Place) -> None:
    rules = (write() / "rules/all.rules.yaml").read_text()
    loaded = loading.load(write({"rules/b.rules.yaml": rules}))
    assert codes(loaded) == [
        (place("rules/b.rules.yaml", "spam\n"), "duplicate"),
        (place("rules/b.rules.yaml", "sales\n    stage"), "duplicate"),
    ]
    assert place("rules/all.rules.yaml", "spam\n") in loaded.problems[0].hint


def test_there_is_a_most_of_rules(write: Write) -> None:
    text = (write() / "rules/all.rules.yaml").read_text()
    head, rule = text.split("  - id: spam\n")
    rule = rule.split("  - id: sales")[0]
    many = head + "".join(f"  - id: spam-{n}\n{rule}" for n in range(loading.MAX_RULES + 1))
    loaded = loading.load(write({"rules/all.rules.yaml": many}))
    assert [problem.code for problem in loaded.problems] == ["limit"]
