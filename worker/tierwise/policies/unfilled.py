"""What a drafted policy leaves to people: marked in the files, and told by `policy check` until it is filled in."""

from __future__ import annotations

from collections.abc import Iterator

from tierwise.policies.loading import Loaded
from tierwise.policies.problems import Problem

MARK = "FILL_IN"


def check(loaded: Loaded) -> Iterator[Problem]:
    """Each example of the rubric that nobody filled in yet."""
    if loaded.rubric is None:
        return
    document = loaded.rubric.document
    for place, example in enumerate(loaded.rubric.value.examples):
        if example.tier == MARK or example.name.startswith(MARK):
            name = example.name.removeprefix(f"{MARK}: ")
            yield document.problem(
                ("examples", place, "tier" if example.tier == MARK else "name"),
                "fill-in",
                f"to be filled in: {name}",
                hint=f"write what was known of it under lead, its tier ({', '.join(loaded.rubric.value.tiers)}), and a "
                "name of its own",
            )
