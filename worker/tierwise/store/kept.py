"""Paid answers in a file of their own: an evaluation that was interrupted goes on without paying twice.

Apart from the worker's database, which it neither needs nor touches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

from tierwise.domain.rubric import Assessment
from tierwise.errors import Misconfigured
from tierwise.store import assessments, engine


class Kept:
    """Assessments by content hash in one SQLite file, made where there is none. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Misconfigured where the file cannot be opened or is no database of ours."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"cannot be made: {error.strerror}", place=str(path.parent)) from error
        self._database = engine.Database(f"sqlite:///{path}")
        try:
            self._database.write(lambda connection: assessments.TABLE.create(connection, checkfirst=True))
        except BaseException:
            self._database.close()
            raise
        self._assessments = assessments.Assessments(self._database)

    def get(self, hashes: Collection[str]) -> dict[str, Assessment]:
        """Those that were answered before, by content hash."""
        return self._assessments.get(hashes)

    def keep(self, found: Iterable[Assessment], *, now: datetime) -> None:
        """Store the answers of calls that were made just now; the first answer to a question stays."""
        usable = [item for item in found if item.verdicts and not item.cached]
        if usable:
            self._database.write(lambda connection: assessments.keep(self._database, connection, usable, now=now))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
