"""What people and sales said of leads, to look at and to take elsewhere.

Whose lead it is leaves only where that is asked for, and then it is on record who took it.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from enum import StrEnum
from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import output, session
from tierwise.pipeline import review, teach
from tierwise.ports import Label
from tierwise.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="What people and sales said of leads: list, disputes, export.")
MOST = 10_000_000

Source = Annotated[str | None, typer.Option(help="review, rep_feedback or crm_outcome; default: all.")]


class Format(StrEnum):
    """Of an export."""

    JSONL = "jsonl"
    CSV = "csv"
    FINETUNE = "finetune"


@app.command("list")
def list_(source: Source = None, limit: Annotated[int, typer.Option(min=1)] = 50, json: output.Json = False) -> None:
    """The newest labels; a sampling of – means that nobody drew the lead, and no gate counts it.

    An empty value is that of a lead which another person is still to judge: `trace --unblind` shows it, on record.
    """
    with session.opened() as parts:
        found = review.labels(parts.store, source=source, limit=limit)
    if json:
        output.print_json([item._asdict() for item in found])
        return
    output.table(
        "Labels",
        ["id", "lead", "source", "subject", "value", "sampling", "by", "said"],
        [
            [item.id, f"{item.connection}:{item.record_id}", item.source, item.subject, item.value, item.sampling,
             item.by, output.ago(item.said_at)]
            for item in found
        ],
    )  # fmt: skip


@app.command()
def disputes(json: output.Json = False) -> None:
    """Leads to which people gave different tiers, and which of them counts; all are kept."""
    with session.opened() as parts:
        found = review.disputes(parts.store)
    if json:
        output.print_json([item._asdict() for item in found])
        return
    output.table(
        "Disputes",
        ["lead", "decision", "said", "counts"],
        [
            [f"{item.connection}:{item.record_id}", item.decision_id, ", ".join(map(" ".join, item.said)), item.counts]
            for item in found
        ],
    )  # fmt: skip


@app.command()
def export(
    format_: Annotated[
        Format, typer.Option("--format", help="jsonl, csv, or finetune: chat messages with the expected assessment.")
    ] = Format.JSONL,
    source: Source = None,
    personal: Annotated[bool, typer.Option("--personal", help="With the leads' fields; that is recorded.")] = False,
) -> None:
    """Every label to standard output, oldest first, but those of leads that another person is still to judge.

    `finetune` writes what models were asked with the answer that people confirmed or corrected, disguised as in
    production; what teaches nothing is left out and counted on standard error.
    """
    if format_ is Format.FINETUNE:
        _teach(source, personal=personal)
        return
    with session.opened() as parts:
        found, kept_back = review.given(parts.store, source=source, limit=MOST)
        if personal:
            by, subject = session.actor(parts), f"labels {source or 'all'}"
            after = {"labels": len(found), "format": format_.value}
            parts.store.admin_events.add(
                by, "labels.export_personal", subject, reason="", now=wiring.clock(), after=after
            )
        rows = [_row(parts, item, personal=personal) for item in found]
    if kept_back:
        output.say(f"{kept_back} labels are left out: another person is still to judge their leads")
    if format_ is Format.JSONL:
        for row in rows:
            output.print_json_line(row)
        return
    names = [*Label._fields, *sorted({name for row in rows for name in row} - set(Label._fields))]
    writer = csv.DictWriter(sys.stdout, names)
    writer.writeheader()
    writer.writerows(rows)


def _teach(source: str | None, *, personal: bool) -> None:
    left_out: Counter[str] = Counter()
    written = 0
    with session.opened() as parts:
        # It leaves with what leads wrote, disguised or not: that is on record, and before anything leaves.
        action = "labels.export_personal" if personal else "labels.export_lessons"
        after = {"format": Format.FINETUNE.value}
        by, subject = session.actor(parts), f"labels {source or 'all'}"
        parts.store.admin_events.add(by, action, subject, reason="", now=wiring.clock(), after=after)
        runnable = parts.runnable()
        tools = teach.Tools(parts.store, runnable.policy, runnable.digest, parts.asks)
        for messages in teach.examples(tools, left_out=left_out, source=source, raw=personal):
            output.print_json_line({"messages": messages})
            written += 1
    output.say(f"examples: {written}")
    for sentence in teach.left_out_in_words(left_out):
        output.say(f"  {sentence}")


def _row(parts: Wiring, label: Label, *, personal: bool) -> dict[str, Any]:
    row = {**label._asdict(), "said_at": label.said_at.isoformat(), "seen_at": label.seen_at.isoformat()}
    story = parts.store.leads.story(label.connection, label.record_id) if personal else []
    lead = story[0].lead if story else None
    fields = lead.model_dump(mode="json", exclude_none=True) if lead is not None else {}
    return row | {f"lead_{name}": value for name, value in fields.items()}
