"""Text of a stranger (an answer's body, a library's error) made fit for an error message or a log line.

It errs on the side of hiding: a date or a record id may go with the phone numbers. It cannot know names.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection

LIMIT = 300  # characters of somebody else's text that a message of ours carries
_READ = 4_000  # characters looked at: the patterns below are not linear on hostile text
_SHORTEST_SECRET = 4

_WORD = r"[^\s@\"'<>()\[\]{},;:=&?/\\|]"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(?:bearer|basic|token)\s+[^\s,;\"']{8,}"), "[secret]"),
    (
        re.compile(
            r"(?i)\b((?:access|refresh|id)?_?token(?:key)?|client_secret|secret|password|passwd|api_?key|hapikey"
            r"|authorization|assertion|session_?id|sid)([\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;]+"
        ),
        r"\1\2[secret]",
    ),
    (re.compile(r"(?i)\bpat-[\w-]{6,}"), "[secret]"),
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*){1,2}"), "[secret]"),
    (re.compile(r"\b00D\w{9,}!\S+"), "[secret]"),
    (re.compile(rf"{_WORD}+(?:@|%40){_WORD}+"), "[e-mail]"),
    (re.compile(r"[+(]*\d(?:[\s().\-‐-―/]{0,3}\d){6,}"), "[number]"),
    (re.compile(r"(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/-]{32,}"), "[secret]"),
)  # fmt: skip


def scrub(text: str, secrets: Collection[str] = (), *, limit: int = LIMIT) -> str:
    """One line of at most `limit` characters without `secrets`, tokens, e-mail addresses and phone numbers."""
    text = text[:_READ]
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
        for spelling in (secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)):
            text = text.replace(spelling, "[secret]")
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
