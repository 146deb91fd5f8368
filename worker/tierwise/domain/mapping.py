"""Field map x record -> canonical lead with provenance, or why not."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from tierwise.domain.rubric import Frozen


class FieldMap(Frozen):
    """Canonical fields from one connector type's properties."""

    connector: str
    fields: Mapping[str, dict[str, object]] = Field(default_factory=dict)
