"""How a write in doubt ended is told by what stands in its field; what a store and a CRM make of it is in
tests/worker/store/test_automations.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tierwise.pipeline import arrivals
from tierwise.ports.automation import Automated, Unsettled

NOW = datetime(2026, 11, 2, tzinfo=UTC)
WRITE = Automated(1, "crm", "7", 3, "their_tier", "bronze", "gold", "unsure", "the CRM hung up", NOW, None)
IN_DOUBT = Unsettled(WRITE, attempt=1, followed=False, stood=None)


@pytest.mark.parametrize(
    ("row", "shown", "state", "why"),
    [
        (IN_DOUBT, {"7": "gold"}, "written", ""),
        (IN_DOUBT, {"7": "bronze"}, "lost", "it did not arrive: the CRM hung up"),
        (IN_DOUBT, {"7": "silver"}, "kept", "somebody changed it"),
        (IN_DOUBT, {"7": None}, "kept", "somebody changed it"),
        (IN_DOUBT, {}, "lost", "not in the CRM any more"),
        (IN_DOUBT._replace(attempt=5), {"7": "bronze"}, "refused", "did not arrive in 5 tries"),
        (IN_DOUBT._replace(attempt=5), {"7": "gold"}, "written", ""),
        # What stands now is the next one's doing.
        (IN_DOUBT._replace(followed=True, stood="gold"), {"7": "silver"}, "written", ""),
        (IN_DOUBT._replace(followed=True, stood="bronze"), {"7": "gold"}, "lost", "it did not arrive"),
    ],
)
def test_how_it_ended(row: Unsettled, shown: dict[str, str | None], state: str, why: str) -> None:
    found, words = arrivals.ended(row, shown)
    assert found == state
    assert why in words


def test_in_doubt_for_long() -> None:
    rows = [WRITE, WRITE._replace(state="begun"), WRITE._replace(state="written")]
    assert arrivals.old(rows, now=NOW + timedelta(minutes=59)) == 0
    assert arrivals.old(rows, now=NOW + timedelta(minutes=61)) == 2
