"""Expressions made runnable: facts in, match, no match or unknown out, with the fields that were missing.

An absent field is never an error and never false. Anything else that goes wrong is about this one lead and rejects it.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NoReturn

from cel_expr_python import cel

from tierwise.domain.rules import Alike, Answer, Facts, Predicate, Stage, unlike
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.expressions import patterns, syntax
from tierwise.expressions.checking import check
from tierwise.expressions.environments import LOCK, check_environment, roots, run_environment
from tierwise.expressions.likeness import Likeness, Read, reads

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


_KEPT = 1024
"""Answers of one expression: some ten thousand of all of a policy."""


class _Held:
    """What was made of one set of facts for one stage."""

    __slots__ = ("_activations", "_stage", "data", "facts", "texts")

    def __init__(self, facts: Facts, stage: Stage) -> None:
        self.facts = facts
        self.data = {root: _plain(facts, root) for root in roots(stage)}
        self.texts = patterns.Texts(self.data)
        self._stage: Stage = stage
        self._activations: dict[tuple[tuple[str, bool], ...] | None, Any] = {}
        """By the answers of `matches`: most rules have one call, which says no."""

    def activation(self, answers: Mapping[str, bool] | None) -> Any:
        """The facts, with what `matches` says of them, as CEL takes them: made for the few expressions that ask it."""
        key = tuple(answers.items()) if answers is not None else None
        found = self._activations.get(key)
        if found is None:
            data = {**self.data, patterns.ROOT: answers} if answers is not None else self.data
            found = self._activations[key] = run_environment(self._stage).Activation(data)
        return found


class _Seen(threading.local):
    """What a thread made of the facts that it saw last: the next rule of the stage is mostly asked about the same."""

    def __init__(self) -> None:
        self.by_stage: dict[Stage, _Held] = {}


_seen = _Seen()


def _held(facts: Facts, stage: Stage) -> _Held:
    held = _seen.by_stage.get(stage)
    if held is None or held.facts is not facts:
        held = _seen.by_stage[stage] = _Held(facts, stage)
    return held


def alike(predicates: Sequence[Predicate]) -> Alike:
    """What the answers of these, all of one stage, depend on together. Who remembers, or is not made here, depends on
    more."""
    known = {place: predicate for place, predicate in enumerate(predicates) if isinstance(predicate, _Predicate)}
    stage: Stage = next((predicate.stage for predicate in known.values()), "gate")
    told = {
        place: reads
        for place, predicate in known.items()
        if predicate.stage == stage and (reads := predicate.told_by()) is not None
    }
    if not told:
        return unlike(predicates)
    together = Likeness(
        [read for reads in told.values() for read in reads],
        [call for place in told for call in known[place].calls],
    )

    def key(facts: Facts) -> Hashable | None:
        held = _held(facts, stage)
        return together.key(held.data, held.texts)

    return Alike(key, frozenset(range(len(predicates))) - told.keys())


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
    __slots__ = ("_expression", "_kept", "_likeness", "_program", "_reads", "_told_by", "_tree", "calls", "stage")

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
        self.stage: Stage = stage
        self.calls = calls
        self._expression = expression
        self._program = program
        self._tree = tree
        self._reads = [(name, *name.split(".", 1)) for name in tree.reads]
        self._told_by = reads(rest, stage)
        self._likeness = Likeness(self._told_by, calls) if self._told_by is not None else None
        self._kept: dict[Hashable, Answer] = {}

    def __call__(self, facts: Facts) -> Answer:
        held = _held(facts, self.stage)
        key = self._likeness.key(held.data, held.texts) if self._likeness is not None else None
        if key is None:
            return self._asked(held)
        found = self._kept.get(key)
        if found is None:
            found = self._asked(held)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found

    def told_by(self) -> tuple[Read, ...] | None:
        """What the answer depends on, where that is so little that answers are worth keeping for every lead."""
        told = self._told_by
        return None if told is None or any(read.by == "anything" for read in told) else told

    def _asked(self, held: _Held) -> Answer:
        activation = held.activation(held.texts.answers(self.calls) if self.calls else None)
        try:
            answer = self._program.eval(activation)
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

    def _field(self, key: str) -> str:
        """The field behind a key that CEL missed: an answer about a field is missing where the field is."""
        if not self.calls:
            return key
        return next((call.field for call in self.calls if call.key == key), key)

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
