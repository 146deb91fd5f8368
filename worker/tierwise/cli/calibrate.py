"""`tierwise calibrate`: learn from labels how far confidence can be trusted, and say from when that applies."""

from __future__ import annotations

from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import policies, store, wiring
from tierwise.cli import evaluation, evaluation_page, leads, output, pages, session
from tierwise.domain import calibration as calibrations
from tierwise.domain import canonical, fitting
from tierwise.domain.calibration import Calibration
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import calibrate, evaluate, preview
from tierwise.ports import Fitted

app = typer.Typer(no_args_is_help=True, help="Confidence that means something: learnt from labels, then activated.")

Note = Annotated[str, typer.Option(help="Why.")]


@app.command()
def fit(
    labels: Annotated[Path | None, typer.Option(help="CSV or JSONL of labelled leads; default: stored labels.")] = None,
    label: Annotated[str, typer.Option(help="Column of the file that holds the label.")] = "label",
    sampling: Annotated[
        str | None, typer.Option(help="Column with the probability (0-1) with which the lead was drawn for labelling.")
    ] = None,
    map_: Annotated[Path | None, typer.Option("--map", help="Field map for the file's columns.")] = None,
    positive: Annotated[str, typer.Option(help="Labels that count as positive.")] = ",".join(evaluate.POSITIVE),
    kept_right: Annotated[
        float, typer.Option(min=0.5, max=0.99, help="How often tiers without a second model must be right.")
    ] = fitting.KEPT_RIGHT,
    escalate_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="In its place: share of leads that the second model may see.")
    ] = None,
    risk: Annotated[float, typer.Option(min=0.001, max=0.5, help="Of a cut-off that does not keep its word.")] = 0.05,
    disputes: Annotated[
        calibrations.Disputes,
        typer.Option(help="Two models contradict each other as weighed by what each is worth, or by what they said."),
    ] = "weighed",
    html: Annotated[Path | None, typer.Option(help="Write the reliability diagrams into this file.")] = None,
    note: Note = "",
    json: output.Json = False,
) -> None:
    """Learn a calibration for the active policy and its models; it applies once it is activated."""
    if sampling is not None and labels is None:
        raise Misconfigured(
            "--sampling names a column of a file, and none was given", place="--sampling", remedy="add --labels FILE"
        )
    with session.opened() as parts:
        policy = parts.runnable().policy
        models = parts.chain(policy)
        targets = policy.rubric.targets
        wanted = fitting.Wanted(targets.precision, targets.recall, kept_right, escalate_share, risk, disputes)
        if labels is None:
            found = calibrate.from_store(parts.store.calibrations.told(), policy, models=models)
            source = "stored"
        else:
            found = _from_file(parts, labels, label=label, map_=map_, positive=positive)
            found = _drawn(found, labels, sampling) if sampling is not None else found
            source = labels.name
        if (size := fitting.effective(found)) < fitting.FEWEST:
            alike = "" if size == len(found) else f", which tell as much as {int(size)} drawn alike,"
            raise RejectRecord(
                f"{len(found)} labels{alike} for this rubric and {' + '.join(models)}: confidence stays uncalibrated",
                place=source,
                remedy=f"at least {fitting.FEWEST} are needed: answer reviews, or give a file by --labels",
            )
        with output.busy(f"learning from {len(found)} labels"):
            made = fitting.fit(policy, models, found, source=source, wanted=wanted)
        digest = parts.store.calibrations.keep(made, by=session.actor(parts), note=note, now=wiring.clock())
    if html is not None:
        output.write_text(html, page(made))
    if json:
        output.print_json({"digest": digest, **_as_dict(made)})
        return
    _show(made)
    output.say(f"kept as {digest[:12]}; it applies after: tierwise calibrate activate {digest[:12]}")


def _from_file(
    parts: wiring.Wiring, file: Path, *, label: str, map_: Path | None, positive: str
) -> list[fitting.Labelled]:
    records = list(leads.read(file))
    cases, unlabelled = evaluate.cases(records, label=label, positive=positive.split(","))
    if not cases:
        raise Misconfigured(f"no row has a value in '{label}'", place=str(file), remedy="--label COLUMN")
    if unlabelled:
        output.say(f"{unlabelled} rows have no label and were left out")
    field_map = policies.read_map(map_) if map_ is not None else canonical.canonical_map()
    leads.require_columns(records, field_map, place=str(file))
    runnable = parts.runnable()
    with ExitStack() as open_parts:
        kept = store.Kept(parts.settings.home / evaluation.KEPT)
        open_parts.callback(kept.close)
        contender = evaluation.contender(
            parts.settings, kept, open_parts, runnable=runnable._replace(calibration=None), map_=field_map
        )
        with output.progress() as bar:
            trial = evaluation.trial(contender, cases, bar=bar, segment=evaluation.SEGMENT)
    return calibrate.from_results(trial.made, trial.results, runnable.policy.rubric)


def _drawn(found: list[fitting.Labelled], file: Path, column: str) -> list[fitting.Labelled]:
    """The labels with the probabilities of the file's column."""
    said = {row.id: row.properties.get(column) for row in preview.rows(list(leads.read(file)))}
    if all(value is None for value in said.values()):
        raise Misconfigured(f"no row has a value in '{column}'", place=str(file), remedy="--sampling COLUMN")
    drawn = []
    for item in found:
        try:
            probability = float(said[item.id] or "")
        except (OverflowError, TypeError, ValueError):
            probability = 0.0
        if not 0 < probability <= 1:
            raise Misconfigured(
                f"'{column}' is no probability above 0 and at most 1", place=f"{file}, lead {item.id}",
                remedy="the share of such leads that was drawn for labelling; 1 where all were labelled",
            )  # fmt: skip
        drawn.append(item._replace(probability=probability))
    return drawn


@app.command("list")
def listed(json: output.Json = False) -> None:
    """What was learnt, the newest first, and what applies."""
    with session.opened() as parts:
        found = parts.store.calibrations.list()
        row = parts.store.calibrations.active()
        policy = parts.runnable().policy
        rows = [(item, parts.misfit(item.calibration, policy)) for item in found]
    active = row.digest if row is not None else None
    if json:
        output.print_json(
            [{**_line(item), "active": item.digest == active, "does_not_apply": why} for item, why in rows]
        )
        return
    output.table(
        "Calibrations",
        ["digest", "active", "labels", "method", "models", "ECE before", "after", "at", "by", "does not apply"],
        [
            [item.digest[:12], "yes" if item.digest == active else "", item.calibration.labels,
             item.calibration.curve.method, " + ".join(item.calibration.models), _number(item.calibration.before.ece),
             _number(item.calibration.after.ece), f"{item.at:%Y-%m-%d %H:%M}", item.by, why]
            for item, why in rows
        ],
    )  # fmt: skip


@app.command()
def show(
    digest: Annotated[str, typer.Argument(help="Digest, the beginning of one, or: active.")],
    html: Annotated[Path | None, typer.Option(help="Write the reliability diagrams into this file.")] = None,
    json: output.Json = False,
) -> None:
    """One calibration with its figures."""
    with session.opened() as parts:
        made = parts.calibration(digest)
    if html is not None:
        output.write_text(html, page(made))
    if json:
        output.print_json({"digest": made.digest(), **_as_dict(made)})
    else:
        _show(made)


@app.command()
def activate(
    digest: Annotated[str, typer.Argument(help="Digest, or the beginning of one.")],
    note: Note = "",
    json: output.Json = False,
) -> None:
    """From now on new and changed leads are decided with it; decisions that were made stand."""
    with session.opened() as parts:
        made = parts.calibration(digest)
        why = parts.misfit(made, parts.runnable().policy)
        if why is not None:
            raise RejectRecord(
                f"it does not apply to the active policy: {why}", place=digest, remedy="tierwise calibrate fit"
            )
        row = parts.store.calibrations.activate(made.digest(), by=session.actor(parts), note=note, now=wiring.clock())
    if json:
        output.print_json(row._asdict())
    else:
        output.say(f"active: {made.digest()[:12]}, {made.labels} labels, {made.curve.method}")


@app.command()
def deactivate(note: Note = "", json: output.Json = False) -> None:
    """Confidence says uncalibrated again, and the rubric's own thresholds count."""
    with session.opened() as parts:
        row = parts.store.calibrations.activate(None, by=session.actor(parts), note=note, now=wiring.clock())
    if json:
        output.print_json(row._asdict())
    else:
        output.say("no calibration is active")


def page(made: Calibration) -> str:
    """Reliability before and after as one HTML file."""
    found = calibrate.measured(made)
    figures = "".join(
        pages.plot(
            f"{name}: ECE {_number(found[name]['ece'])}, Brier {_number(found[name]['brier'])}",
            evaluation_page.reliability(found[name]["reliability"]),
        )
        for name in ("before", "after")
    )
    words = f"{made.labels} labels of {made.source}, {' + '.join(made.models)}, rubric {made.rubric_version}"
    return pages.document(
        "Calibration",
        f"<h1>Calibration {made.digest()[:12]}</h1><p>{escape(words)}. After: every label was judged by a calibration"
        f" that had not seen it.</p><div class=plots>{figures}</div>",
    )


def _as_dict(made: Calibration) -> dict[str, Any]:
    return {
        **calibrate.measured(made),
        "models": list(made.models),
        "rubric": made.rubric,
        "rubric_version": made.rubric_version,
        "source": made.source,
        "data": made.data,
        "beliefs": made.beliefs.model_dump(mode="json"),
        "curve": made.curve.model_dump(mode="json"),
    }


def _line(item: Fitted) -> dict[str, Any]:
    return {
        "digest": item.digest, **calibrations.summary(item.calibration), "by": item.by, "note": item.note,
        "at": item.at,
    }  # fmt: skip


def _show(made: Calibration) -> None:
    alike = "" if made.effective is None else f" (as good as {made.effective:.0f} drawn alike)"
    output.table(
        f"{made.labels} labels{alike} of {made.source}, {' + '.join(made.models)}, method {made.curve.method}",
        ["", "before", "after (held back)"],
        [
            ["tier is right", _number(made.before.right), _number(made.after.right)],
            ["ECE", _number(made.before.ece), _number(made.after.ece)],
            ["Brier", _number(made.before.brier), _number(made.after.brier)],
            ["AUROC of confidence", _number(made.before.auroc), _number(made.after.auroc)],
            ["AUROC of the last answer's own word", _number(made.stated_auroc), None],
        ],
    )
    for name, chosen in (("escalate below", made.escalate), ("review below", made.review)):
        if chosen is not None:
            value = "cannot be met, the rubric's own counts" if chosen.value is None else f"{chosen.value:.3f}"
            share = "" if chosen.share is None else f", {chosen.share:.0%} of the labelled leads"
            risk = f", risk {chosen.risk:.0%}" if chosen.risk else ""
            why = f" ({chosen.why})" if chosen.why else ""
            output.out.print(f"{name}: {value}{share}: {chosen.target}{risk}{why}", markup=False)
    output.table(
        "Reliability (held back)",
        ["stated", "leads", "mean confidence", "right"],
        [
            [f"{low:.1f}-{high:.1f}", n, _number(stated), _number(right)]
            for low, high, n, stated, right in made.after.bins
        ],
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
