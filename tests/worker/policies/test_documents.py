from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.policies import documents


def value(text: str) -> object:
    document, problems = documents.parse(text, "f.yaml")
    assert problems == ()
    return document.value


def test_it_is_yaml_1_2_and_nothing_is_guessed() -> None:
    text = "country: NO\ntier: on\nsize: 010\nversion: 2026-01-01\nflag: true\nshare: 0.5\nhex: 0x10\nnone: ~\n"
    assert value(text) == {
        "country": "NO",
        "tier": "on",
        "size": 10,
        "version": "2026-01-01",
        "flag": True,
        "share": 0.5,
        "hex": 16,
        "none": None,
    }


REFUSED = [
    # text, code, line, column
    pytest.param("a: 1\nb: 2\na: 3", "duplicate", 3, 1, id="duplicate key"),
    pytest.param("a: {x: 1, x: 2}", "duplicate", 1, 11, id="duplicate key in one line"),
    pytest.param("a: &here 1\nb: *here", "alias", 2, 4, id="alias"),
    pytest.param("a: !!python/object:os.system x", "tag", 1, 4, id="tag"),
    pytest.param("a: !mine {b: 1}", "tag", 1, 4, id="tag on a mapping"),
    pytest.param("<<: {a: 1}\nb: 2", "key", 1, 1, id="merge key"),
    pytest.param("%YAML 1.1\n---\na: no", "directive", 2, 1, id="directive"),
    pytest.param("1: a", "key", 1, 1, id="number as key"),
    pytest.param("? [a]\n: b", "key", 1, 3, id="list as key"),
    pytest.param("a: .inf", "number", 1, 4, id="infinity"),
    pytest.param("a: .nan", "number", 1, 4, id="not a number"),
    pytest.param("a:\n\t- 1", "yaml", 2, 1, id="tab"),
    pytest.param("a: 'x\nb: 1", "yaml", 2, 5, id="open quote"),
    pytest.param("a: b: c", "yaml", 1, 5, id="colon in text"),
    pytest.param("---\na: 1\n---\nb: 2", "yaml", 3, 1, id="two documents"),
    pytest.param("", "empty", 1, 1, id="empty"),
    pytest.param("~", "empty", 1, 1, id="null"),
    pytest.param("a: 1\nb: x\x0by", "yaml", 2, 5, id="invisible character"),
    pytest.param("# nothing\n", "empty", 1, 1, id="only a comment"),
    pytest.param("[" * 50 + "]" * 50, "limit", 1, 41, id="depth"),
    pytest.param("[\n" * 50 + "]" * 50, "limit", 41, 1, id="depth over many lines"),
    pytest.param("a: [1, &here 2]\nb: [*here]", "alias", 2, 5, id="alias in a list"),
    pytest.param("a: " + "x" * documents.MAX_BYTES, "limit", 1, 1, id="size"),
]


@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED)
def test_what_could_mislead_is_refused_at_its_place(text: str, code: str, line: int, column: int) -> None:
    _, problems = documents.parse(text, "f.yaml")
    assert [(item.code, item.line, item.column) for item in problems] == [(code, line, column)]


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    _, problems = documents.parse("[" * 100_000, "f.yaml")
    assert [item.code for item in problems] == ["limit"]


def test_every_mistake_of_a_file_is_told() -> None:
    _, problems = documents.parse("a: 1\na: 2\nb: .inf\n", "f.yaml")
    assert [(item.line, item.code) for item in problems] == [(2, "duplicate"), (3, "number")]


def test_a_problem_at_an_absent_value_is_at_what_should_hold_it() -> None:
    document, _ = documents.parse("rules:\n  - id: a\n    when: x\n", "f.yaml")
    assert document.problem(("rules", 0, "why"), "missing", "").place == "f.yaml:2:5"
    assert document.problem(("rules", 0, "when"), "x", "").place == "f.yaml:3:11"
    assert document.problem(("rules", 0, "when"), "x", "", key=True).place == "f.yaml:3:5"
    assert document.problem(("nothing",), "x", "").place == "f.yaml:1:1"


STYLES = {
    "plain": "when: {0}\n",
    "plain over two lines": "when: {1}\n  {2}\n",
    "single quotes": "when: '{0:q}'\n",
    "double quotes": 'when: "{0}"\n',
    "folded": "when: >-\n  {1}\n  {2}\n",
    "folded, indented by four": "a:\n    when: >\n        {1}\n        {2}\n",
    "literal": "when: |\n  {1}\n    {2}\n",
    "literal with a comment at its head": "when: |-  # comment\n\n  {1}\n  {2}\n",
    "in a flow mapping": "{{a: 1, when: '{0:q}'}}\n",
}


class Quoted(str):
    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return self.replace("'", "''") if spec == "q" else str(self)


@pytest.mark.parametrize("style", STYLES)
def test_a_place_inside_a_text_is_found_in_the_file_whatever_its_style(style: str) -> None:
    first, second = Quoted("lead.company == 'Müller'"), Quoted("&& lead.region == 'emae'")
    text = STYLES[style].format(Quoted(f"{first} {second}"), first, second)
    document, problems = documents.parse(text, "f.yaml")
    assert problems == ()
    path: documents.Path = ("a", "when") if text.startswith("a:") else ("when",)
    content = document.value["a"]["when"] if len(path) == 2 else document.value["when"]
    row = next(n for n, line in enumerate(content.split("\n"), 1) if "emae" in line)
    column = content.split("\n")[row - 1].index("emae") + 1
    line, at = document.inside(path, content, line=row, column=column)
    assert text.split("\n")[line - 1][at - 1 :].startswith("emae")


def test_a_place_in_a_text_with_escapes_is_the_texts_own() -> None:
    document, _ = documents.parse('when: "a \\"b\\" c"\n', "f.yaml")
    assert document.inside(("when",), 'a "b" c', line=1, column=7) == (1, 7)


@given(st.lists(st.text("ab 'é#:\\", min_size=1), min_size=1, max_size=4), st.data())
def test_in_a_literal_text_every_visible_character_is_found_again(lines: list[str], data: st.DataObject) -> None:
    # The first visible character fixes the indentation of the block.
    text = "x\n" + "\n".join(lines)
    source = "when: |-\n" + "\n".join(f"  {line}" for line in text.split("\n")) + "\n"
    document, problems = documents.parse(source, "f.yaml")
    assert problems == ()
    content = document.value["when"]
    visible = [
        (row, column)
        for row, line in enumerate(content.split("\n"), 1)
        for column, char in enumerate(line, 1)
        if not char.isspace()
    ]
    row, column = data.draw(st.sampled_from(visible))
    line, at = document.inside(("when",), content, line=row, column=column)
    assert (line, at) == (row + 1, column + 2)


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    document, problems = documents.parse(text, "f.yaml")
    assert bool(problems) or document.value is not None
