"""Expressions made runnable: facts in, match, no match or unknown out, with the fields that were missing.

An absent field is never an error and never false. Anything else that goes wrong is about this one lead and rejects it.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

from cel_expr_python import cel

from tierwise.domain.rules import Answer, Facts, Predicate, Stage
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.expressions import patterns, syntax
from tierwise.expressions.checking import check
from tierwise.expressions.environments import LOCK, check_environment, roots, run_environment

_MATCH, _NO_MATCH = Answer("match"), Answer("no_match")
# Only this error of CEL means that a field is absent; a value of a wrong Python type has another one.
_ABSENT = re.compile(r'NOT_FOUND: Key not found in map : "([a-z0-9_]+)"')
_ERROR = cel.Type.ERROR


@functools.lru_cache(maxsize=4096)
def compile(expression: str, stage: Stage) -> Predicate:
    """The expression as a callable over `{"lead": ..., "result": ...}`. Safe to call from several threads.

    Values are exactly str, int, float or bool; absent ones are left out. Facts that were asked about must not change:
    others are a mapping of their own. Raises Misconfigured where the expression is wrong, and the callable raises
    RejectRecord where it cannot be evaluated on these facts.
    """
    errors = check(expression, stage)
    if errors:
        first = errors[0]
        raise Misconfigured(first.message, place=f"expression '{_short(expression)}'", remedy=first.hint)
    with LOCK:
        tree = syntax.read(check_environment(stage).compile(expression).serialize())
        text, calls = patterns.rewritten(expression)
        program = run_environment(stage).compile(text)
    return _Predicate(expression, program, stage=stage, tree=tree, calls=calls)


class _Seen(threading.local):
    """What a thread made of the facts that it saw last: the next rule of the stage is mostly asked about the same."""

    def __init__(self) -> None:
        self.by_stage: dict[Stage, tuple[Facts, dict[str, dict[str, Any]], Any]] = {}


_seen = _Seen()


class _Predicate:
    __slots__ = ("_calls", "_expression", "_program", "_stage", "_tree")

    def __init__(
        self,
        expression: str,
        program: Any,
        *,
        stage: Stage,
        tree: syntax.Tree,
        calls: tuple[patterns.Call, ...],
    ) -> None:
        self._expression = expression
        self._program = program
        self._stage = stage
        self._tree = tree
        self._calls = calls

    def __call__(self, facts: Facts) -> Answer:
        held = _seen.by_stage.get(self._stage)
        if held is None or held[0] is not facts:
            data = {root: _plain(facts, root) for root in roots(self._stage)}
            held = _seen.by_stage[self._stage] = (facts, data, run_environment(self._stage).Activation(data))
        _, data, activation = held
        try:
            if self._calls:
                answer = self._program.eval(data={**data, patterns.ROOT: patterns.answers(self._calls, data)})
            else:
                answer = self._program.eval(activation)
        except RuntimeError as error:  # the limits of CEL itself, such as its iteration budget
            self._refuse(str(error))
        value = answer.value()
        if value is True:
            return _MATCH
        if value is False:
            return _NO_MATCH
        absent = _ABSENT.fullmatch(value) if answer.type() == _ERROR else None
        missing = self._missing(data, self._field(absent[1])) if absent else ()
        if not missing:
            self._refuse(str(value))
        return Answer("unknown", missing)

    def _field(self, key: str) -> str:
        """The field behind a key that CEL missed: an answer about a field is missing where the field is."""
        return next((call.field for call in self._calls if call.key == key), key)

    def _missing(self, data: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str, ...]:
        """Fields that the answer lacked; the one CEL stumbled over first is always among them."""
        absent = [name for name in self._tree.reads if not _present(name, data)]
        if key not in {name.split(".")[1] for name in absent}:
            return ()  # a key of a map that the expression itself wrote
        return tuple(name for name in absent if name not in self._tree.guarded or name.split(".")[1] == key)

    def _refuse(self, text: str) -> NoReturn:
        # CEL's text may hold the lead's values: only the kind of error is told.
        kind = text.split(":", 1)[0]
        raise RejectRecord(
            f"cannot be evaluated on this lead ({kind})",
            place=f"expression '{_short(self._expression)}'",
            remedy="a value has a form or size that the expression cannot take",
        )

    def __repr__(self) -> str:
        return f"<predicate {_short(self._expression)}>"


def _plain(facts: Facts, root: str) -> dict[str, Any]:
    values = facts.get(root)
    if values is None:
        raise Misconfigured(f"the expression needs {root}, which this stage did not give")
    return values if type(values) is dict else dict(values)


def _present(name: str, data: Mapping[str, Mapping[str, Any]]) -> bool:
    root, _, field = name.partition(".")
    return field in data.get(root, {})


def _short(expression: str) -> str:
    line = " ".join(expression.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
