"""For whom the organisation's own tier field is written: what stands, who changed it, and the switch that stops it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple, get_args

import typer

from tierwise import wiring
from tierwise.cli import moments, output, session
from tierwise.domain.rollout import FLAG, STAGES, Flag
from tierwise.errors import Misconfigured, Refused, RejectRecord, TierwiseError
from tierwise.pipeline import arrivals
from tierwise.ports.automation import AutomationState
from tierwise.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="Automation: list, set, writes, kill, unkill, history, alerts.")
STATES: tuple[AutomationState, ...] = get_args(AutomationState)
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


@app.command("list")
def list_(json: output.Json = False) -> None:
    """The flag, the kill switch and the gate, and what follows from them. Exit code 0 whether on or off."""
    with session.opened() as parts:
        stands, kill = parts.standing(), parts.evaluator.killed_by_file()
        automated = parts.store.automations.count(since=None)
        ended = dict.fromkeys(STATES, 0)
        for (_, state), number in parts.store.automations.counts().items():
            ended[state] += number
    kill = kill or stands.kill
    flag = stands.flag or Flag()
    on = kill is None and stands.gate.green and flag.percentage > 0
    told = {
        "flag": FLAG,
        "on": on,
        **flag.model_dump(mode="json"),
        "version": stands.version,
        "killed": kill._asdict() if kill else None,
        "gate": {"green": stands.gate.green, "why": list(stands.gate.why), "cut_off": stands.gate.cut_off},
        "automated": automated,
        "writes": ended,
    }
    if json:
        output.print_json(told)
        return
    output.table(
        "Automation",
        ["", ""],
        [
            ["in force", "yes" if on else "no"],
            ["kill switch", f"thrown by {kill.by}: {kill.reason}" if kill else "not thrown"],
            ["gate", "green" if stands.gate.green else "red: " + "\n".join(stands.gate.why)],
            ["flag", f"{flag.percentage} % of companies (version {stands.version})"],
            ["pods", ", ".join(flag.pods) or "all"],
            ["connections", ", ".join(flag.connections) or "all"],
            ["leads written so far", automated],
            ["in doubt, read back soon", sum(ended[state] for state in arrivals.IN_DOUBT)],
            ["refused by the CRM", ended["refused"]],
        ],
    )


@app.command("set")
def set_(
    percentage: Annotated[int, typer.Argument(help=f"Percent of companies: {', '.join(map(str, STAGES))}.")],
    reason: Reason,
    pod: Annotated[list[str] | None, typer.Option(help="Only leads routed there; may be given more than once.")] = None,
    connection: Annotated[list[str] | None, typer.Option(help="Only this connection; may be repeated.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="All pods and connections again.")] = False,
    soak_hours: Annotated[float | None, typer.Option(min=0, help="How long each stage runs before the next.")] = None,
    smallest: Annotated[int | None, typer.Option(min=0, help="Leads each stage automates before the next.")] = None,
    json: output.Json = False,
) -> None:
    """Raise or lower automation. Raising needs a green gate, one stage at a time; lowering needs nothing."""
    with session.opened() as parts:
        stands = parts.standing()
        held = stands.flag or Flag()
        given: dict[str, object] = {"percentage": percentage}
        if everywhere:
            given.update(pods=(), connections=())
        given.update({"pods": tuple(pod)} if pod else {})
        given.update({"connections": tuple(connection)} if connection else {})
        given.update({"soak_hours": soak_hours} if soak_hours is not None else {})
        given.update({"smallest": smallest} if smallest is not None else {})
        flag = Flag.model_validate({**held.model_dump(), **given})
        by = session.actor(parts)
        why = parts.raise_flag(flag, by=by, reason=reason, base=stands.version)
        if why:
            raise Refused("; ".join(why), place=f"flag {FLAG}", remedy="tierwise flags list, tierwise validate")
    if json:
        output.print_json({"flag": FLAG, **flag.model_dump(mode="json")})
    else:
        output.say(f"{FLAG}: {flag.percentage} % of companies")


@app.command()
def kill(
    reason: Reason,
    revert: Annotated[str | None, typer.Option(help="Put back what was overwritten since then (ISO 8601).")] = None,
    json: output.Json = False,
) -> None:
    """Stop all automation at once, everywhere; with --revert, put former values back where nobody touched them.

    Exit code 1 or 3 where not all of it could be put back; the command can be given again.
    """
    with session.opened() as parts:
        # Nothing comes before the switch: neither a token that opens nothing nor a date that is none.
        try:
            by = session.actor(parts)
        except Refused:
            by = f"local:{session.person()}"
        parts.store.flags.kill(on=True, by=by, reason=reason, now=wiring.clock())
        since = moments.parse(revert, place="--revert") if revert is not None else None
        put_back = put_back_all(parts, since) if since is not None else PutBack({}, 0)
    if json:
        output.print_json({"killed": True, "reverted": put_back.told})
    else:
        output.say("automation is stopped: tierwise flags unkill takes it back")
        for name, told in put_back.told.items():
            output.say(f"{name}: {told}")
    if put_back.code:
        output.err.print(
            "not everything was put back: give the same command again once that is mended", style="red", markup=False
        )
        raise typer.Exit(put_back.code)


class PutBack(NamedTuple):
    """What a revert did, and the exit code that says so."""

    told: dict[str, object]
    """By connection."""
    code: int
    """0: everything; 1: some was refused or is in doubt; 3: something could not be reached."""


def put_back_all(parts: Wiring, since: datetime) -> PutBack:
    """Former values on every connection; one that fails holds up no other."""
    told: dict[str, object] = {}
    codes = {0}
    for name in parts.reverting():
        try:
            done = parts.revert(name, since=since)
            told[name] = {
                "put_back": done.written, "already": done.already, "kept": done.kept, "refused": done.refused,
                "in_doubt": done.unsure,
            }  # fmt: skip
            codes.add(1 if done.refused or done.unsure else 0)
        except TierwiseError as error:
            # The other connections are put back all the same; the command can be given again.
            told[name] = {"error": str(error)}
            codes.add(3 if error.exit_code == 3 else 1)
    return PutBack(told, max(codes))


@app.command()
def writes(
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    state: Annotated[list[str] | None, typer.Option(help=f"Only these; may be repeated: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: output.Json = False,
) -> None:
    """What was written into the organisation's own tier field, what it overwrote and how it ended; the newest first."""
    states = tuple(one for one in STATES if one in (state or STATES))
    unknown = sorted(set(state or ()) - set(STATES))
    if unknown:
        raise Misconfigured(f"'{unknown[0]}' is no state", place="--state", remedy=f"any of {', '.join(STATES)}")
    with session.opened() as parts:
        rows = parts.store.automations.list(connection=connection, states=states, limit=limit)
    if json:
        output.print_json([row._asdict() for row in rows])
        return
    output.table(
        "Writes of the organisation's own field",
        ["at", "lead", "field", "before", "after", "state", "why"],
        [[output.ago(row.at), f"{row.connection}:{row.record_id}", row.field, row.before, row.after, row.state,
          row.error] for row in rows],
    )  # fmt: skip


@app.command()
def unkill(reason: Reason) -> None:
    """Take the kill switch back. The kill file is removed by hand."""
    with session.opened() as parts:
        parts.store.flags.kill(on=False, by=session.actor(parts), reason=reason, now=wiring.clock())
        file = parts.evaluator.killed_by_file()
    output.say("the kill switch is not thrown" + (f"; but {file.by} still stops everything" if file else ""))


@app.command()
def history(limit: Annotated[int, typer.Option(min=1)] = 50, json: output.Json = False) -> None:
    """Every change of flag and kill switch, the newest first."""
    with session.opened() as parts:
        versions, kills = parts.store.flags.history(limit=limit), parts.store.flags.kills(limit=limit)
    changes = [
        *((item.at, f"{item.flag.percentage} %", item.by, item.reason, item.machine) for item in versions),
        *((item.at, "killed" if item.on else "unkilled", item.by, item.reason, False) for item in kills),
    ]
    changes = sorted(changes, key=lambda change: change[0], reverse=True)[:limit]
    if json:
        output.print_json([dict(zip(("at", "what", "by", "reason", "machine"), row, strict=True)) for row in changes])
        return
    output.table(
        "Changes",
        ["when", "what", "by", "why"],
        [[output.ago(at), what, by, reason] for at, what, by, reason, _ in changes],
    )


@app.command()
def alerts(
    close: Annotated[int | None, typer.Option(metavar="ID", help="Close this one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    json: output.Json = False,
) -> None:
    """Open alerts: while one is open, the gate is red."""
    with session.opened() as parts:
        if close is not None and not parts.store.flags.close_alert(close, by=session.actor(parts), now=wiring.clock()):
            raise Misconfigured(f"alert {close} is not open", remedy="tierwise flags alerts")
        found = parts.store.flags.alerts(everything=everything)
    if json:
        output.print_json([item._asdict() for item in found])
        return
    output.table(
        "Alerts",
        ["id", "kind", "scope", "detail", "since", "closed by"],
        [[item.id, item.kind, item.scope, item.detail, output.ago(item.opened_at), item.closed_by] for item in found],
    )


def check(parts: Wiring) -> str:
    """What the doctor says of writes; RejectRecord where some are refused, or in doubt for too long."""
    rows = parts.store.automations.list(states=("refused", *arrivals.IN_DOUBT), limit=10_000)
    old = arrivals.old(rows, now=parts.clock())
    refused = sum(row.state == "refused" for row in rows)
    if old:
        raise RejectRecord(
            f"{old} writes of the tier field are in doubt for more than an hour",
            remedy="tierwise flags writes --state unsure",
        )
    if refused:
        raise RejectRecord(
            f"the CRM refuses the tier of {refused} leads", remedy="tierwise review list --kind write_failed"
        )
    return f"{parts.store.automations.count(since=None)} leads written"
