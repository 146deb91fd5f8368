"""SOQL, as much of it as an integration asks: the text into a query. Strict: what it does not know, it refuses.

Knows no objects or fields; whether they exist and may be compared so is `matching`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from tierwise_sandbox.salesforce import spelling
from tierwise_sandbox.salesforce.refusals import Refusal, malformed

MAX_LENGTH = 100_000
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.]*(?::\d+)?)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}
_OPERATORS = {"=", "!=", "<>", "<", "<=", ">", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES"}
_CLAUSES = {"WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "FOR", "WITH", "USING"}
Kind = Literal["text", "moment", "day", "number", "boolean", "null", "list"]


@dataclass(frozen=True, slots=True)
class Name:
    """A field (or path to one) and where in the query it stands."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal_:
    """A value to compare with. A moment is epoch ms; a list holds literals."""

    kind: Kind
    value: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    name: Name
    operator: str
    literal: Literal_


@dataclass(frozen=True, slots=True)
class Junction:
    """AND or OR of conditions, NOT of one."""

    word: Literal["AND", "OR", "NOT"]
    parts: tuple[Condition, ...]


Condition = Comparison | Junction


@dataclass(frozen=True, slots=True)
class Order:
    name: Name
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; `fields` is empty for COUNT()."""

    text: str
    fields: tuple[Name, ...]
    entity: str
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


def parse(text: str) -> Query:
    """Refusal (MALFORMED_QUERY) for what is not SOQL or not in this subset."""
    if len(text) > MAX_LENGTH:
        raise Refusal("QUERY_TOO_COMPLICATED", f"query is longer than {MAX_LENGTH} characters")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.place = 0

    def query(self) -> Query:
        self.take("SELECT")
        fields = self.fields()
        self.take("FROM")
        entity = self.word()
        where = self.condition() if self.skip("WHERE") else None
        order = self.orders() if self.skip("ORDER") else ()
        limit = self.number() if self.skip("LIMIT") else None
        offset = self.number() if self.skip("OFFSET") else 0
        if offset > 2000:
            raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        if self.place < len(self.tokens):
            raise self.unexpected()
        return Query(self.text, fields, entity.text, where, order, limit, offset)

    def fields(self) -> tuple[Name, ...]:
        first = self.word()
        if first.text.upper() == "COUNT" and self.skip("("):
            self.take(")")
            return ()
        if first.text.upper() == "FIELDS":
            raise malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
        found = [first]
        while self.skip(","):
            found.append(self.word())
        names = [name.text.lower() for name in found]
        if repeated := next((name for name in found if names.count(name.text.lower()) > 1), None):
            raise Refusal("INVALID_FIELD", f"duplicate field selected: {repeated.text}")
        return tuple(found)

    def condition(self) -> Condition:
        """One level: AND and OR may not be mixed in it without parentheses."""
        parts = [self.part()]
        joined = ""
        while (word := self.peek()) in {"AND", "OR"}:
            if joined and word != joined:
                raise self.unexpected()
            joined = word
            self.place += 1
            parts.append(self.part())
        if not joined:
            return parts[0]
        return Junction("AND" if joined == "AND" else "OR", tuple(parts))

    def part(self) -> Condition:
        if self.skip("NOT"):
            return Junction("NOT", (self.part(),))
        if self.skip("("):
            inner = self.condition()
            self.take(")")
            return inner
        name = self.word()
        operator = self.peek()
        self.place += 1
        if operator == "NOT":
            self.take("IN")
            operator = "NOT IN"
        if operator not in _OPERATORS:
            self.place -= 1
            raise self.unexpected()
        if operator in {"IN", "NOT IN", "INCLUDES", "EXCLUDES"}:
            return Comparison(name, operator, Literal_("list", self.values()))
        return Comparison(name, "!=" if operator == "<>" else operator, self.value())

    def values(self) -> tuple[Literal_, ...]:
        self.take("(")
        if self.peek() == "SELECT":
            raise malformed("semi join sub-selects are not supported here")
        found = [self.value()]
        while self.skip(","):
            found.append(self.value())
        self.take(")")
        return tuple(found)

    def value(self) -> Literal_:
        if self.place >= len(self.tokens):
            raise self.unexpected()
        token = self.tokens[self.place]
        self.place += 1
        if token.kind == "text":
            return Literal_("text", _unescaped(token.text[1:-1]))
        if token.kind == "number":
            return Literal_("number", float(token.text))
        if token.kind == "moment" and (moment := spelling.parse_moment(token.text)) is not None:
            return Literal_("moment", moment)
        if token.kind == "day" and spelling.parse_day(token.text):
            return Literal_("day", token.text)
        if token.upper in {"TRUE", "FALSE"}:
            return Literal_("boolean", token.upper == "TRUE")
        if token.upper == "NULL":
            return Literal_("null", None)
        self.place -= 1
        raise self.unexpected()

    def orders(self) -> tuple[Order, ...]:
        self.take("BY")
        found = [self.order()]
        while self.skip(","):
            found.append(self.order())
        return tuple(found)

    def order(self) -> Order:
        name = self.word()
        descending = self.skip("DESC")
        if not descending:
            self.skip("ASC")
        last = False
        if self.skip("NULLS"):
            last = self.skip("LAST")
            if not last:
                self.take("FIRST")
        return Order(name, descending, last)

    def number(self) -> int:
        if self.place >= len(self.tokens) or not self.tokens[self.place].text.isdecimal():
            raise self.unexpected()
        self.place += 1
        return int(self.tokens[self.place - 1].text)

    def word(self) -> Name:
        if self.place >= len(self.tokens):
            raise self.unexpected()
        token = self.tokens[self.place]
        if token.kind != "word" or token.upper in _CLAUSES | {"FROM", "SELECT"}:
            raise self.unexpected()
        self.place += 1
        return Name(token.text, token.at)

    def peek(self) -> str:
        return self.tokens[self.place].upper if self.place < len(self.tokens) else ""

    def skip(self, wanted: str) -> bool:
        found = self.peek() == wanted
        self.place += found
        return found

    def take(self, wanted: str) -> None:
        if not self.skip(wanted):
            raise self.unexpected()

    def unexpected(self) -> Refusal:
        if self.place >= len(self.tokens):
            return malformed("unexpected end of query: '<EOF>'")
        return malformed(f"unexpected token: '{self.tokens[self.place].text}'")


def _tokens(text: str) -> list[_Token]:
    found = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise malformed(f"line 1:{place} no viable alternative at character '{text[place:].lstrip()[:1]}'")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        place = match.end()
    return found


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match.group(1) not in _ESCAPES:
            raise malformed(f"invalid string escape: \\{match.group(1)}")
        # A LIKE pattern needs to know which wildcard was meant literally.
        return f"\\{match.group(1)}" if match.group(1) in "_%" else _ESCAPES[match.group(1)]

    return re.sub(r"\\(.)", one, text, flags=re.DOTALL)
