"""What does not hold together in a part of the policy whose every value is right, each with its place in that part.

A model raises all of it at once; a checker of files gives a `Gathered` as context and is told instead, so that one
mistake does not hide the next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationInfo


class Complaint(NamedTuple):
    """One thing."""

    path: tuple[str | int, ...]
    """Steps from the model that complains to the value that is wrong."""
    text: str
    hint: str = ""
    word: str = ""
    """What was written,"""
    choices: Sequence[str] = ()
    """and what could have been meant by it."""
    rests_on: str = ""
    """It is about the sum of all values of this name, so it says nothing where one of them could not be read."""
    key: bool = False
    """The key is wrong, and not its value."""

    def __str__(self) -> str:
        close = difflib.get_close_matches(self.word, list(self.choices), n=1)
        return f"{self.text}; did you mean '{close[0]}'?" if close else self.text


class Gathered(list[tuple[BaseModel, Complaint]]):
    """Complaints and the models that they are about, in the order of validation."""


def tell(model: BaseModel, found: Iterable[Complaint], info: ValidationInfo) -> None:
    """Hand over to who gathers, else raise ValueError."""
    told: Any = info.context
    if isinstance(told, Gathered):
        told.extend((model, complaint) for complaint in found)
        return
    sentences = [str(complaint) for complaint in found]
    if sentences:
        raise ValueError("; ".join(sentences))
