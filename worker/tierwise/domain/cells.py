"""One cell of a decision table: `any`, `missing`, a value, a list, a range, or what it is not.

A cell becomes the text of an expression; the same cell can tell of one value whether it holds, for whoever looks for
gaps. Nothing here knows rows, files or CEL itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from tierwise.domain.lead import Kind

ANY, MISSING = "any", "missing"
_NUMBER = r"(-?\d[\d_]*(?:\.\d+)?)"
_COMPARED = re.compile(rf"(>=|<=|>|<)\s*{_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}\s*\.\.\s*(<?)\s*{_NUMBER}")
_SINGLE = re.compile(_NUMBER)
NUMBERS: tuple[Kind, ...] = ("integer", "decimal")


class Span(NamedTuple):
    """Numbers between two bounds; None is no bound."""

    low: Decimal | None = None
    with_low: bool = True
    high: Decimal | None = None
    with_high: bool = True

    def holds(self, value: Decimal) -> bool:
        """Whether the number is between them."""
        if self.low is not None and (value < self.low or (value == self.low and not self.with_low)):
            return False
        return self.high is None or value < self.high or (value == self.high and self.with_high)

    def __str__(self) -> str:
        """As it is written in a cell."""
        if self.low is not None and self.low == self.high:
            return f"{self.low:f}"
        if self.high is None:
            return f"{'>=' if self.with_low else '>'} {self.low:f}"
        if self.low is None:
            return f"{'<=' if self.with_high else '<'} {self.high:f}"
        return f"{self.low:f}..{'' if self.with_high else '<'}{self.high:f}"

    def moved(self) -> Iterator[Span]:
        """The span with one bound moved by one in its last digit, or taken in or out."""
        if self.low is not None and self.low == self.high:
            for low in _beside(self.low):
                yield self._replace(low=low, high=low)
            return
        for low in _beside(self.low) if self.low is not None else ():
            yield self._replace(low=low)
        for high in _beside(self.high) if self.high is not None else ():
            yield self._replace(high=high)
        if self.high is None:
            yield self._replace(with_low=not self.with_low)
        else:
            yield self._replace(with_high=not self.with_high)


def _beside(number: Decimal) -> tuple[Decimal, Decimal]:
    exponent = number.normalize().as_tuple().exponent
    step = Decimal(1).scaleb(min(0, exponent if isinstance(exponent, int) else 0))
    return number - step, number + step


class Cell(NamedTuple):
    """What a cell asks of its column."""

    kind: Literal["any", "missing", "values", "spans"]
    values: tuple[str | bool, ...] = ()
    spans: tuple[Span, ...] = ()
    negated: bool = False

    def holds(self, value: str | bool | Decimal | None) -> bool:
        """Whether it holds of the value; None is an absent one, of which only `any` and `missing` hold."""
        if self.kind == "any":
            return True
        if value is None or self.kind == "missing":
            return value is None and self.kind == "missing"
        if self.kind == "spans":
            found = isinstance(value, Decimal) and any(span.holds(value) for span in self.spans)
        else:
            found = value in self.values
        return found != self.negated

    def expression(self, name: str, kind: Kind) -> str:
        """Of the column's field, as a rule would say it; empty where nothing is asked."""
        if self.kind == "any":
            return ""
        if self.kind == "missing":
            return f"!has({name})"
        told = _spans(name, kind, self.spans) if self.kind == "spans" else _values(name, self.values)
        return f"!({told})" if self.negated else told


def read(given: Any, kind: Kind) -> Cell:
    """The cell as it stands in a file, in a column of that kind. ValueError says what can stand there."""
    if isinstance(given, dict):
        if list(given) != ["not"]:
            raise ValueError("write not: and what it must not be")
        inner = read(given["not"], kind)
        if inner.kind not in {"values", "spans"} or inner.negated:
            raise ValueError("not: takes a value, a list or a range")
        return inner._replace(negated=True)
    if given == ANY:
        return Cell("any")
    if given == MISSING:
        return Cell("missing")
    several = given if isinstance(given, list | tuple) else [given]
    if not several:
        raise ValueError("the list is empty: write any, or what it must be")
    if kind in NUMBERS:
        return Cell("spans", spans=tuple(_span(item, kind) for item in several))
    wanted = bool if kind == "boolean" else str
    for item in several:
        if type(item) is not wanted:
            raise ValueError(
                "true or false is needed here" if wanted is bool else "text is needed here: put it in quotes"
            )
    return Cell("values", values=tuple(several))


def _span(given: Any, kind: Kind) -> Span:
    text = str(given).strip()
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(_FORMS)
    if found := _SINGLE.fullmatch(text):
        number = _number(found[1], kind)
        return Span(number, True, number, True)
    if found := _COMPARED.fullmatch(text):
        number, with_it = _number(found[2], kind), found[1].endswith("=")
        return Span(low=number, with_low=with_it) if found[1][0] == ">" else Span(high=number, with_high=with_it)
    if found := _RANGE.fullmatch(text):
        low, high = _number(found[1], kind), _number(found[3], kind)
        if low > high or (found[2] and low == high):
            raise ValueError(f"nothing is between {low} and {high}: the smaller number comes first")
        return Span(low, True, high, not found[2])
    raise ValueError(_FORMS)


_FORMS = 'a number or a range is needed here: 50, ">= 50", "10..49" (both included), "10..<50"'


def _number(text: str, kind: Kind) -> Decimal:
    number = Decimal(text.replace("_", ""))
    if kind == "integer" and number != number.to_integral_value():
        raise ValueError(f"a whole number is needed here, and {text} is none")
    return number


def _spans(name: str, kind: Kind, spans: Sequence[Span]) -> str:
    parts = [_between(name, kind, span) for span in spans]
    return parts[0] if len(parts) == 1 else f"({' || '.join(f'({part})' if '&&' in part else part for part in parts)})"


def _between(name: str, kind: Kind, span: Span) -> str:
    if span.low is not None and span.low == span.high:
        return f"{name} == {_literal(span.low, kind)}"
    parts = []
    if span.low is not None:
        parts.append(f"{name} {'>=' if span.with_low else '>'} {_literal(span.low, kind)}")
    if span.high is not None:
        parts.append(f"{name} {'<=' if span.with_high else '<'} {_literal(span.high, kind)}")
    return " && ".join(parts)


def _literal(number: Decimal, kind: Kind) -> str:
    if kind == "integer":
        return str(int(number))
    text = f"{number:f}"
    return text if "." in text else f"{text}.0"


def _values(name: str, values: Sequence[str | bool]) -> str:
    if all(isinstance(value, bool) for value in values):
        wanted = set(values)
        if len(wanted) == 1:
            return name if True in wanted else f"!{name}"
        return f"({name} || !{name})"
    told = [_quoted(str(value)) for value in values]
    return f"{name} == {told[0]}" if len(told) == 1 else f"{name} in [{', '.join(told)}]"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{plain}'"
