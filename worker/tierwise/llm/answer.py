"""A model's answer, read strictly: what it claims without a quote we can find is not used.

A verdict is withdrawn to `unknown`, never made better. Messages name places and rules, never what the model wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pydantic

from tierwise.domain.lead import CATALOGUE
from tierwise.domain.rubric import UNKNOWN, Criterion, Flag, Verdict
from tierwise.llm import injection, text

SHORTEST_QUOTE = 3
"""Characters; a field that is shorter is quoted whole. One letter is found anywhere and proves nothing."""

_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)


class NotAnAnswer(ValueError):
    """The text is not an answer of the schema. `problems` are for the model: what to mend, one line each."""

    def __init__(self, problems: Sequence[str], *, kind: str = "wrong_schema") -> None:
        """`kind`: empty, truncated, malformed or wrong_schema."""
        self.problems = tuple(problems)
        self.kind = kind
        super().__init__("; ".join(self.problems))


class _Item(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", str_strip_whitespace=True)

    level: str
    probability: float = pydantic.Field(ge=0, le=1, allow_inf_nan=False)
    quote: str | None = None
    field: str | None = None
    spread: dict[str, float] | None = None

    @pydantic.field_validator("probability")
    @classmethod
    def _one_zero(cls, value: float) -> float:
        # JSON has two zeros, which are equal and are written differently: a hash must not depend on which was said.
        return value + 0.0


def parse(answer: str, criteria: Sequence[Criterion]) -> dict[str, _Item]:
    """One item per criterion. Code fences and prose around the object are forgiven. Raises NotAnAnswer."""
    try:
        found = json.loads(_object(answer))
    except (ValueError, RecursionError) as error:
        raise NotAnAnswer(["the answer is not one JSON object"], kind="malformed") from error
    if not isinstance(found, dict):
        raise NotAnAnswer(["the answer is not one JSON object"], kind="malformed")
    items: dict[str, _Item] = {}
    problems: list[str] = []
    for criterion in criteria:
        if criterion.id not in found:
            problems.append(f"{criterion.id}: missing")
            continue
        try:
            item = _Item.model_validate(found[criterion.id])
        except pydantic.ValidationError as error:
            problems += [_problem(criterion.id, detail) for detail in error.errors(include_input=False)]
            continue
        level = item.level.casefold()
        if level != UNKNOWN and criterion.level(level) is None:
            known = ", ".join([*(known.id for known in criterion.levels), UNKNOWN])
            problems.append(f"{criterion.id}.level: must be one of {known}")
            continue
        items[criterion.id] = item if level == item.level else item.model_copy(update={"level": level})
    if problems:
        raise NotAnAnswer(problems)
    return items


def verdicts(
    answer: str,
    criteria: Sequence[Criterion],
    *,
    fields: Mapping[str, str],
    mark: str,
    model: str,
    terms: injection.Terms = injection.NO_TERMS,
    quotes: bool = True,
) -> tuple[Verdict, ...]:
    """Verified verdicts, one per criterion in their order. Raises NotAnAnswer.

    `fields` are the canonical texts that were shown; `mark` is the datamark of the call, "" where none was used.
    `quotes` is False for a decision model, which can quote nothing: its verdicts carry the field's name alone.
    """
    items = parse(answer, criteria)
    if not quotes:
        return tuple(_unquoted(criterion, items[criterion.id], fields=fields, model=model) for criterion in criteria)
    suspects = injection.suspicious_fields(fields, terms)
    return tuple(
        _verdict(criterion, items[criterion.id], fields=fields, mark=mark, model=model, terms=terms, suspects=suspects)
        for criterion in criteria
    )


def located(quote: str, field: str, *, fields: Mapping[str, str], mark: str = "") -> str | None:
    """The quote as the field has it, datamarks removed; None where the field does not say it.

    Case, white space, typographic quotes and dashes do not matter. A value that is not text is quoted whole.
    """
    value = fields.get(field)
    if value is None:
        return None
    wanted = text.comparable(quote.replace(mark, " ") if mark else quote)
    whole = _comparable(value)
    if not any(map(str.isalnum, wanted)):
        return None
    if wanted == whole:
        return value
    if CATALOGUE[field].kind != "text" or len(wanted) < SHORTEST_QUOTE or wanted not in whole:
        return None
    if len(whole) == len(value):
        start = whole.index(wanted)
        return value[start : start + len(wanted)]
    # Folding changed lengths (ß to ss): the field's own spelling is looked for character by character.
    return text.passage(wanted, value) or text.canonical(wanted)


@lru_cache(maxsize=64)  # texts of answers that come in: a field is quoted for many criteria
def _comparable(value: str) -> str:
    return text.comparable(value)


def _verdict(
    criterion: Criterion,
    item: _Item,
    *,
    fields: Mapping[str, str],
    mark: str,
    model: str,
    terms: injection.Terms,
    suspects: Sequence[str],
) -> Verdict:
    quote, field = item.quote or "", item.field or ""
    flag: Flag | None = None
    found: str | None = None
    if quote:
        if field in criterion.fields:
            found = located(quote, field, fields=fields, mark=mark)
        # A passage of a field that holds no instruction holds none either; the field was searched already.
        doubted = found is None or field in suspects
        if doubted and injection.suspicious(quote.replace(mark, " ") if mark else quote, terms):
            flag, found = "INJECTION_SUSPECT", None
    level = criterion.level(item.level)
    if flag is None and level is not None and level.points > criterion.lowest.points and found is None:
        flag = "EVIDENCE_MISSING"
    if flag is not None or level is None:
        return Verdict(
            criterion=criterion.id,
            level=UNKNOWN,
            # An honest "unknown" is as sure as it says; one that we made of something else says nothing.
            probability=0 if flag else item.probability,
            decided_by=model,
            flags=(flag,) if flag else (),
        )
    return Verdict(
        criterion=criterion.id,
        level=level.id,
        probability=item.probability,
        decided_by=model,
        field=field if found is not None else None,
        quote=found,
    )


def _unquoted(criterion: Criterion, item: _Item, *, fields: Mapping[str, str], model: str) -> Verdict:
    field = next((name for name in criterion.fields if name in fields), None)
    if field is None or item.level == UNKNOWN:
        return Verdict(criterion=criterion.id, level=UNKNOWN, probability=0, decided_by=model)
    known = {level.id: max(0.0, (item.spread or {}).get(level.id, 0.0)) for level in criterion.levels}
    whole = sum(known.values())
    return Verdict(
        criterion=criterion.id,
        level=item.level,
        probability=item.probability,
        decided_by=model,
        field=field,
        spread={name: share / whole for name, share in known.items()} if whole else None,
    )


def _object(answer: str) -> str:
    fenced = _FENCE.search(answer)
    inner = fenced.group(1) if fenced else answer
    start, end = inner.find("{"), inner.rfind("}")
    return inner[start : end + 1] if 0 <= start < end else inner


def _problem(criterion: str, detail: Mapping[str, Any]) -> str:
    place = ".".join([criterion, *map(str, detail["loc"])])
    return f"{place}: {detail['msg']}"
