"""`tierwise policy analyse`: rules that never decide, edges that no test guards, gaps, contradictions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tierwise import policies, store, wiring
from tierwise.cli import output, session
from tierwise.cli.policy import Directory, directory_of
from tierwise.domain.policy import Policy
from tierwise.errors import TierwiseError
from tierwise.policies import analysis

MOST = 50_000
"""Decisions that are looked at, the newest first."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(analyse)


def analyse(
    directory: Directory = None,
    days: Annotated[int, typer.Option(min=1, help="Rules that matched nothing for so many days are told.")] = 30,
    json: output.Json = False,
) -> None:
    """Look for dead, shadowed and contradictory rules, gaps, unguarded thresholds, and what was not used for weeks."""
    where = directory_of(directory)
    policy = policies.read(where)
    found = policies.analyse(policy)
    lately, unknown = _lately(policy, days)
    findings = (*found.findings, *lately)
    loaded = policies.load(where)
    places = [policies.located(loaded, item) for item in findings]
    if json:
        told = [
            {**item.as_dict(), "file": at.file, "line": at.line, "column": at.column}
            for item, at in zip(findings, places, strict=True)
        ]
        output.print_json(
            {"findings": told, "not_analysed": found.not_analysed or None, "days": days, "unused": unknown or None}
        )
    else:
        for item, at in zip(findings, places, strict=True):
            kind = "error" if item.blocks else "warning"
            text = f"{at.place}: {kind} {item.code} · {item.subject}: {item.message}"
            output.out.print(text, markup=False, soft_wrap=True)
            if at.hint:
                output.out.print(f"      {at.hint}", markup=False, soft_wrap=True)
        if found.not_analysed:
            output.say(f"dead, shadowed and contradictory rules and gaps: {found.not_analysed}")
        if unknown:
            output.say(f"rules that did not match for {days} days: {unknown}")
        output.say(f"{where}: {len(findings)} findings" if findings else f"{where}: nothing found")
    if any(item.blocks for item in findings):
        raise typer.Exit(1)


def _lately(policy: Policy, days: int) -> tuple[list[policies.Finding], str]:
    """What was not used in stored decisions, or why that cannot be told."""
    settings = session.load()
    try:
        revision, head = store.current(settings.database_url)
        if revision != head:
            return [], "not analysed: no database"
        with session.opened() as parts:
            fired = parts.store.decisions.fired(since=wiring.clock() - timedelta(days=days), limit=MOST)
    except TierwiseError as error:
        return [], f"not analysed: no database ({error.message})"
    if not fired.decisions:
        return [], "not analysed: no decisions in that time"
    return analysis.silent(policy, decisions=fired.decisions, matched=fired.rules, given=fired.reasons, days=days), ""
