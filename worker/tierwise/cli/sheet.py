"""The way in from a spreadsheet: a points sheet becomes a policy that people go on writing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierwise import content, policies
from tierwise.cli import output
from tierwise.cli.policy import template_problems


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import-csv")(import_csv)


def import_csv(
    file: Annotated[Path, typer.Argument(help="Two columns: a condition in words, and its points.")],
    to: Annotated[Path | None, typer.Option(help="A directory of its own; default: the file's name.")] = None,
    name: Annotated[str | None, typer.Option(help="What the policy is called; default: the file's name.")] = None,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "sales-operations",
    json: output.Json = False,
) -> None:
    """Make a rubric, reasons and routes of a points sheet, and tell what became of each row. Overwrites nothing."""
    directory = to if to is not None else file.with_suffix("")
    made = policies.import_sheet(
        file, directory, name=name or file.stem, owner=owner, also=content.texts("rules/maps/*.yaml")
    )
    problems = policies.check(directory, template_check=template_problems)
    if json:
        output.print_json(
            {
                "directory": str(made.directory), "files": made.files, "rows": [row._asdict() for row in made.rows],
                "notes": made.notes, "to_fill_in": [problem.as_dict() for problem in problems],
            }
        )  # fmt: skip
        return
    output.table(
        str(file),
        ["line", "condition", "points", "became", "how"],
        [[row.line, row.text, row.points, row.became, row.detail] for row in made.rows],
    )
    for note in made.notes:
        output.say(note)
    output.say(f"wrote {len(made.files)} files to {directory}; still to be filled in:")
    for problem in problems:
        output.say(f"  {problem.file}:{problem.line}: {problem.message}")
    output.say(f"then: tierwise policy check {directory}, tierwise policy test {directory}")
