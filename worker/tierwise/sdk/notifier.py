"""What a notifier is: it carries a notice to where people look (chat, mail, pager).

A notice names no lead and no person: whoever reads it follows the link or runs the command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol


class Notice(NamedTuple):
    """Something that a person should know."""

    key: str
    """Same key, same matter: a later notice replaces or resolves an earlier one."""
    severity: Literal["info", "warning", "critical", "resolved"]
    title: str
    """One line."""
    text: str
    """What it means and what to do, plain text."""
    at: datetime
    link: str = ""
    event: str = ""
    """Its kind, of those that settings may ask for: connection_paused, work_quarantined, write_refused,
    automation_ended, test."""


class Notifying(NamedTuple):
    """One configured notifier."""

    name: str
    token: str
    """Secret, "" where none is set; never logged, never in an error."""
    options: Mapping[str, Any]
    """Settings of this notifier type, validated by its `settings` model."""


class Notifier(Protocol):
    """One configured notifier, open; used by one thread at a time."""

    def notify(self, notice: Notice) -> None:
        """Deliver it; safe to repeat. Raises the families of `tierwise.errors` only."""

    def close(self) -> None:
        """Release sockets."""


class NotifierType(NamedTuple):
    """A kind of notifier, as a plugin registers it."""

    name: str
    summary: str
    open: Callable[[Notifying], Notifier]
    settings: type[Any]
    """Pydantic model of `Notifying.options`, with a description for every field."""
