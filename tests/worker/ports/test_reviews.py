"""What is blind, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tierwise import ports


@pytest.mark.parametrize(
    ("drawn", "awaited", "blind"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_drawn_decision_is_blind_until_it_is_answered(drawn: bool, awaited: bool, blind: bool) -> None:
    item = ports.ReviewItem(
        id=1, connection="crm", record_id="1", kind="audit_sample", state="open", priority=1, reason="",
        created_at=datetime(2026, 11, 2, tzinfo=UTC), decision_id=7, score=80, tier="A", confidence=0.9, drawn=drawn,
        awaited=awaited,
    )  # fmt: skip
    assert item.blind is blind
