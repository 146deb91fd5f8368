"""What is wrong with a policy file, with its place: for a terminal, for JSON and for an editor alike."""

from __future__ import annotations

from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One mistake in one file of a policy."""

    file: str
    """Relative to the policy's directory."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    code: str
    """A short word that scripts can match (`missing`, `unknown-field`, `duplicate`)."""
    message: str
    hint: str = ""
    excerpt: str = ""
    """The line as it stands in the file."""

    @property
    def place(self) -> str:
        """`rules/gates.rules.yaml:12:7`, as editors and terminals jump to it."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text

    def render(self) -> str:
        """The problem, its line and a caret under the spot."""
        if not self.excerpt.strip():
            return str(self)
        shown = self.excerpt.replace("\t", " ")
        gutter = f"{self.line:>5} | "
        return f"{self}\n{gutter}{shown}\n{' ' * (len(gutter) - 2)}| {' ' * (self.column - 1)}^"

    def as_dict(self) -> dict[str, Any]:
        """The shape of `tierwise policy check --json`."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }
