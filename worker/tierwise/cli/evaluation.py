"""`tierwise eval`: a policy and a model against leads whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.progress import Progress

from tierwise import content, policies, store, wiring
from tierwise.cli import evaluation_page, leads, models, output, session
from tierwise.domain import aims, canonical, fitting
from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Misconfigured
from tierwise.pipeline import attack, calibrate, evaluate
from tierwise.pipeline.evaluate import Case, Engine, Keeping, Result
from tierwise.pipeline.map import Enrich
from tierwise.pipeline.preview import Previewed
from tierwise.settings import Settings

SEGMENT = "source"
KEPT = "evaluations.db"


class Contender(NamedTuple):
    """A policy with a model, by the name that people see."""

    name: str
    engine: Engine


class Trial(NamedTuple):
    """One contender's run over all cases."""

    contender: Contender
    made: list[Previewed]
    results: list[Result]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluation)


def evaluation(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL, one lead a row, with a column of labels.")],
    label: Annotated[str, typer.Option(help="Column that holds the label; rows without one are left out.")],
    policy: Annotated[Path | None, typer.Option(help="Directory with rules/ and prompts/.")] = None,
    model: Annotated[str | None, typer.Option(help="LiteLLM name, in place of the rubric's primary.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", help="Field map for the file's columns.")] = None,
    positive: Annotated[str, typer.Option(help="Labels that count as positive.")] = ",".join(evaluate.POSITIVE),
    segment: Annotated[str, typer.Option(help="Field or column by which the figures are split.")] = SEGMENT,
    against: Annotated[str | None, typer.Option(help="A second policy (directory) or model (name).")] = None,
    attacks: Annotated[Path | None, typer.Option(help="Strings to plant: JSONL {text, kind}, or plain lines.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with plots into this file.")] = None,
    calibration: Annotated[str | None, typer.Option(help="Digest of a stored calibration, or: active.")] = None,
    cross_fit: Annotated[
        bool, typer.Option("--cross-fit", help="Also learn a calibration on these labels, judged on held-back ones.")
    ] = False,
    enrich: Annotated[
        bool, typer.Option("--enrich", help="Ask the configured enrichers first, as polls do; they may cost money.")
    ] = False,
    answers: Annotated[Path | None, typer.Option(help="File that keeps paid answers, so that a run resumes.")] = None,
    json: output.Json = False,
) -> None:
    """Precision, recall, AUC, calibration and cost against labels; nothing is written to any CRM or database."""
    records = list(leads.read(file))
    cases, unlabelled = evaluate.cases(records, label=label, positive=positive.split(","))
    if not cases:
        raise Misconfigured(f"no row has a value in '{label}'", place=str(file), remedy="--label COLUMN")
    field_map = policies.read_map(map_) if map_ is not None else canonical.canonical_map()
    leads.require_columns(records, field_map, place=str(file))
    planted = _strings(attacks) if attacks is not None else []
    if html is not None and not html.absolute().parent.is_dir():
        # Said before anything is paid for, not after.
        raise Misconfigured("cannot be written: there is no such folder", place=str(html), remedy="make the folder")
    settings = session.load()
    with ExitStack() as open_parts:
        kept = store.Kept(answers or settings.home / KEPT)
        open_parts.callback(kept.close)
        found = _contenders(settings, kept, open_parts, policy=policy, model=model, against=against, map_=field_map,
                             calibration=calibration, enrich=enrich)  # fmt: skip
        with output.progress() as bar:
            trials = [trial(one, cases, bar=bar, segment=segment) for one in found]
            pairs = _attack(trials[0], cases, planted, bar=bar) if planted else None
    report = _report(trials, file=file, label=label, unlabelled=unlabelled, segment=segment, pairs=pairs)
    if cross_fit:
        report["figures"]["calibration"] = _cross_fitted(trials[0])
    _warn(report)
    if html is not None:
        output.write_text(html, evaluation_page.page(report))
    if json:
        output.print_json(report["figures"])
    else:
        _show(report)
    for one in trials:
        models.require_answers(*models.fallen(item.decision for item in one.made), place=one.contender.name)


def _contenders(
    settings: Settings,
    kept: store.Kept,
    open_parts: ExitStack,
    *,
    policy: Path | None,
    model: str | None,
    against: str | None,
    map_: FieldMap,
    calibration: str | None,
    enrich: bool,
) -> list[Contender]:
    def made(directory: Path | None, with_model: str | None) -> Contender:
        chosen = settings
        if with_model is not None:
            models = settings.model.model_copy(update={"primary": with_model, "secondary": None})
            chosen = settings.model_copy(update={"model": models})
        bundle = policies.read(directory or content.find(settings.policy_dir))
        return contender(
            chosen, kept, open_parts, runnable=policies.compile(bundle), map_=map_, calibration=calibration,
            enrich=enrich,
        )  # fmt: skip

    first = made(policy, model)
    if against is None:
        return [first]
    directory = Path(against)
    is_policy = (directory / "prompts").is_dir() or (directory / "rules").is_dir()
    if not is_policy and (directory.exists() or against.startswith((".", "/"))):
        raise Misconfigured(
            f"'{against}' is neither a policy directory nor a model's name",
            place="--against",
            remedy="a directory with rules/ and prompts/, or a name such as provider/model",
        )
    return [first, made(directory, model) if is_policy else made(policy, against)]


def contender(
    settings: Settings,
    kept: store.Kept,
    open_parts: ExitStack,
    *,
    runnable: Runnable,
    map_: FieldMap,
    calibration: str | None = None,
    enrich: bool = False,
) -> Contender:
    """What makes decisions by these settings, with answers that were paid for already taken from `kept`."""
    parts = wiring.Wiring(settings, uncached=True, answers=kept.get)
    open_parts.callback(parts.close)
    runnable = leads.calibrated(parts, runnable, calibration)
    judge, loop = parts.judge()
    engine = Engine(
        runnable=runnable,
        field_map=map_,
        judge=Keeping(judge, lambda paid: kept.keep(paid, now=wiring.clock())),
        submit=loop.submit,
        clock=wiring.clock,
        enrich=_enrichers(parts) if enrich else None,
    )
    return Contender(_name(runnable.policy, settings.model.primary), engine)


def _enrichers(parts: wiring.Wiring) -> Enrich:
    found = parts.enrich_unstored()
    if found is None:
        raise Misconfigured("no enricher is configured", place="--enrich", remedy="[enrichers.NAME] in tierwise.toml")
    return found


def _name(bundle: Policy, model: str | None) -> str:
    models = bundle.rubric.models
    chain = model or " + ".join(filter(None, (models.primary, models.secondary)))
    return f"{bundle.name} {bundle.version} ({bundle.digest()[:12]}) with {chain}"


def trial(contender: Contender, cases: Sequence[Case], *, bar: Progress, segment: str) -> Trial:
    """One contender over all cases."""
    task = bar.add_task("evaluating", total=len(cases))
    policy = contender.engine.runnable.policy
    tiers = evaluate.labels_are_tiers(cases, policy)
    made, results = [], []
    for case, item in zip(cases, evaluate.run(contender.engine, [case.row for case in cases]), strict=True):
        made.append(item)
        results.append(evaluate.result(case, item, policy=policy, segment=segment, tiers=tiers))
        bar.advance(task)
    return Trial(contender, made, results)


def _strings(file: Path) -> list[attack.Planted]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("cannot be read", place=str(file), remedy="a text file in UTF-8") from error
    return attack.parse(lines, place=str(file))


def _attack(
    trial: Trial, cases: Sequence[Case], planted: Sequence[attack.Planted], *, bar: Progress
) -> list[attack.Pair]:
    clean = list(zip((case.row for case in cases), trial.made, strict=True))
    task = bar.add_task("attacking", total=len(planted) * sum(made.decision is not None for made in trial.made))
    found = []
    for pair in attack.pairs(trial.contender.engine, clean, planted):
        found.append(pair)
        bar.advance(task)
    return found


def _report(
    trials: Sequence[Trial],
    *,
    file: Path,
    label: str,
    unlabelled: int,
    segment: str,
    pairs: Sequence[attack.Pair] | None,
) -> dict[str, Any]:
    first = trials[0]
    figures: dict[str, Any] = {
        **evaluate.summary(first.results),
        "per_segment": evaluate.per_segment(first.results),
        "per_reason": evaluate.per_reason(first.results),
        "fallbacks": sum(item.fallback for item in first.results),
        "unlabelled": unlabelled,
        "policy": first.contender.engine.runnable.digest,
    }
    if pairs is not None:
        figures["attacks"] = attack.tally(pairs)
    if len(trials) > 1:
        second = trials[1]
        figures["against"] = {
            "name": second.contender.name,
            **evaluate.summary(second.results),
            **evaluate.compare(first.results, second.results),
        }
    rubric = first.contender.engine.runnable.policy.rubric
    tiers = list(rubric.tiers)
    # Saved is against other models under the same policy; two policies are no cheap and strong one.
    same = len(trials) > 1 and trials[1].contender.engine.runnable.digest == figures["policy"]
    strong = figures["against"]["cost_usd"] if same else None
    held = aims.of(figures, rubric.targets, strong_usd=strong)
    figures["aims"] = {item.name: item.plain() for item in held}
    return {
        "figures": figures,
        "aims": held,
        "file": file.name,
        "label": label,
        "segment": segment,
        "name": first.contender.name,
        "tiers": tiers,
        "reliability": evaluate.reliability(first.results),
        "precision_recall": evaluate.precision_recall(first.results),
        "confusion": evaluate.confusion(first.results, tiers=tiers),
        "worst": attack.worst(pairs) if pairs is not None else [],
    }


def _cross_fitted(one: Trial) -> dict[str, Any] | None:
    runnable = one.contender.engine.runnable
    rubric = runnable.policy.rubric
    found = calibrate.from_results(one.made, one.results, rubric)
    if len(found) < fitting.FEWEST:
        output.say(f"{len(found)} labels of scored leads: {fitting.FEWEST} are needed to cross-fit a calibration")
        return None
    models = sorted({answer.model for item in one.results for answer in item.assessments})
    with output.busy(f"cross-fitting on {len(found)} labels"):
        return calibrate.measured(fitting.fit(runnable.policy, models, found, source="eval"))


def _warn(report: dict[str, Any]) -> None:
    figures = report["figures"]
    if figures["base_rate"] == 0:
        output.say(f"no label in '{report['label']}' counts as positive: --positive says which do")
    if figures["unlabelled"]:
        output.say(f"{figures['unlabelled']} rows have no label and were left out")


def _show(report: dict[str, Any]) -> None:
    figures = report["figures"]
    others = [figures["against"]] if "against" in figures else []
    columns = ["", report["name"], *(item["name"] for item in others)]
    output.table(
        f"{report['file']}: {figures['n']} leads by '{report['label']}', 95 % intervals",
        columns,
        [[name, *(evaluation_page.figure(item, name) for item in (figures, *others))] for name in evaluation_page.ROWS],
    )
    output.table("aims", evaluation_page.AIM_NAMES, [evaluation_page.of_aim(item) for item in report["aims"]])
    if figures.get("calibration"):
        told = figures["calibration"]
        output.table(
            f"calibration cross-fitted on {told['labels']} labels ({told['method']}), each judged unseen",
            ["", "before", "after"],
            [
                [name, *(evaluation_page.ranged(told[when][name], None) for when in ("before", "after"))]
                for name in ("right", "ece", "brier", "auroc")
            ],
        )
    output.table(
        f"by {report['segment']}",
        ["segment", *evaluation_page.SEGMENT_NAMES],
        [
            [name, *(evaluation_page.figure(item, key) for key in evaluation_page.SEGMENT_ROWS)]
            for name, item in figures["per_segment"].items()
        ],
    )
    output.table(
        "by reason code: the leads that carry it",
        evaluation_page.REASON_NAMES,
        [evaluation_page.of_reason(item) for item in figures["per_reason"]],
    )
    if others:
        output.table("leads that differ", *evaluation_page.differing(others[0]))
    if "attacks" in figures:
        output.table("attacks", list(figures["attacks"]), [list(figures["attacks"].values())])
    if report["worst"]:
        output.table(
            "strings that raised a tier, or that were flagged and harmless",
            ["text", "kind", "leads"],
            [[item["text"], item["kind"], item["leads"]] for item in report["worst"]],
        )
