"""What is proved of precision and recall, and how far the next verdict is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from tierwise.cli import output, session
from tierwise.domain.policy import Policy
from tierwise.domain.weighted import Estimate
from tierwise.errors import Misconfigured
from tierwise.pipeline.validate import GROUPINGS, Shown, Validated, compared

LOOKS = "100,200,400,800,1600"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    register: Annotated[
        bool, typer.Option("--register", help="Write down what will be tested of the policy and models that run.")
    ] = False,
    cut_offs: Annotated[str, typer.Option(help="Confidences to test, at most seven.")] = "0.5,0.6,0.7,0.8,0.9",
    looks: Annotated[str, typer.Option(help="Audit items of positive tiers at which to look, at most five.")] = LOOKS,
    anytime: Annotated[bool, typer.Option("--anytime", help="Look whenever asked, with wider bounds.")] = False,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Take the look that is due though labels are missing: they count as wrong.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option("--by", help=f"Only compare, over all labels there are: {', '.join(GROUPINGS)}."),
    ] = None,
    json: output.Json = False,
) -> None:
    """Precision and recall from the labels, and whether the gate opens. Exit code 0 only where it passed, else 1.

    With --register: 0 once it is written down; whether it passes is asked without it.
    """
    if by is not None:
        _compare(by, json=json)
        return
    with session.opened() as parts:
        if register:
            key = parts.register(
                cut_offs=tuple(_numbers(cut_offs, "--cut-offs")),
                looks=tuple(int(look) for look in _numbers(looks, "--looks")),
                anytime=anytime,
                by=session.actor(parts),
                now=parts.clock(),
            )
            if not json:
                output.say(f"registered {key[:12]}: decisions from now on count")
        found = parts.validate(by=session.actor(parts), incomplete=as_is)
        targets = aims(parts.runnable().policy, found)
    if json:
        output.print_json({**plain(found), "targets": targets})
    else:
        _show(found, targets)
    if not found.passed and not register:
        raise typer.Exit(1)


def _compare(by: str, *, json: bool) -> None:
    """Groups of everything that was labelled, whatever policy and models decided it."""
    if by not in GROUPINGS:
        raise Misconfigured(f"nothing is grouped by '{by}'", place="--by", remedy=f"one of {', '.join(GROUPINGS)}")
    with session.opened() as parts:
        shown = compared(parts.store, by)
    if json:
        output.print_json({"by": by, "groups": [group(item) for item in shown]})
    else:
        _estimates(shown)


def aims(policy: Policy, found: Validated) -> dict[str, Any]:
    """What is to be reached, who answers for it and since when; of the registration where there is one."""
    targets, held = policy.rubric.targets, found.registration
    return {
        "precision": held.precision if held else targets.precision,
        "recall": held.recall if held else targets.recall,
        "positive_tiers": list(held.positive_tiers if held else targets.positive_tiers),
        "owner": targets.owner or policy.rubric.owner,
        "agreed_on": targets.agreed_on.isoformat() if targets.agreed_on else None,
        "registered_by": held.by if held else None,
        "registered_at": held.registered_at.isoformat() if held else None,
    }


def group(item: Shown) -> dict[str, Any]:
    """One group with its figures; an interval is two standard errors wide on each side."""
    told: dict[str, Any] = {"by": item.by, "name": item.name, "labels": item.figures.labels}
    for name in ("precision", "recall", "f1"):
        one: Estimate | None = getattr(item.figures, name)
        told[name] = one.value if one else None
        told[f"{name}_interval"] = [one.low, one.high] if one else None
    return told


def plain(found: Validated) -> dict[str, object]:
    """The shape of `validate --json`."""
    overall = found.shown[0].figures
    tested = found.verdict.tested if found.verdict else ()
    return {
        "passed": found.passed,
        "reasons": list(found.reasons),
        "precision": overall.precision._asdict() if overall.precision else None,
        "recall": overall.recall._asdict() if overall.recall else None,
        "f1": overall.f1._asdict() if overall.f1 else None,
        "bounds": [
            {
                "cut_off": item.cut_off, "precision_low": item.precision.low, "recall_low": item.recall_low,
                "right": item.precision.right, "labels": item.precision.n, "passed": item.passed,
            }
            for item in tested
        ],
        "cut_off": found.verdict.cut_off if found.verdict else None,
        "look": found.verdict.look if found.verdict else None,
        "next_look": found.next_look,
        "audit_items": found.items,
        "labels": found.labels,
        "labels_missing": found.labels_missing,
        "groups": [group(item) for item in found.shown[1:]],
        "registration": found.key,
        "report": found.report,
        "notes": list(found.notes),
    }  # fmt: skip


def _show(found: Validated, targets: Mapping[str, Any]) -> None:
    output.say("passed" if found.passed else "not passed: automation stays off")
    since = f", agreed on {targets['agreed_on']}" if targets["agreed_on"] else ", on no date that anybody told"
    tested = f"; registered by {targets['registered_by']} on {targets['registered_at'][:10]}" if found.key else ""
    output.say(
        f"  targets of tier {', '.join(targets['positive_tiers'])}: precision {targets['precision']:.0%}, recall"
        f" {targets['recall']:.0%}; {targets['owner']}{since}{tested}"
    )
    for reason in found.reasons:
        output.say(f"  {reason}")
    for note in found.notes:
        output.say(f"  {note}")
    if found.labels_missing is not None:
        output.say(f"  about {found.labels_missing} more labels of positive tiers are needed for a verdict")
    if found.verdict is not None and found.verdict.tested:
        output.table(
            f"Proved at the look of {found.verdict.look} audit items",
            ["confidence from", "right", "precision at least", "recall at least", "passed"],
            [
                [
                    f"{item.cut_off:.0%}", f"{item.precision.right} of {item.precision.n}",
                    f"{item.precision.low:.1%}", f"{item.recall_low:.1%}", "yes" if item.passed else "no",
                ]
                for item in found.verdict.tested
            ],
        )  # fmt: skip
    _estimates(found.shown)


def _estimates(shown: Sequence[Shown]) -> None:
    output.table(
        "Estimated from all labels (weighted; for display, not for the gate)",
        ["by", "group", "labels", "precision", "recall", "F1"],
        [
            [
                item.by, item.name, item.figures.labels, _estimate(item.figures.precision),
                _estimate(item.figures.recall), _estimate(item.figures.f1),
            ]
            for item in shown
        ],
    )  # fmt: skip


def _estimate(found: Estimate | None) -> str:
    return "" if found is None else f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"


def _numbers(text: str, place: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
        if not all(map(math.isfinite, found)):
            raise ValueError
        return found
    except ValueError:
        raise Misconfigured(f"'{text}' is no list of numbers", place=place, remedy="for example 0.5,0.7") from None
