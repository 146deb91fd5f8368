"""`tierwise policy analyse`: rules that never decide, edges that no test guards, gaps, contradictions."""

from __future__ import annotations

import typer

from tierwise import policies
from tierwise.cli import output
from tierwise.cli.policy import Directory, directory_of


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(analyse)


def analyse(directory: Directory = None, json: output.Json = False) -> None:
    """Look for dead, shadowed and contradictory rules, gaps, unguarded thresholds and unused reasons."""
    where = directory_of(directory)
    found = policies.analyse(policies.read(where))
    loaded = policies.load(where)
    places = [policies.located(loaded, item) for item in found.findings]
    if json:
        told = [
            {**item.as_dict(), "file": at.file, "line": at.line, "column": at.column}
            for item, at in zip(found.findings, places, strict=True)
        ]
        output.print_json({"findings": told, "not_analysed": found.not_analysed or None})
    else:
        for item, at in zip(found.findings, places, strict=True):
            kind = "error" if item.blocks else "warning"
            text = f"{at.place}: {kind} {item.code} · {item.subject}: {item.message}"
            output.out.print(text, markup=False, soft_wrap=True)
            if at.hint:
                output.out.print(f"      {at.hint}", markup=False, soft_wrap=True)
        if found.not_analysed:
            output.say(f"dead, shadowed and contradictory rules and gaps: {found.not_analysed}")
        output.say(f"{where}: {len(found.findings)} findings" if found.findings else f"{where}: nothing found")
    if any(item.blocks for item in found.findings):
        raise typer.Exit(1)
