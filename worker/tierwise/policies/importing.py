"""From a points sheet to a directory of policy files. Nothing that is there already is touched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tierwise.domain.lead import Lead
from tierwise.errors import Misconfigured
from tierwise.policies import drafted, drafts, examples, schemas, sheets
from tierwise.policies.drafts import Draft, Made
from tierwise.policies.loading import load


class Imported(NamedTuple):
    """What was made of a sheet."""

    directory: Path
    files: tuple[str, ...]
    rows: tuple[Made, ...]
    notes: tuple[str, ...]


def import_sheet(
    sheet: Path, directory: Path, *, name: str, owner: str, also: Mapping[str, str] | None = None
) -> Imported:
    """Write the policy that the sheet describes into the directory, with the schemas that editors read and the files of
    `also` (text by path) beside it.
    Misconfigured where the sheet is none, and where one of the files is there already."""
    draft = drafts.draft(sheets.read(sheet))
    texts = {
        **(also or {}),
        **schemas.generate(),
        **drafted.files(draft, name=name, owner=owner, tiers_of=_tiers(draft, name, owner)),
    }
    there = sorted(path for path in texts if (directory / path).exists())
    if there or (directory.exists() and not directory.is_dir()):
        raise Misconfigured(
            f"{there[0] if there else 'a file'} is there already, and nothing is overwritten", place=str(directory),
            remedy="name another directory with --to",
        )  # fmt: skip
    try:
        for path, text in texts.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise Misconfigured(f"cannot be written: {error.strerror}", place=str(directory)) from error
    return Imported(directory, tuple(sorted(texts)), draft.made, draft.notes)


def _tiers(draft: Draft, name: str, owner: str) -> dict[str, str]:
    """The tier of each drafted example, by its name; none for one whose lead reaches another level than its own."""
    with tempfile.TemporaryDirectory() as made:
        for path, text in drafted.files(draft, name=name, owner=owner, tiers_of={}).items():
            target = Path(made) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        loaded = load(Path(made))
    if loaded.policy is None:
        problem = loaded.problems[0]
        raise Misconfigured(f"no policy can be made of it: {problem.message}", place=f"{problem.file}:{problem.line}")
    found = {}
    for title, lead, levels in draft.examples:
        tier, reached = examples.tier_of(loaded.policy, Lead.model_validate(lead))
        if tier is not None and all(reached.get(criterion) == level for criterion, level in levels.items()):
            found[title] = tier
    return found
