"""CEL's messages in plain words: what is wrong and what to write instead.

Only texts are made here; nothing is compiled. A message that is not known is passed on as CEL wrote it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tierwise.domain.rules import Stage
from tierwise.expressions.environments import variables


class Advised(NamedTuple):
    """One of CEL's messages, made readable."""

    code: str
    message: str
    hint: str


_KINDS = {
    "int": "a whole number",
    "double": "a decimal",
    "string": "text",
    "bool": "true or false",
    "null_type": "null",
    "google.protobuf.Timestamp": "a point in time",
    "timestamp": "a point in time",
}
_OPERATORS = {
    "_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_&&_": "&&", "_||_": "||",
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "!_": "!", "-_": "-", "@in": "in", "_?_:_": "? :",
    "_[_]": "[ ]",
}  # fmt: skip
_BY_OPERATOR = {
    **dict.fromkeys(("&&", "||", "!"), "both sides must be true or false: compare the value with something"),
    "[ ]": "write lead.x instead of lead['x']",
}
_BY_KIND = {
    "null_type": "an absent field is not null: write has(lead.x) or !has(lead.x)",
    "google.protobuf.Timestamp": "write timestamp(lead.submitted_at) to compare moments",
    "timestamp": "write timestamp(lead.submitted_at) to compare moments",
    "bool": "true and false stand without quotes, or the field alone: lead.is_duplicate",
}
_WORDS = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!"}


_AS_NEAR = 0.15


def readable(text: str, *, rest: str, stage: Stage) -> Advised:
    """CEL's message in plain words; `rest` is the expression from the place of the error on."""
    for pattern, advise in _READERS:
        found = pattern.fullmatch(text)
        if found:
            return advise(found, rest, stage)
    return Advised("type", text, "")


def closest(word: str, known: Iterable[str], *, all_of: str = "") -> str:
    """`did you mean 'x'?`, or the whole list where nothing is near and the list is short."""
    choices = list(dict.fromkeys(known))
    near = difflib.get_close_matches(word, choices, n=3, cutoff=0.6)
    if near:
        # The first is the nearest; others are worth a word only where they are nearly as near.
        least = difflib.SequenceMatcher(None, near[0], word).ratio() - _AS_NEAR
        near = [item for item in near if difflib.SequenceMatcher(None, item, word).ratio() >= least]
        return f"did you mean {' or '.join(repr(item) for item in near)}?"
    if len(choices) <= 25:
        return f"{all_of or 'there is'}: {', '.join(sorted(choices))}"
    return ""


def _syntax(found: re.Match[str], rest: str, _stage: Stage) -> Advised:
    word = re.match(r"[A-Za-z]+|\S", rest)
    start = word[0] if word else ""
    message = f"cannot be read: {found[1]}"
    if start in _WORDS:
        return Advised("syntax", f"'{start}' is not an operator here", f"write {_WORDS[start]}")
    if start in {"&", "|"}:
        return Advised("syntax", f"one '{start}' is not an operator here", f"write {start * 2}")
    if start == "=":
        return Advised("syntax", "one '=' is not an operator here", "write == to compare")
    if start == "" or "'<EOF>' expecting" in found[1]:
        return Advised("syntax", "the expression ends too early", "a value or a closing bracket is missing")
    if found[1].endswith("expecting <EOF>"):
        return Advised("syntax", f"'{start}' cannot stand here", "an operator such as && or == is missing before it")
    return Advised("syntax", message, "texts stand in '...', every bracket is closed")


def _unknown_field(found: re.Match[str], _rest: str, stage: Stage) -> Advised:
    name, message = found[1], found[2].rsplit(".", 1)[-1].lower()
    mine = [key.split(".")[1] for key in variables(stage) if key.startswith(f"{message}.")]
    if message == "result" and f"result.{name}" in variables("guardrail"):
        return Advised("unknown-field", f"result.{name} is not known yet at stage {stage}", "a guardrail can read it")
    return Advised("unknown-field", f"there is no field {message}.{name}", closest(name, mine, all_of="the fields are"))


def _unknown_name(found: re.Match[str], _rest: str, stage: Stage) -> Advised:
    name = found[1]
    first = name.split(".")[0]
    if first == "result":
        return Advised(
            "unknown-name", f"the result is not known yet at stage {stage}", "only route and guardrail rules see it"
        )
    if f"lead.{first}" in variables(stage):
        return Advised("unknown-name", f"'{first}' stands alone", f"write lead.{first}")
    if first in _WORDS:
        return Advised("syntax", f"'{first}' is not an operator here", f"write {_WORDS[first]}")
    near = difflib.get_close_matches(first, [key.split(".")[1] for key in variables(stage)], n=1, cutoff=0.75)
    hint = f"did you mean lead.{near[0]}?" if near else "text stands in quotes; fields begin with lead. or result."
    return Advised("unknown-name", f"'{name}' is not known", hint)


def _overload(found: re.Match[str], rest: str, _stage: Stage) -> Advised:
    operator = _OPERATORS.get(found[1], f"{found[1]}()")
    types = _split(found[2])
    shown = " and ".join(_kind(kind) for kind in types) or "nothing"
    return Advised("type", f"{operator} does not take {shown}", _overload_hint(operator, types, rest))


def _overload_hint(operator: str, types: list[str], rest: str) -> str:
    pair = {kind.removeprefix("list(").removesuffix(")") for kind in types}
    if pair == {"int", "double"}:
        return _number_hint(types, rest)
    if pair in ({"int", "string"}, {"double", "string"}):
        textual = types[0] == "string"
        return "the field is text: put quotes around the value" if textual else "the field is a number: no quotes"
    return _BY_OPERATOR.get(operator) or next((hint for kind, hint in _BY_KIND.items() if kind in pair), "")


def _number_hint(types: list[str], rest: str) -> str:
    number = re.search(r"-?\d+(\.\d+)?", rest)
    if types[0] == "double":
        return f"this field is a decimal: write {number[0] if number else '1'}.0"
    whole = number[0].split(".")[0] if number else "1"
    return f"this field is a whole number: write {whole} without a decimal point"


def _kind(name: str) -> str:
    if name.startswith("list("):
        return f"a list of {_kind(name[5:-1]).removeprefix('a ')}s" if name != "list(string)" else "a list of texts"
    return _KINDS.get(name, name.rsplit(".", 1)[-1].lower())


def _split(types: str) -> list[str]:
    return [part.strip() for part in types.split(",") if part.strip()]


_Reader = Callable[[re.Match[str], str, Stage], Advised]
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (re.compile(r"Syntax error: (.*)", re.DOTALL), _syntax),
    (re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'"), _unknown_field),
    (re.compile(r"undeclared reference to '([^']*)' \(in container ''\)"), _unknown_name),
    (re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'"), _overload),
)
