"""What is true of a lead, where a test says it: by the lead's text, so that nothing but the prompt is needed.

Texts are compared without case, marks and layout; one that was redacted on its way is found by its words.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tierwise_sandbox.brain.reading import Field

_WORD = re.compile(r"\w+")
_ALIKE = 0.75  # share of common words from which two texts are the same one, redacted
_FEWEST = 4  # words; shorter texts are the same only where they are equal


class Truth:
    """Level by criterion, for the texts it knows."""

    def __init__(self, given: Iterable[tuple[str, Mapping[str, str]]] = ()) -> None:
        self._by_text: dict[str, Mapping[str, str]] = {}
        self._by_words: list[tuple[frozenset[str], Mapping[str, str]]] = []
        for text, verdicts in given:
            normal = _normal(text)
            self._by_text[normal] = verdicts
            if len(words := frozenset(normal.split())) >= _FEWEST:
                self._by_words.append((words, verdicts))
        self._alike = lru_cache(maxsize=4096)(self._nearest)

    def __len__(self) -> int:
        return len(self._by_text)

    def levels(self, fields: Sequence[Field]) -> Mapping[str, str] | None:
        """The true level by criterion; None for a lead that nobody told the truth about."""
        texts = [_normal(field.plain) for field in fields]
        for text in texts:
            if (known := self._by_text.get(text)) is not None:
                return known
        longest = max(texts, key=len, default="")
        return self._alike(longest) if self._by_words and longest else None

    def _nearest(self, text: str) -> Mapping[str, str] | None:
        words = frozenset(text.split())
        if len(words) < _FEWEST:
            return None
        share, found = max(
            ((len(words & known) / len(words | known), verdicts) for known, verdicts in self._by_words),
            key=lambda pair: pair[0],
        )
        return found if share >= _ALIKE else None


def parse(given: Any) -> Truth:
    """From a list of `{"text": ..., "verdicts": {criterion: level}}`, or the name of a JSONL file of such lines."""
    if isinstance(given, str):
        try:
            lines = Path(given).read_text(encoding="utf-8").splitlines()
            given = [json.loads(line) for line in lines if line.strip()]
        except OSError as error:
            raise ValueError(f"truth: {given}: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"truth: {given}: not JSON lines: {error}") from error
    if not isinstance(given, list):
        raise ValueError("truth: a list or a file's name is expected")
    pairs = []
    for place, item in enumerate(given):
        text = item.get("text") if isinstance(item, Mapping) else None
        verdicts = item.get("verdicts") if isinstance(item, Mapping) else None
        if not isinstance(text, str) or not isinstance(verdicts, Mapping):
            raise ValueError(f"truth[{place}]: text (a string) and verdicts (an object) are needed")
        pairs.append((text, {str(name): str(level) for name, level in verdicts.items()}))
    return Truth(pairs)


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
