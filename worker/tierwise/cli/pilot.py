"""A pilot on one page: for whoever decides whether it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import moments, output, pilot_page, session
from tierwise.cli.pilot_page import between, lasting, met, money, points, shared
from tierwise.errors import Misconfigured
from tierwise.pipeline.cohort import Asked


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pilot)


def pilot(
    pod: Annotated[str | None, typer.Option(help="Only leads routed there.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only leads of this connection.")] = None,
    since: Annotated[str, typer.Option(help="Begin of the period: 2026-01-31 or 30d.")] = "30d",
    until: Annotated[str | None, typer.Option(help="End of the period; default: now.")] = None,
    within: Annotated[int, typer.Option(min=1, max=365, help="Days for which each lead's outcome is followed.")] = 14,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report there as one HTML file.")] = None,
    json: output.Json = False,
) -> None:
    """A pod and a period in figures: speed, first touch, acceptance against the period before, overrides, cost."""
    now = wiring.clock()
    start = moments.parse(since, place="--since")
    end = moments.parse(until, place="--until") if until is not None else now
    if start >= end:
        raise Misconfigured("the period ends before it begins", place="--until", remedy="a moment after --since")
    asked = Asked(start, end, now, within=timedelta(days=within), connection=connection, pod=pod)
    with session.opened() as parts, output.busy("reading what happened"):
        told = parts.pilot(asked)
    if html is not None:
        output.write_text(html, pilot_page.page(told))
        output.say(f"written: {html}")
    if json:
        output.print_json(told)
    elif html is None:
        _show(told)


def _show(told: Mapping[str, Any]) -> None:
    sla, touch, accepted, exceptions = told["sla"], told["touch"], told["accepted"], told["exceptions"]
    crm, overrides = sla["to_crm"], told["overrides"]
    dash = "unknown" if sla["unknown"] else "not reached"
    middle = f"{lasting(touch['p25'])} to {lasting(touch['p75'])}" if touch["n"] else "unknown"
    whose = told["pod"] or told["connection"] or "all"
    output.table(
        f"Pilot {whose}, {told['since'][:10]} to {told['until'][:10]}: {told['leads']['n']} leads",
        ["what", "found", "note"],
        [
            ["submit to outcome, median", lasting(crm["median"], unknown=dash), f"5 min: {met(sla['met']['median'])}"],
            ["submit to outcome, 95 %", lasting(crm["p95"], unknown=dash), f"1 h: {met(sla['met']['p95'])}"],
            ["first touch by sales, median", between(touch), f"{touch['ended']} of {touch['n']} leads touched"],
            ["first touch, middle half", middle, ""],
            ["sales-accepted", shared(accepted["period"]), f"within {accepted['within_days']:g} days"],
            ["against the period before", points(accepted), shared(accepted["before"])],
            ["overridden, of drawn leads", shared(overrides["drawn"]), ""],
            ["overridden, our tier field", shared(overrides["our_field"]), ""],
            ["overridden, automated field", shared(overrides["automated"]), ""],
            ["exceptions a day", "unknown" if exceptions["per_day"] is None else f"{exceptions['per_day']:.1f}",
             f"{exceptions['opened']} in all"],
            ["cost a lead", money(told["cost"]["per_lead_usd"]), "models, without people's time"],
        ],
    )  # fmt: skip
    named = {"submit to outcome": sla, "first touch": touch, "sales-accepted": accepted, "cost": told["cost"]}
    for name, found in named.items():
        if found["unknown"]:
            output.say(f"{name} is not known: {found['unknown']}")
    output.table(
        "What became of them",
        ["tier", "leads", "followed", "accepted", "converted", "won", "amount won"],
        [
            [one["name"], one["leads"], one["followed"], *(shared(one[kind]) for kind in pilot_page.KINDS),
             pilot_page.amount(one)]
            for one in (*told["conversion"]["by_tier"], told["conversion"]["all"])
        ],
    )  # fmt: skip
    output.table(
        "Exceptions",
        ["kind", "opened", "answered", "open", "overtaken", "resolution, median", "95 %"],
        [
            [one["kind"], one["opened"], one["answered"], one["open"], one["superseded"],
             lasting(one["median"]), lasting(one["p95"])]
            for one in exceptions["by_kind"]
        ],
    )  # fmt: skip
