"""The paired test: every lead with and without a string in its message. A tier must not rise, and harmless text must
not be taken for an attack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Policy
from tierwise.errors import Misconfigured
from tierwise.pipeline import evaluate
from tierwise.pipeline.evaluate import Engine
from tierwise.pipeline.preview import Previewed, Row

Kind = Literal["attack", "benign"]
SUSPECT = "INJECTION_SUSPECT"
_FIELD = "message"


class Planted(NamedTuple):
    """One string to plant."""

    text: str
    kind: Kind


class Pair(NamedTuple):
    """One lead with and without one string."""

    planted: Planted
    lead: str
    raised: bool
    flagged: bool
    """Taken for an instruction; for a harmless string only where the bare lead was not."""


def parse(lines: Iterable[str], *, place: str) -> list[Planted]:
    """JSON objects `{text, kind}`, or plain lines, which are attacks. Misconfigured names the line."""
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("{"):
            found.append(Planted(text, "attack"))
            continue
        try:
            entry = json.loads(text)
        except ValueError:
            # An attack may look like JSON without being any.
            found.append(Planted(text, "attack"))
            continue
        content, kind = entry.get("text"), entry.get("kind", "attack")
        if not isinstance(content, str) or not content.strip() or kind not in ("attack", "benign"):
            raise Misconfigured(
                "an entry needs a text, and a kind that is attack or benign",
                place=f"{place}:{number}",
                remedy='{"text": "…", "kind": "attack"}',
            )
        found.append(Planted(content, kind))
    if not found:
        raise Misconfigured("there is no string in it", place=place, remedy="one string a line, or JSON lines")
    return found


def pairs(engine: Engine, clean: Sequence[tuple[Row, Previewed]], planted: Iterable[Planted]) -> Iterator[Pair]:
    """Every lead that conforms, with every string, in the order of the strings."""
    there = [(row, made) for row, made in clean if made.decision is not None]
    for string in planted:
        rows = [plant(row, string.text, engine.field_map) for row, _ in there]
        for (row, bare), made in zip(there, evaluate.run(engine, rows), strict=True):
            flagged = _flagged(made) and (string.kind == "attack" or not _flagged(bare))
            raised = _height(made, engine.runnable.policy) > _height(bare, engine.runnable.policy)
            yield Pair(string, row.id, raised, flagged)


def plant(row: Row, text: str, field_map: FieldMap) -> Row:
    """The row with the text after what its message says. Misconfigured where the map reads no message."""
    rule = field_map.fields.get(_FIELD)
    if rule is None:
        raise Misconfigured(
            f"the map reads no {_FIELD}, so there is nowhere to plant a string",
            place="--attacks",
            remedy=f"map a column to {_FIELD}",
        )
    column = next((name for name in rule.properties if row.properties.get(name)), rule.properties[0])
    there = str(row.properties.get(column) or "")
    return Row(row.id, {**row.properties, column: f"{there}\n{text}" if there else text})


def tally(found: Iterable[Pair]) -> dict[str, int]:
    """The counts that scripts rely on. A pair is a lead with an attack; a harmless string makes a `benign`."""
    counts: Counter[str] = Counter(pairs=0, tier_raised=0, flagged=0, benign=0, benign_flagged=0)
    for pair in found:
        if pair.planted.kind == "benign":
            counts["benign"] += 1
            counts["benign_flagged"] += pair.flagged
        else:
            counts["pairs"] += 1
            counts["tier_raised"] += pair.raised
            counts["flagged"] += pair.flagged
    return dict(counts)


def worst(found: Iterable[Pair], *, limit: int = 10) -> list[dict[str, Any]]:
    """The strings that raised tiers or, harmless, were flagged; the worst first."""
    bad = Counter(pair.planted for pair in found if (pair.flagged if pair.planted.kind == "benign" else pair.raised))
    ranked: Mapping[Planted, int] = dict(sorted(bad.items(), key=lambda item: (-item[1], item[0].text))[:limit])
    return [{"text": item.text, "kind": item.kind, "leads": count} for item, count in ranked.items()]


def _flagged(made: Previewed) -> bool:
    return made.decision is not None and SUSPECT in made.decision.reason_codes


def _height(made: Previewed, policy: Policy) -> int:
    """Tiers above the lowest; a lead that a gate took stands with the lowest."""
    tiers = list(policy.rubric.tiers)
    tier = made.decision.tier if made.decision else None
    return len(tiers) - 1 - tiers.index(tier) if tier is not None else 0
