"""The policy: rules, rubric, prompt, maps, reasons and fragments as one bundle with a digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import Field

from tierwise.domain.calibration import Calibration
from tierwise.domain.lead import digest
from tierwise.domain.mapping import FieldMap
from tierwise.domain.rubric import Dimension, Frozen, Rubric
from tierwise.domain.rules import Likeness, Predicate, Rule, unlike
from tierwise.domain.tables import Table, with_rows


class Reason(Frozen):
    """One entry of the reasons catalogue."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)
    label: str
    """What the CRM's multi-select shows."""
    template: str
    """Sentence for the rep; `{quote}`, `{lead.x}` and `{result.x}` are filled in."""
    talking_point: str | None = None
    dimension: Dimension | None = None
    owner: str


class Fragment(Frozen):
    """A versioned text, chosen by reason code and route: a talking point for the rep."""

    id: str
    version: int = 1
    text: str
    reasons: tuple[str, ...] = ()
    """Any of these codes chooses it; empty means every lead of the route."""
    routes: tuple[str, ...] = ()
    """Empty means every route."""


class Policy(Frozen):
    """One immutable bundle. Identity is `digest()`; `version` is only a label."""

    name: str
    version: str
    owner: str
    rubric: Rubric
    prompt: str
    """Body of the prompt file: a Jinja template."""
    rules: tuple[Rule, ...] = ()
    reasons: tuple[Reason, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    maps: Mapping[str, FieldMap] = Field(default_factory=dict)
    """Field map by connector type (`hubspot`)."""
    tables: tuple[Table, ...] = ()

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """Rules, and the rows of tables as rules: all that is asked of a lead."""
        return with_rows(self.rules, self.tables)

    def plain(self) -> dict[str, Any]:
        """The canonical form of the whole bundle, as it is stored: JSON values."""
        told = self.model_dump(mode="json")
        if not self.tables:
            del told["tables"]  # bundles that were published before there were tables keep their digest
        return told

    def digest(self) -> str:
        """SHA-256 (hex) over the canonical form."""
        return digest(self.plain())

    def reason(self, code: str) -> Reason | None:
        """The catalogue's entry of that code."""
        return _by_code(self.reasons).get(code)


_KEPT = 64
_catalogues: dict[int, tuple[tuple[Reason, ...], Mapping[str, Reason]]] = {}


def _by_code(reasons: tuple[Reason, ...]) -> Mapping[str, Reason]:
    """The catalogue by code; the first of a code counts."""
    # By identity, as each decision gives ten reasons: entries are frozen.
    held = _catalogues.get(id(reasons))
    if held is not None and held[0] is reasons:
        return held[1]
    made = {reason.code: reason for reason in reversed(reasons)}
    if len(_catalogues) >= _KEPT:
        _catalogues.clear()
    _catalogues[id(reasons)] = (reasons, made)
    return made


class Runnable(NamedTuple):
    """A policy with its expressions compiled: all that deciding a lead needs."""

    policy: Policy
    digest: str
    rules: Mapping[str, Predicate]
    """By rule id."""
    levels: Mapping[tuple[str, str], Predicate]
    """By criterion id and level id, for criteria that are decided by rule."""
    calibration: Calibration | None = None
    """The active one, where it was learnt under this rubric with this chain of models."""
    likeness: Likeness = unlike
    """Tells what answers of these predicates depend on, so that leads that are alike are asked once."""


BUILT_IN_REASONS: tuple[Reason, ...] = (
    Reason(code="EVIDENCE_MISSING", label="Evidence missing", owner="tierwise",
           template="The model's quote was not found in the lead, so its verdict was not used."),
    Reason(code="INJECTION_SUSPECT", label="Text tries to instruct", owner="tierwise",
           template="The text reads like an instruction to the scorer; a person should look."),
    Reason(code="CLAIM_MISMATCH", label="Words contradict fields", owner="tierwise",
           template="The message claims several times the size or volume that the lead's own field says."),
    Reason(code="LOW_CONFIDENCE", label="Low confidence", owner="tierwise",
           template="The tier is not certain enough to stand alone."),
    Reason(code="MODELS_DISAGREE", label="Models disagree", owner="tierwise",
           template="Two models came to tiers too far apart."),
    Reason(code="MODEL_UNAVAILABLE", label="Model unavailable", owner="tierwise",
           template="No model answered in time; rules alone decided."),
    Reason(code="NOT_SCORABLE", label="Not scorable", owner="tierwise",
           template="The record does not hold what a score needs."),
    Reason(code="NO_CORROBORATION", label="Nothing structured supports it", owner="tierwise",
           template="Only the lead's own words speak for the top tier."),
    Reason(code="NO_ROUTE", label="No route", owner="tierwise", template="No routing rule took this lead."),
    Reason(code="FAST_TRACK", label="Review requested", owner="tierwise", template="A rep asked for a review."),
    Reason(code="WRITE_FAILED", label="Write failed", owner="tierwise",
           template="The CRM refused the advice for this record."),
)  # fmt: skip
"""Codes that Tierwise itself produces; a policy may give them its own words under the same code."""
BUILT_IN: Mapping[str, Reason] = {reason.code: reason for reason in BUILT_IN_REASONS}
