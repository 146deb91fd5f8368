from __future__ import annotations

from datetime import UTC, datetime

from tierwise import ports

AT = datetime(2026, 11, 2, tzinfo=UTC)
WELL = ports.Health("portal", "write_back", 0, "", "", "", None, None, AT, None)


def test_a_sentence_says_what_fails_how_often_and_why() -> None:
    assert WELL.sentence() == ""
    once = WELL._replace(failures=1, fault="timeout", error="no answer within 30 s", failing_since=AT)
    assert once.sentence() == "write back failed (timeout): no answer within 30 s"
    assert once._replace(failures=4).sentence() == "write back failed 4 times in a row (timeout): no answer within 30 s"
