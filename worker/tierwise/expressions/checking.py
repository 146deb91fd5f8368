"""Finds what is wrong with an expression before any lead meets it: syntax, fields, types, values, patterns.

It reports and never raises; whoever asks decides what an error means. Nothing is evaluated against a lead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cel_expr_python import cel

from tierwise.domain.rules import Stage
from tierwise.expressions import hints, syntax
from tierwise.expressions.environments import LOCK, check_environment, run_environment, variables

LONGEST = 2_000  # characters; CEL's own limits bound the time an expression takes

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?=\n \||\nERROR:|\Z)", re.DOTALL)
# Texts whose form is fixed though their values are too many to list.
_FORMS = {
    "lead.country": (re.compile(r"[A-Z]{2}"), "two capital letters, ISO 3166-1 alpha-2", "'DE'"),
    "lead.industry": (re.compile(r"[a-z0-9]+(_[a-z0-9]+)*"), "lower case with underscores", "'financial_services'"),
    "lead.email": (re.compile(r"[^A-Z]*"), "lower case", "'ada@acme.com'"),
    "lead.company_domain": (re.compile(r"[^A-Z]*"), "lower case", "'acme.com'"),
}


class CompileError(NamedTuple):
    """One thing that is wrong with an expression."""

    line: int
    """From 1, within the expression."""
    column: int
    """From 1, in characters."""
    code: str
    """too-long, syntax, unknown-field, unknown-name, type, not-boolean, not-a-value, pattern."""
    message: str
    hint: str = ""


def check(
    expression: str, stage: Stage, *, domains: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[CompileError, ...]:
    """Everything wrong with the expression at that stage; empty when it is right.

    `domains` closes more fields than the catalogue does (`{"result.tier": ("A", "B")}`).
    """
    if len(expression) > LONGEST:
        return (CompileError(1, 1, "too-long", f"{len(expression)} characters, at most {LONGEST}", "split the rule"),)
    try:
        with LOCK:
            compiled = check_environment(stage).compile(expression)
    except RuntimeError as error:  # what the library raises for every kind of mistake
        return _explained(str(error), expression, stage)
    kind = compiled.return_type()
    if kind != cel.Type.BOOL:
        message = f"gives {_shown(kind)} where true or false is needed"
        return (CompileError(1, 1, "not-boolean", message, "compare the value with something"),)
    tree = syntax.read(compiled.serialize())
    return (
        *_whole(tree, expression),
        *_values(tree, expression, stage, domains=domains or {}),
        *_patterns(tree, expression),
    )


def _explained(text: str, expression: str, stage: Stage) -> tuple[CompileError, ...]:
    errors = []
    lines = expression.split("\n")
    for found in _ERROR.finditer(text):
        line, column = int(found[1]), int(found[2])
        message = found[3].removesuffix(" [INVALID_ARGUMENT]")
        rest = lines[line - 1][column - 1 :] if 0 < line <= len(lines) else ""
        advised = hints.readable(message, rest=rest, stage=stage)
        errors.append(CompileError(line, column, advised.code, advised.message, advised.hint))
    if not errors:
        return (CompileError(1, 1, "syntax", text.splitlines()[0].removesuffix(" [INVALID_ARGUMENT]")),)
    # After the first mistake in the syntax, the others are its echo.
    return tuple(errors[:1]) if errors[0].code == "syntax" else tuple(errors)


def _shown(kind: Any) -> str:
    name = str(kind)
    return {"INT": "a whole number", "DOUBLE": "a decimal", "STRING": "text"}.get(name, name.rsplit(".", 1)[-1].lower())


def _whole(tree: syntax.Tree, expression: str) -> list[CompileError]:
    """`lead == null` has a type and is never true."""
    return [
        CompileError(*_place(expression, item.offset), "type", f"{item.text} stands alone", f"write {item.text}.field")
        for item in tree.whole
    ]


def _values(
    tree: syntax.Tree, expression: str, stage: Stage, *, domains: Mapping[str, tuple[str, ...]]
) -> list[CompileError]:
    errors = []
    for field, literal in tree.comparisons:
        variable = variables(stage).get(field)
        values = domains.get(field) or (variable.values if variable else ())
        line, column = _place(expression, literal.offset)
        if values and literal.text not in values:
            hint = hints.closest(literal.text, values, all_of="its values are")
            errors.append(
                CompileError(line, column, "not-a-value", f"'{literal.text}' is not a value of {field}", hint)
            )
        elif field in _FORMS and not _FORMS[field][0].fullmatch(literal.text):
            _, form, example = _FORMS[field]
            message = f"'{literal.text}' is not a value of {field}"
            errors.append(CompileError(line, column, "not-a-value", message, f"it is {form}: {example}"))
    return errors


def _patterns(tree: syntax.Tree, expression: str) -> list[CompileError]:
    """Regular expressions that RE2 refuses; CEL would say so only when a lead is there."""
    errors = []
    for pattern in tree.patterns:
        with LOCK:
            tried = run_environment("gate").compile("''.matches(lead)").eval(data={"lead": pattern.text})
        if tried.type() == cel.Type.ERROR:
            line, column = _place(expression, pattern.offset)
            message = str(tried.value()).removeprefix("INVALID_ARGUMENT: ")
            errors.append(CompileError(line, column, "pattern", message, "RE2 syntax, without look-around"))
    return errors


def _place(expression: str, offset: int) -> tuple[int, int]:
    before = expression[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
