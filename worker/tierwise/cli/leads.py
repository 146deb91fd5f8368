"""Leads: poll and backfill a connection, score a file, tell one lead's whole story."""

from __future__ import annotations

import csv
import json as jsonlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import policies, wiring
from tierwise.cli import batches, desk, models, moments, output, session, story
from tierwise.domain import canonical, mapping
from tierwise.domain.policy import Runnable
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import preview as previewing
from tierwise.pipeline import replay as replaying
from tierwise.pipeline import review as reviewing

csv.field_size_limit(10_000_000)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(poll)
    app.command()(backfill)
    app.command()(score)
    app.command()(trace)


def poll(
    name: Annotated[str, typer.Argument(help="Name of the connection.")],
    decide: Annotated[bool, typer.Option("--decide/--no-decide", help="Also decide and write back.")] = True,
    json: output.Json = False,
) -> None:
    """Poll once, now, and carry what is new through to the CRM."""
    with session.opened() as parts, output.busy(f"polling {name}"):
        report = parts.poll(name)
        if report is None:
            raise _not_polled(parts, name)
        result: dict[str, Any] = {"polled": report._asdict()}
        if decide and parts.store.works.due(now=wiring.clock()):
            pumped = parts.pump(connection=name)
            result["decided"] = pumped._asdict() if pumped else {}
        else:
            result["decided"] = {}
        if decide and parts.store.outbox.due(now=wiring.clock()).get(name):
            result["wrote_back"] = parts.write_back(name)._asdict()
        else:
            result["wrote_back"] = {}
    if json:
        output.print_json(result)
        return
    writes, calls = result["wrote_back"].get("sent", 0), result["decided"].get("model_calls", 0)
    output.out.print(
        f"{name}: {report.records} records read, {report.new} new, {report.changed} changed, "
        f"{report.rejected} not scorable; {writes} writes, {calls} model calls",
        markup=False,
    )


def _not_polled(parts: wiring.Wiring, name: str) -> RejectRecord:
    state = next((state for state in parts.store.connections.list() if state.name == name), None)
    if state is None or not state.enabled:
        return RejectRecord(f"{name} is disabled", remedy=f"tierwise connections enable {name}")
    if state.paused:
        return RejectRecord(f"{name} is paused: {state.paused}", remedy=f"tierwise connections enable {name}")
    return RejectRecord(f"another process polls {name} right now", remedy="try again in a moment")


def backfill(
    name: Annotated[str, typer.Argument(help="Name of the connection.")],
    since: Annotated[str, typer.Option(help="Day or moment (2026-01-31, 2026-01-31T08:00Z), or 30d.")],
    outcomes: Annotated[
        bool, typer.Option("--outcomes", help="In place of leads: what sales made, since then, of those we know.")
    ] = False,
    batch: batches.Wish = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: output.Json = False,
) -> None:
    """Also read leads from before the connection was enabled, with an estimate first."""
    start = moments.parse(since, place="--since")
    with session.opened() as parts:
        runnable = parts.runnable()
        known = {state.name for state in parts.store.connections.list() if state.watermark is not None}
        if name not in known:
            raise RejectRecord(f"{name} was never enabled", remedy=f"tierwise connections enable {name}")
        if outcomes:
            _outcomes(parts, name, start, json=json)
            return
        with parts.connector(name) as connector, output.progress() as bar:
            task = bar.add_task("counting", total=None)
            count = 0
            for page in connector.changes(start, connector.now(), properties=(), position=None):
                count += len(page.records)
                bar.update(task, completed=count)
        chain = batches.chain(parts, runnable.policy, wish=batch)
        found = replaying.rough(count, runnable, chain=chain, prices=parts.prices)
        by_batch = batches.worth(parts, chain, calls=found.calls, wish=batch)
        if not by_batch:
            found = found._replace(usd_at_least=found.live_usd_at_least, usd_at_most=found.live_usd_at_most)
        estimate = {
            "leads": count, "model_calls_at_most": found.calls, "model": chain.primary, "batch": by_batch,
            "usd_at_least": found.usd_at_least, "usd_at_most": found.usd_at_most,
        }  # fmt: skip
        if not json:
            output.say(
                f"{count} records since {start:%Y-%m-%d %H:%M} UTC, at most {found.calls} calls of {chain.primary}"
            )
            if found.usd_at_least is not None and found.usd_at_most is not None and found.calls:
                output.say(f"very roughly {found.usd_at_least:.4f} to {found.usd_at_most:.4f} USD")
            batches.tell(found, chain, by_batch=by_batch)
        if not yes and not json and not typer.confirm("Go on?"):
            raise typer.Exit(1)
        now = wiring.clock()
        # Inbound is what changed after the last poll, whatever else is read with it.
        until = parts.store.cursors.watermark(name, "changes") if by_batch else None
        parts.store.batches.backfill(name, since=start, until=until, now=now)
    if json:
        output.print_json(estimate)
    else:
        output.say("the next poll begins there")
        if by_batch:
            output.say("`tierwise batches list` tells how far the batches are")


def _outcomes(parts: wiring.Wiring, name: str, start: datetime, *, json: bool) -> None:
    """The pass over outcomes begins there again; what it told before is not stored twice."""
    if not parts.settings.trail.outcomes:
        raise Misconfigured("outcomes are not read", place="trail.outcomes", remedy="set it to true")
    parts.store.cursors.rewind(name, watermark=start, now=wiring.clock(), kind="outcomes")
    if json:
        output.print_json({"outcomes_since": start})
    else:
        output.say(f"what sales did since {start:%Y-%m-%d %H:%M} UTC is read from now on")


def calibrated(parts: wiring.Wiring, runnable: Runnable, named: str | None) -> Runnable:
    """The policy with the calibration of that name; Misconfigured where it does not fit."""
    if named is None:
        return runnable
    made = parts.calibration(named)
    why = parts.misfit(made, runnable.policy)
    if why is not None:
        raise Misconfigured(f"it does not apply: {why}", place="--calibration", remedy="tierwise calibrate list")
    return runnable._replace(calibration=made)


def score(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL, one lead a row.")],
    policy: Annotated[Path | None, typer.Option(help="Directory with rules/ and prompts/.")] = None,
    model: Annotated[str | None, typer.Option(help="LiteLLM name, in place of the rubric's primary.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", help="Field map for the file's columns.")] = None,
    calibration: Annotated[str | None, typer.Option(help="Digest of a stored calibration, or: active.")] = None,
    json: output.Json = False,
) -> None:
    """Score leads from a file: no CRM, nothing stored. Without --map the columns are canonical field names."""
    rows = list(read(file))
    settings = session.load()
    if model is not None:
        settings = settings.model_copy(
            update={"model": settings.model.model_copy(update={"primary": model, "secondary": None})}
        )
    parts = wiring.Wiring(settings, uncached=True)
    try:
        bundle = policies.read(policy or parts.policy_directory())
        runnable = calibrated(parts, policies.compile(bundle), calibration)
        field_map = policies.read_map(map_) if map_ is not None else canonical.canonical_map()
        require_columns(rows, field_map, place=str(file))
        judge, loop = parts.judge()
        found = []
        with output.progress() as bar:
            task = bar.add_task("scoring", total=len(rows))
            for item in previewing.preview(
                previewing.rows(rows), runnable=runnable, field_map=field_map, judge=judge, submit=loop.submit,
                clock=wiring.clock, enrich=parts.enrich_unstored(),
            ):  # fmt: skip
                found.append(item)
                if json:
                    output.print_json_line(previewing.as_json(item))
                bar.advance(task)
    finally:
        parts.close()
    if not json:
        show_previews(found, title=str(file), json=False)
    models.require_answers(*models.fallen(item.decision for item in found), place=str(file))


def require_columns(rows: Sequence[Mapping[str, Any]], field_map: mapping.FieldMap, *, place: str) -> None:
    """A file none of whose columns the map reads is a mistake, not a thousand unscorable leads."""
    wanted = set(mapping.properties(field_map))
    if rows and not any(wanted & row.keys() for row in rows):
        raise Misconfigured(
            f"none of the columns ({', '.join(list(rows[0])[:8])}) is read by the map",
            place=place,
            remedy=f"pass --map MAP.yaml, or name columns like {', '.join(sorted(wanted)[:5])}",
        )


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Records of a CSV or JSONL file. Misconfigured names the line that is neither."""
    try:
        if file.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
            yield from _read_jsonl(file)
        else:
            with file.open(encoding="utf-8-sig", newline="") as handle:
                for row in csv.DictReader(handle):
                    yield {key: value for key, value in row.items() if key is not None and isinstance(value, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured(
            f"cannot be read: {_why(error)}", place=str(file), remedy="CSV or JSONL in UTF-8"
        ) from error


def _why(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else type(error).__name__


def _read_jsonl(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                row = jsonlib.loads(line)
            except ValueError as error:
                raise Misconfigured(
                    "not a JSON object", place=f"{file}:{number}", remedy="one object a line"
                ) from error
            if not isinstance(row, dict):
                raise Misconfigured("not a JSON object", place=f"{file}:{number}", remedy="one object a line")
            yield row


def show_previews(found: Sequence[previewing.Previewed], *, title: str, json: bool) -> None:
    """Decisions as a table, or one JSON object a line."""
    shapes = [previewing.as_json(item) for item in found]
    if json:
        for shape in shapes:
            output.print_json_line(shape)
        return
    output.table(
        title,
        ["id", "status", "score", "fit", "intent", "tier", "confidence", "outcome", "route", "reason codes"],
        [
            [
                s["id"], s["status"], s["score"], s["fit"], s["intent"], s["tier"],
                None if s["confidence"] is None else f"{s['confidence']:.0%}", s["outcome"], s["route"],
                output.few(s["reason_codes"]),
            ]
            for s in shapes
        ],
    )  # fmt: skip


def trace(
    lead: Annotated[str, typer.Argument(help="CONNECTION:ID, or a bare id where it is unique.")],
    unblind: desk.Unblind = False,
    json: output.Json = False,
) -> None:
    """One lead's whole story: fields, rules, verdicts with quotes, cascade, cost, what was written.

    While its audit is open what we think of it is left out, unless --unblind asks for it.
    """
    connection, _, record_id = lead.rpartition(":")
    with session.opened() as parts:
        found = parts.store.leads.story(connection or None, record_id)
        if not found:
            raise RejectRecord(f"no lead '{lead}' is known", remedy="is the connection enabled, and polled since?")
        if len(found) > 1:
            names = ", ".join(f"{item.connection}:{item.record_id}" for item in found)
            raise Misconfigured(f"'{lead}' is not unique", remedy=f"one of {names}")
        veiled = reviewing.blind(found[0])
        if veiled and unblind:
            desk.look(parts, found[0].connection, found[0].record_id)
    told = story.veiled(found[0]) if veiled and not unblind else found[0]
    if json:
        output.print_json({**story.as_dict(told), "blind": veiled and not unblind})
    else:
        story.show(told)
        if told is not found[0]:
            output.say("its audit is open: what we think of it is left out; --unblind shows it, and is recorded")
