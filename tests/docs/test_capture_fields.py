"""docs/capture-fields.md is what the catalogue says today."""

from __future__ import annotations

from pathlib import Path

from tierwise.domain.catalogue import catalogue_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "capture-fields.md"


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == catalogue_document() + "\n", (
        "renew it: tierwise schema > docs/capture-fields.md"
    )
