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
    if json:
        output.print_json(
            {"findings": [item.as_dict() for item in found.findings], "not_analysed": found.not_analysed or None}
        )
    else:
        for item in found.findings:
            kind = "error" if item.blocks else "warning"
            output.out.print(f"{kind} {item.code} · {item.subject}: {item.message}", markup=False, soft_wrap=True)
            if item.witness is not None:
                shown = {root: dict(facts) for root, facts in item.witness.items() if facts}
                output.out.print(f"      for example {shown}", markup=False, soft_wrap=True)
        if found.not_analysed:
            output.say(f"dead, shadowed and contradictory rules and gaps: {found.not_analysed}")
        output.say(f"{where}: {len(found.findings)} findings" if found.findings else f"{where}: nothing found")
    if any(item.blocks for item in found.findings):
        raise typer.Exit(1)
