"""Expressions made runnable: facts in, match, no match or unknown out, with the fields that were missing.

An absent field is never an error and never false. Anything else that goes wrong is about this one lead and rejects it.
"""

from __future__ import annotations

import functools
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, NoReturn

from cel_expr_python import cel

from tierwise.domain.rules import Answer, Facts, Predicate, Stage
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.expressions import patterns, syntax
from tierwise.expressions.checking import check
from tierwise.expressions.environments import LOCK, check_environment, roots, run_environment, variables

_MATCH, _NO_MATCH = Answer("match"), Answer("no_match")
# Only this error of CEL means that a field is absent; a value of a wrong Python type has another one.
_ABSENT = re.compile(r'NOT_FOUND: Key not found in map : "([a-z0-9_]+)"')
_ERROR = cel.Type.ERROR
_NOTHING: Mapping[str, Any] = {}


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
        # What a rewritten expression still reads by itself, not only through the answers to its patterns.
        rest = syntax.read(program.serialize())
    return _Predicate(expression, program, stage=stage, tree=tree, calls=calls, rest=rest)


class _Read(NamedTuple):
    """How the answer of an expression depends on one field."""

    root: str
    field: str
    by: Literal["value", "presence", "place", "anything"]
    scale: tuple[float, ...] = ()
    """For `place`: which numbers the field's is compared with."""


def _read(name: str, tree: syntax.Tree, stage: Stage) -> _Read:
    root, field = name.split(".", 1)
    if name not in tree.reads:
        return _Read(root, field, "presence")
    scale = tree.scales.get(name, ())
    if scale and all(abs(number) <= _EXACT for number in scale):
        return _Read(root, field, "place", scale)
    return _Read(root, field, "value" if _few(name, stage) else "anything")


def _few(name: str, stage: Stage) -> bool:
    """Whether a field has so few values that answers about it are worth keeping."""
    known = variables(stage).get(name)
    return known is not None and (known.kind in ("choice", "boolean") or name in _REPEATED)


_REPEATED = frozenset({"lead.country", "lead.industry", "result.tier", "result.route"})
_EXACT = 2**53
"""Up to here whole and decimal numbers compare alike everywhere."""
_KEPT = 256
"""Answers of one expression: few thousand of all of a policy."""


class _Held:
    """What was made of one set of facts for one stage."""

    __slots__ = ("activation", "asked", "data", "facts", "texts")

    def __init__(self, facts: Facts, stage: Stage) -> None:
        self.facts = facts
        self.data = {root: _plain(facts, root) for root in roots(stage)}
        self.activation = run_environment(stage).Activation(self.data)
        self.texts = patterns.Texts(self.data)
        self.asked: dict[tuple[tuple[str, bool], ...], Any] = {}
        """Activations with answers of `matches`, by the answers: most rules have one call, which says no."""


class _Seen(threading.local):
    """What a thread made of the facts that it saw last: the next rule of the stage is mostly asked about the same."""

    def __init__(self) -> None:
        self.by_stage: dict[Stage, _Held] = {}


_seen = _Seen()


class Remembering:
    """Predicates made to answer once for the same values of the fields they read: for asking thousands of leads, which
    share most of those values, and several policies, which share most expressions. One thread's."""

    def __init__(self) -> None:
        self._made: dict[Predicate, Predicate] = {}

    def of(self, predicate: Predicate) -> Predicate:
        """The same, with a memory; the same one each time."""
        if predicate not in self._made:
            self._made[predicate] = _Remembered(predicate) if isinstance(predicate, _Predicate) else predicate
        return self._made[predicate]


class _Remembered:
    __slots__ = ("_answers", "_lead", "_predicate", "_result")
    _KEPT = 2048

    def __init__(self, predicate: _Predicate) -> None:
        self._predicate = predicate
        self._lead, self._result = predicate.fields("lead"), predicate.fields("result")
        self._answers: dict[tuple[Any, ...], Answer] = {}

    def __call__(self, facts: Facts) -> Answer:
        key = tuple(map(facts["lead"].get, self._lead))
        if self._result:
            key += tuple(map(facts.get("result", _NOTHING).get, self._result))
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= self._KEPT:
                self._answers.clear()
            found = self._answers[key] = self._predicate(facts)
        return found


class _Predicate:
    __slots__ = ("_calls", "_expression", "_kept", "_program", "_reads", "_stage", "_told_by", "_tree")

    def __init__(
        self,
        expression: str,
        program: Any,
        *,
        stage: Stage,
        tree: syntax.Tree,
        calls: tuple[patterns.Call, ...],
        rest: syntax.Tree,
    ) -> None:
        """`rest` is what the program reads by itself, not through `calls`."""
        self._expression = expression
        self._program = program
        self._stage = stage
        self._tree = tree
        self._calls = calls
        self._reads = [(name, *name.split(".", 1)) for name in tree.reads]
        self._told_by: list[_Read] | None = None
        if not tree.whole:
            names = sorted({*rest.reads, *rest.guarded})
            self._told_by = [_read(name, rest, stage) for name in names if not name.startswith(f"{patterns.ROOT}.")]
        self._kept: dict[tuple[Any, ...], Answer] = {}

    def __call__(self, facts: Facts) -> Answer:
        held = _seen.by_stage.get(self._stage)
        if held is None or held.facts is not facts:
            held = _seen.by_stage[self._stage] = _Held(facts, self._stage)
        answers = held.texts.answers(self._calls) if self._calls else None
        key = self._key(held.data, answers)
        if key is None:
            return self._asked(held, answers)
        found = self._kept.get(key)
        if found is None:
            found = self._asked(held, answers)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _key(self, data: Mapping[str, Mapping[str, Any]], answers: dict[str, bool] | None) -> tuple[Any, ...] | None:
        """What the answer depends on, where it is worth keeping: leads of one key have one answer."""
        if self._told_by is None:
            return None
        key: list[Any] = [*answers.items()] if answers else []
        for root, field, by, scale in self._told_by:
            value = data[root].get(field)
            kind = type(value)
            # With its type: to a key True is 1, to CEL it is not.
            key.append(kind)
            if value is None:
                continue
            if by == "value":
                key.append(value)
            elif by == "place":
                # Between which of the numbers it lies, or on which, says how every comparison ends.
                if (kind is not int and kind is not float) or not -_EXACT <= value <= _EXACT:
                    return None
                key.append(bisect_left(scale, value) + bisect_right(scale, value))
            elif by == "anything":
                return None
        return tuple(key)

    def _asked(self, held: _Held, answers: dict[str, bool] | None) -> Answer:
        try:
            answer = self._program.eval(held.activation if answers is None else self._answered(held, answers))
        except RuntimeError as error:  # the limits of CEL itself, such as its iteration budget
            self._refuse(str(error))
        value = answer.value()
        if value is True:
            return _MATCH
        if value is False:
            return _NO_MATCH
        key = _absent(value) if answer.type() == _ERROR else None
        missing = self._missing(held.data, self._field(key)) if key is not None else ()
        if not missing:
            self._refuse(str(value))
        return Answer("unknown", missing)

    def fields(self, root: str) -> tuple[str, ...]:
        """Everything of `lead` or `result` that the answer can depend on."""
        named = (name.split(".", 1) for name in sorted({*self._tree.reads, *self._tree.guarded}))
        return tuple(field for start, field in named if start == root)

    def _answered(self, held: _Held, answers: dict[str, bool]) -> Any:
        """The facts with what `matches` says of them."""
        key = tuple(answers.items())
        found = held.asked.get(key)
        if found is None:
            data = {**held.data, patterns.ROOT: answers}
            found = held.asked[key] = run_environment(self._stage).Activation(data)
        return found

    def _field(self, key: str) -> str:
        """The field behind a key that CEL missed: an answer about a field is missing where the field is."""
        if not self._calls:
            return key
        return next((call.field for call in self._calls if call.key == key), key)

    def _missing(self, data: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str, ...]:
        """Fields that the answer lacked; the one CEL stumbled over first is always among them."""
        absent = [(name, field) for name, root, field in self._reads if field not in data.get(root, _NOTHING)]
        if key not in [field for _, field in absent]:
            return ()  # a key of a map that the expression itself wrote
        return tuple(name for name, field in absent if name not in self._tree.guarded or field == key)

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


@functools.lru_cache(maxsize=512)
def _absent(error: str) -> str | None:
    """The key that CEL missed, None where the error is another."""
    found = _ABSENT.fullmatch(error)
    return found[1] if found else None


def _short(expression: str) -> str:
    line = " ".join(expression.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
