"""The map of files whose columns already carry the canonical names."""

from __future__ import annotations

from functools import cache

from tierwise.domain.lead import CATALOGUE
from tierwise.domain.mapping import FieldMap

IDENTIFYING = ("email", "phone", "company_domain", "company")


@cache
def canonical_map() -> FieldMap:
    """Every field from the column of its own name, by its usual transform."""
    return FieldMap.model_validate(
        {
            "connector": "file",
            "owner": "tierwise",
            "version": "1",
            "fields": {name: name for name, info in CATALOGUE.items() if not info.derived},
            "require": IDENTIFYING,
        }
    )
