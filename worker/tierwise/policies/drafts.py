"""A points sheet made into a policy: a rubric whose score orders leads as the sheet's sum does, with routes by tier.

Every condition becomes a criterion or a level of one; the sum of points becomes 0 to 100 by one scale for all, so
cut-offs keep their meaning. What people must say themselves is marked, and `policy check` tells until they did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain.rubric import Dimension
from tierwise.errors import Misconfigured
from tierwise.policies import conditions
from tierwise.policies.conditions import Condition
from tierwise.policies.sheets import Row, Sheet, Threshold

OTHERWISE = "otherwise"
TIERS = ("A", "B", "C", "D", "E")
_USUAL = {"A": 70, "B": 50, "C": 30}
_FIT = frozenset(
    {"employee_count", "annual_revenue", "monthly_volume", "industry", "country", "region", "job_title", "email_kind",
     "company", "company_domain", "phone", "is_duplicate"}
)  # fmt: skip
_WEB = re.compile(r"visit|open(?:s|ed)|click|download|page ?view|login|log(?:s|ged) in|email engagement", re.IGNORECASE)


class Level(NamedTuple):
    """One level of a drafted criterion."""

    id: str
    text: str
    raw: float
    """Points of the sheet."""
    points: float
    """Share of the criterion's weight."""
    when: str | None
    reason: str
    row: Row | None = None


class Criterion(NamedTuple):
    """One drafted criterion."""

    id: str
    dimension: Dimension
    question: str
    weight: int
    decide: str
    fields: tuple[str, ...]
    levels: tuple[Level, ...]
    rest: float
    """Points of whoever fulfils none of it, and of whom nothing is known."""


class Made(NamedTuple):
    """What became of one line."""

    line: int
    text: str
    points: str
    became: str
    detail: str


class Draft(NamedTuple):
    """A policy before it is written down."""

    criteria: tuple[Criterion, ...]
    knockouts: tuple[tuple[str, str], ...]
    tiers: Mapping[str, int]
    examples: tuple[tuple[str, Mapping[str, Any], Mapping[str, str]], ...]
    """Name, lead and levels of examples at the edges of the rows that became rules."""
    made: tuple[Made, ...]
    notes: tuple[str, ...]


class _Group(NamedTuple):
    field: str
    items: list[tuple[Row, Condition | None]]


def draft(sheet: Sheet) -> Draft:
    """The policy that the sheet describes."""
    sheet = sheet._replace(rows=_judged(sheet))
    groups = _groups(sheet.rows)
    if len(groups) > 100:
        raise Misconfigured(f"{len(groups)} conditions of their own, a rubric has at most 100", place="points sheet")
    spans = [_span(group, sheet.rows) for group in groups]
    weights = _shares([high - low for low, high in spans])
    names = _Names()
    criteria = tuple(
        _criterion(group, low, high, weight=weight, names=names)
        for group, (low, high), weight in zip(groups, spans, weights, strict=True)
    )
    knockouts = tuple(
        (item.id, level.id) for item in criteria for level in item.levels if level.row is not None and level.row.out
    )
    notes: list[str] = []
    tiers, named = _tiers(sheet.thresholds, spans, notes)
    total = sum(high - low for low, high in spans)
    notes.insert(0, f"{total:g} points of the sheet are 100 of the rubric" + _offset(spans))
    notes += _overlapping(groups, criteria)
    made = [*_told(criteria, groups), *named, *(
        Made(item.line, item.text, "", "left out", item.why) for item in sheet.skipped
    )]  # fmt: skip
    return Draft(criteria, knockouts, tiers, _examples(criteria, groups), tuple(sorted(made)), tuple(notes))


def _offset(spans: Sequence[tuple[float, float]]) -> str:
    below = sum(low for low, _ in spans)
    return f"; a sum of 0 is {round(-below * 100 / sum(high - low for low, high in spans))} there" if below else ""


# -- rows to criteria ---------------------------------------------------------------------------------------------


def _judged(sheet: Sheet) -> tuple[Row, ...]:
    """The rows; who loses so much that no sum of the others reaches a threshold is out, whatever it is called."""
    most = sum(row.points for row in sheet.rows if row.points > 0)
    cuts = [item.points for item in sheet.thresholds if item.points > 0]
    needed = min(cuts) if cuts else most / 2
    return tuple(
        row._replace(out=True) if row.out or (row.points < 0 and most + row.points < needed) else row
        for row in sheet.rows
    )


def _groups(rows: Sequence[Row]) -> list[_Group]:
    """Rows about one field of which only one holds for a lead belong together."""
    groups: list[_Group] = []
    joined: dict[str, _Group] = {}
    for row in rows:
        found = conditions.translate(row.text)
        if found is not None and found.joins and found.field in joined:
            joined[found.field].items.append((row, found))
            continue
        group = _Group(found.field if found is not None else "", [(row, found)])
        groups.append(group)
        if found is not None and found.joins:
            joined[found.field] = group
    return groups


def _span(group: _Group, rows: Sequence[Row]) -> tuple[float, float]:
    """The least and the most that the group adds. What only knocks out weighs as little as any row does."""
    values = [0.0, *(row.points for row, _ in group.items if not row.out)]
    if len(values) == 1:
        return -min((abs(row.points) for row in rows if row.points), default=1.0), 0.0
    return min(values), max(values)


def _shares(spans: Sequence[float]) -> list[int]:
    """Whole weights that add up to 100, each at least 1, as near to the spans as they can be."""
    total = sum(spans)
    exact = [span * 100 / total for span in spans]
    found = [max(1, int(value)) for value in exact]
    while sum(found) != 100:
        step = 1 if sum(found) < 100 else -1
        free = [place for place, value in enumerate(found) if step > 0 or value > 1]
        found[max(free, key=lambda place: step * (exact[place] - found[place]))] += step
    return found


def _criterion(group: _Group, low: float, high: float, *, weight: int, names: _Names) -> Criterion:
    ordered = sorted(group.items, key=lambda item: _strength(item[0], item[1]))
    first, condition = group.items[0]
    several = len(group.items) > 1
    id_ = names.of(group.field if several or group.field in {"email_kind", "industry"} else _slug(first.text))
    levels = []
    own = _Names({OTHERWISE, "unknown"})
    for row, found in ordered:
        raw = low if row.out else row.points
        levels.append(
            Level(
                own.of(_slug(row.text)), row.text, raw, round((raw - low) / (high - low), 2),
                found.when if found is not None else None, names.code(row.text), row,
            )
        )  # fmt: skip
    rest = round((0 - low) / (high - low), 2)
    when = _otherwise(condition) if condition is not None else None
    levels.append(Level(OTHERWISE, "", 0.0, rest, when, ""))
    fields = () if condition is not None else conditions.fields_for(first.text)
    question = f"What of {group.field.replace('_', ' ')}?" if several else f"Does this hold: {first.text}?"
    return Criterion(
        id_, _dimension(group.field, first.text), question, weight, "rule" if condition is not None else "model",
        fields, tuple(levels), rest,
    )  # fmt: skip


def _strength(row: Row, condition: Condition | None) -> tuple[int, float, float]:
    """The order in which levels are tried: who is out, then what speaks for a lead, the most of it first, then what
    speaks against it, the worst first. Of equals the narrower one."""
    if row.out:
        return (0, 0.0, 0.0)
    bound = condition.bound if condition is not None and condition.bound is not None else 0.0
    return (1, -row.points, -bound) if row.points > 0 else (2, row.points, bound)


def _otherwise(condition: Condition) -> str:
    if condition.when.startswith("!has("):
        return condition.when.removeprefix("!")
    return f"!{condition.when}" if condition.when.startswith("has(") else f"has(lead.{condition.field})"


def _dimension(field: str, text: str) -> Dimension:
    if field:
        return "fit" if field in _FIT else "intent"
    return "fit" if conditions.fields_for(text)[0] in {"company", "industry", "job_title"} else "intent"


def _overlapping(groups: Sequence[_Group], criteria: Sequence[Criterion]) -> Iterator[str]:
    """A sentence for each criterion of which a lead may fulfil several rows: whoever added them up gets less now."""
    for group, criterion in zip(groups, criteria, strict=True):
        known = [(row, found) for row, found in group.items if found is not None and not row.out]
        lines: set[int] = set()
        for _, found in known:
            facts = {"lead": found.example, "result": {}}
            held = [other.line for other, its in known if expressions.compile(its.when, "gate")(facts).truth == "match"]
            lines.update(held if len(held) > 1 else ())
        if lines:
            told = ", ".join(str(line) for line in sorted(lines))
            yield (
                f"lines {told} may hold for the same lead: it gets the points of one, the first in the order of the "
                f"levels of {criterion.id}, and not their sum"
            )


# -- thresholds ---------------------------------------------------------------------------------------------------


def _tiers(
    thresholds: Sequence[Threshold], spans: Sequence[tuple[float, float]], notes: list[str]
) -> tuple[dict[str, int], list[Made]]:
    """Cut-offs on the rubric's scale, the best tier first, and what became of each threshold."""
    below, total = sum(low for low, _ in spans), sum(high - low for low, high in spans)
    tiers: dict[str, int] = {}
    made = []
    for item in sorted(thresholds, key=lambda item: -item.points):
        cut = round((item.points - below) * 100 / total)
        free = len(tiers) < len(TIERS) - 1
        if not 1 <= cut <= 100 or cut in tiers.values() or not free:
            why = f"it would be a cut-off of {cut}" if not 1 <= cut <= 100 else "there is one at that score"
            lowest = item.points <= 0 or cut <= 0
            if cut > 100:
                why = f"no lead gets so many: all rows together give at most {total + below:g}"
            why = "the lowest tier takes what is left" if lowest else why if free else "there are five tiers at most"
            made.append(Made(item.line, item.text, f"{item.points:g}", "no cut-off", why))
            continue
        tier = TIERS[len(tiers)]
        tiers[tier] = cut
        told = f"tier {tier} from {cut} of 100 on: {item.points:g} points of the sheet, called {item.name} there"
        made.append(Made(item.line, item.text, f"{item.points:g}", "cut-off", told))
    if not tiers:
        tiers = dict(_USUAL)
        notes.append("the sheet names no threshold: tiers A from 70, B from 50, C from 30 are a guess to be changed")
    return {**tiers, TIERS[len(tiers)]: 0}, made


# -- what is told -------------------------------------------------------------------------------------------------


def _told(criteria: Sequence[Criterion], groups: Sequence[_Group]) -> list[Made]:
    found = {row.line: condition for group in groups for row, condition in group.items}
    made = []
    for criterion in criteria:
        for level in criterion.levels:
            row = level.row
            if row is None:
                continue
            condition = found[row.line]
            place = f"criterion {criterion.id}, weight {criterion.weight}, level {level.id} {level.points:g}"
            if condition is not None:
                became, detail = "rule", f"{condition.when}; {place}"
                detail += f" ({condition.note})" if condition.note else ""
            else:
                became, detail = "question", f"a model reads {', '.join(criterion.fields)}; {place}"
                if _WEB.search(row.text):
                    detail += " (a lead does not hold what people clicked: mostly unknown)"
            if row.out:
                became, detail = f"{became}, knockout", f"{detail}; with it no lead reaches more than the lowest tier"
            points = f"{row.points:g}" if row.points else "out"
            made.append(Made(row.line, row.text, points, became, detail))
    return made


def _examples(
    criteria: Sequence[Criterion], groups: Sequence[_Group]
) -> tuple[tuple[str, Mapping[str, Any], Mapping[str, str]], ...]:
    found = []
    by_line = {row.line: condition for group in groups for row, condition in group.items}
    for criterion in criteria:
        for level in criterion.levels:
            condition = by_line[level.row.line] if level.row is not None else None
            if condition is not None:
                found.append((f"at the edge: {level.text}"[:100], condition.example, {criterion.id: level.id}))
    return tuple(found)


class _Names:
    """Identifiers out of people's words, each once."""

    def __init__(self, taken: set[str] | None = None) -> None:
        self._taken = set(taken or ())

    def of(self, name: str) -> str:
        found, number = name, 2
        while found in self._taken:
            found, number = f"{name}_{number}", number + 1
        self._taken.add(found)
        return found

    def code(self, text: str) -> str:
        return self.of(_slug(text, most=50).upper())


def _slug(text: str, *, most: int = 40) -> str:
    plain = text.casefold().replace(">=", " at_least ").replace("<=", " at_most ").replace("≥", " at_least ")
    plain = plain.replace("≤", " at_most ").replace(">", " over ").replace("<", " under ").replace("+", " or_more ")
    plain = plain.replace("!=", " not ").encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:most].strip("_")
    return found if found[:1].isalpha() else f"is_{found}".strip("_")
