"""How Salesforce spells ids and moments: 18 characters with a checksum, ISO 8601 in whole seconds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def record_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record with this key prefix; later ids sort after earlier ones."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return long_id(f"{prefix}Sb0{digits:0>9}")


def long_id(text: str) -> str:
    """An id of 15 or 18 characters in its long form; "" when it is no id."""
    if not _ID.fullmatch(text):
        return ""
    short = text[:15]
    sums = (sum(1 << place for place, char in enumerate(short[at : at + 5]) if char.isupper()) for at in (0, 5, 10))
    return short + "".join(_CHECK[total] for total in sums)


def moment(milliseconds: int) -> str:
    """Epoch ms -> `2026-11-21T08:15:30.000+0000`; Salesforce keeps no fraction of a second in system fields."""
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


@lru_cache(maxsize=65_536)
def parse_moment(text: str) -> int | None:
    """Epoch ms of a date-time with its zone, else None: a moment without a zone is not accepted."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None


def parse_day(text: str) -> str | None:
    """The date as it is, if it is one."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def http_date(seconds: float) -> str:
    """For the Date header: `Sat, 21 Nov 2026 08:15:30 GMT`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%a, %d %b %Y %H:%M:%S} GMT"
