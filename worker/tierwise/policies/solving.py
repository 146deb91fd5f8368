"""Rules as formulas over every lead there can be. The door to z3, which is an extra and loaded when it is asked for.

An answer is two formulas, holds and fails; neither is unknown, as in the expressions themselves. What a text looks
like inside (patterns, parts) is a free choice: what is proven impossible is so, what is found possible may not be.
"""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.domain.rubric import Rubric
from tierwise.domain.rules import Stage
from tierwise.expressions import Node, tree, variables

TIMEOUT_MS = 2_000
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "_<_": operator.lt, "_<=_": operator.le, "_>_": operator.gt, "_>=_": operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"_+_": operator.add, "_-_": operator.sub, "_*_": operator.mul}
_CONNECTIVES = {"_&&_", "_||_", "!_", "_?_:_"}
_STRICT = {"matches", "contains", "startsWith", "endsWith", "size", "lowerAscii", "_+_", "_*_", "_-_", "double", "int"}


def available() -> bool:
    """Whether z3 is installed."""
    return importlib.util.find_spec("z3") is not None


class Truth(NamedTuple):
    """When an expression holds and when it fails."""

    holds: Any
    fails: Any
    exact: bool
    """False where it looks into texts."""


class _Term(NamedTuple):
    value: Any
    defined: Any
    sort: str


class Space:
    """All leads and results under one rubric. One thread's."""

    def __init__(self, rubric: Rubric) -> None:
        import z3

        self.z3 = z3
        self._values: dict[str, Any] = {}
        self._present: dict[str, Any] = {}
        self._kinds: dict[str, str] = {}
        self._texts: dict[str, int] = {}
        self._rules: list[Any] = []
        self._exact = True
        self._tiers = dict(rubric.tiers)
        self._asked: Any = None
        self._told = 0

    def truth(self, expression: str, stage: Stage) -> Truth:
        """The two formulas of an expression that was checked."""
        self._exact = True
        holds, fails = self._truth(tree(expression, stage), stage)
        return Truth(holds, fails, self._exact)

    def present(self, names: frozenset[str], stage: Stage) -> Any:
        """All of these fields are there."""
        return self.z3.And([self._field(name, stage).defined for name in sorted(names)])

    def find(self, *formulas: Any) -> Mapping[str, Mapping[str, Any]] | bool | None:
        """Facts for which all formulas hold; None where there are none, False where the time was too short."""
        solver = self._solver()
        solver.push()
        try:
            solver.add(*formulas)
            found = solver.check()
            if found == self.z3.unsat:
                return None
            return self._facts(solver.model()) if found == self.z3.sat else False
        finally:
            solver.pop()

    def hidden(self, formulas: Sequence[Any]) -> list[bool]:
        """Of each formula in order, whether it holds only where one before it does."""
        solver = self._solver()
        solver.push()
        found = []
        for formula in formulas:
            solver.push()
            solver.add(formula)
            found.append(solver.check() == self.z3.unsat)
            solver.pop()
            solver.add(self.z3.Not(formula))
        solver.pop()
        return found

    def _solver(self) -> Any:
        """One for all questions, which knows all rules of the space: what was asked is taken back each time."""
        if self._asked is None:
            self._asked = self.z3.Solver()
            self._asked.set("timeout", TIMEOUT_MS)
        self._asked.add(*self._rules[self._told :])
        self._told = len(self._rules)
        return self._asked

    def _facts(self, model: Any) -> Mapping[str, Mapping[str, Any]]:
        facts: dict[str, dict[str, Any]] = {"lead": {}, "result": {}}
        for name, value in self._values.items():
            if not self.z3.is_true(model.eval(self._present[name], model_completion=True)):
                continue
            root, _, field = name.partition(".")
            facts[root][field] = self._shown(model.eval(value, model_completion=True), self._kinds[name])
        return facts

    def _shown(self, value: Any, sort: str) -> Any:
        if sort == "bool":
            return bool(self.z3.is_true(value))
        if sort == "real":
            return float(value.as_fraction())
        number = int(value.as_long())
        if sort == "int":
            return number
        return next((text for text, known in self._texts.items() if known == number), "another")

    def _field(self, name: str, stage: Stage) -> _Term:
        z3 = self.z3
        variable = variables(stage)[name]
        sort = {"integer": "int", "decimal": "real", "boolean": "bool"}.get(variable.kind, "text")
        if name not in self._values:
            make = {"int": z3.Int, "real": z3.Real, "bool": z3.Bool, "text": z3.Int}[sort]
            value, there = make(name), z3.Bool(f"has {name}")
            self._values[name], self._present[name], self._kinds[name] = value, there, sort
            if name.startswith("result.") and name != "result.route":
                self._rules.append(there)
            if sort in {"int", "real"}:
                self._rules.append(value >= 0)
            if name in {"result.score", "result.fit", "result.intent"}:
                self._rules.append(value <= 100)
            if name == "result.confidence":
                self._rules.append(value <= 1)
            closed = tuple(self._tiers) if name == "result.tier" else variable.values
            if closed:
                self._rules.append(z3.Or([value == self._text(item) for item in closed]))
            if name == "result.tier":
                # Knockouts and missing facts lower a tier; nothing raises one above its cut-off.
                score = self._field("result.score", stage).value
                self._rules += [z3.Implies(value == self._text(t), score >= cut) for t, cut in self._tiers.items()]
        return _Term(self._values[name], self._present[name], sort)

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _truth(self, node: Node, stage: Stage) -> tuple[Any, Any]:
        if node.kind == "has":
            there = self._field(node.name, stage).defined
            return there, self.z3.Not(there)
        if node.kind == "literal":
            return self.z3.BoolVal(bool(node.value)), self.z3.BoolVal(not node.value)
        if node.kind == "call" and node.name in _CONNECTIVES:
            return self._connected(node, stage)
        compared = self._compared(node, stage)
        if compared is None:
            return self._opaque(node, stage)
        value, defined = compared
        return self.z3.And(defined, value), self.z3.And(defined, self.z3.Not(value))

    def _connected(self, node: Node, stage: Stage) -> tuple[Any, Any]:
        """Exactly as unknown goes through them: false && unknown is false, true || unknown is true."""
        either, both = self.z3.Or, self.z3.And
        parts = [self._truth(arg, stage) for arg in node.args]
        holds, fails = [part[0] for part in parts], [part[1] for part in parts]
        if node.name == "!_":
            return fails[0], holds[0]
        if node.name == "_&&_":
            return both(holds), either(fails)
        if node.name == "_||_":
            return either(holds), both(fails)
        yes, no = holds[0], fails[0]
        return (
            either(both(yes, holds[1]), both(no, holds[2])),
            either(both(yes, fails[1]), both(no, fails[2])),
        )

    def _opaque(self, node: Node, stage: Stage) -> tuple[Any, Any]:
        """Either may be, but never both, and neither without the fields that it needs."""
        z3 = self.z3
        self._exact = False
        holds, fails = z3.Bool(f"holds {node.key}"), z3.Bool(f"fails {node.key}")
        if _strict(node):
            defined = self.present(node.reads, stage)
            return z3.And(defined, holds), z3.And(defined, z3.Not(holds))
        return holds, z3.And(fails, z3.Not(holds))

    def _compared(self, node: Node, stage: Stage) -> tuple[Any, Any] | None:
        """A value and when it is defined; None where the comparison is not understood."""
        if node.kind == "field":
            term = self._field(node.name, stage)
            return (term.value, term.defined) if term.sort == "bool" else None
        if node.name == "@in" and node.args[1].kind == "list":
            return self._among(node.args[0], node.args[1].args, stage)
        if node.name not in {"_==_", "_!=_", *_COMPARED}:
            return None
        left, right = (self._term(arg, stage) for arg in node.args)
        if left is None or right is None or left.sort != right.sort:
            return None
        ordered = left.sort in {"int", "real"}
        if not ordered and node.name in _COMPARED:
            return None
        compare = {"_==_": operator.eq, "_!=_": operator.ne, **_COMPARED}[node.name]
        return compare(left.value, right.value), self.z3.And(left.defined, right.defined)

    def _among(self, node: Node, listed: tuple[Node, ...], stage: Stage) -> tuple[Any, Any] | None:
        found = self._term(node, stage)
        items = [self._term(item, stage) for item in listed]
        if found is None or any(item is None or item.sort != found.sort for item in items):
            return None
        return self.z3.Or([found.value == item.value for item in items if item is not None]), found.defined

    def _term(self, node: Node, stage: Stage) -> _Term | None:
        if node.kind == "field":
            return self._field(node.name, stage)
        if node.kind == "literal":
            return self._literal(node.value)
        if node.kind == "call" and node.name == "size" and _strict(node):
            self._exact = False
            length = self.z3.Int(f"size {node.key}")
            self._rules.append(length >= 0)
            return _Term(length, self.present(node.reads, stage), "int")
        return self._computed(node, stage) if node.kind == "call" and node.name in {"double", *_ARITHMETIC} else None

    def _literal(self, value: Any) -> _Term:
        z3 = self.z3
        kinds: dict[type, tuple[Any, str]] = {
            bool: (z3.BoolVal, "bool"), int: (z3.IntVal, "int"), float: (lambda it: z3.RealVal(repr(it)), "real"),
            str: (lambda it: z3.IntVal(self._text(it)), "text"),
        }  # fmt: skip
        make, sort = kinds[type(value)]
        return _Term(make(value), z3.BoolVal(True), sort)

    def _computed(self, node: Node, stage: Stage) -> _Term | None:
        terms = [term for arg in node.args if (term := self._term(arg, stage)) is not None]
        sorts = {term.sort for term in terms}
        if len(terms) != len(node.args) or len(sorts) != 1 or not sorts <= {"int", "real"}:
            return None
        first = terms[0]
        if node.name == "double":
            return first if first.sort == "real" else first._replace(value=self.z3.ToReal(first.value), sort="real")
        value = _ARITHMETIC[node.name](first.value, terms[1].value)
        return _Term(value, self.z3.And(first.defined, terms[1].defined), first.sort)


def _strict(node: Node) -> bool:
    """Unknown exactly where a field that it reads is absent."""
    if node.kind in {"field", "literal"}:
        return True
    if node.kind == "list":
        return all(_strict(arg) for arg in node.args)
    return (
        node.kind == "call"
        and node.name in _STRICT | set(_COMPARED) | {"_==_", "_!=_", "@in"}
        and all(_strict(arg) for arg in node.args)
    )
