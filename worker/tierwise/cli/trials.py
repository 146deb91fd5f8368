"""What a policy would do before it does it: backtest, stage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import wiring
from tierwise.cli import backtest_page, batches, inquiries, output, session
from tierwise.cli.lifecycle import Which, published, read
from tierwise.domain.policy import Policy
from tierwise.pipeline import due

SHOWN = 20
"""Flips listed on a terminal."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (backtest, stage, shadow):
        app.command()(command)
    app.command("review-due")(review_due)


def backtest(
    which: Which,
    last: Annotated[int, typer.Option(min=1, help="How many stored decisions.")] = 1000,
    against: Annotated[str | None, typer.Option(help="A digest or version; default: what runs.")] = None,
    ask: Annotated[
        bool,
        typer.Option("--ask", help="Ask models what nobody answered yet; tells calls and cost first."),
    ] = False,
    batch: batches.Wish = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask me.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Only ask models no more for this bundle.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the report as one HTML file.")] = None,
    json: output.Json = False,
) -> None:
    """Replay stored decisions under a policy: what flips and why, review load and cost. Asks no model without --ask."""
    with session.opened() as parts:
        if cancel:
            files = Path(which)
            inquiries.cancel(parts, read(files).digest() if files.is_dir() else parts.store.policies.find(which))
            return
        digest, policy = _found(parts, which)
        before = parts.store.policies.find(against) if against is not None else None
        tried = parts.backtested(policy, digest=digest, last=last, before=before)
        asked = None
        if ask and tried.unanswered:
            offer = inquiries.offer(parts, policy, tried.unanswered, wish=batch, quiet=json)
            sure = yes or (not json and typer.confirm("Go on?"))
            if sure:
                inquiries.ask(parts, policy, tried.unanswered, offer=offer, quiet=json)
            if sure and not offer.by_batch:
                tried = parts.backtested(policy, digest=digest, last=last, before=before)
            asked = {**offer.as_json(), "asked": sure}
        waiting = inquiries.waiting(parts, digest)
    told = {**tried.report, "asked": asked, "waiting": waiting}
    if html is not None:
        output.write_text(html, backtest_page.page(told))
        output.say(f"wrote {html}")
    if json:
        output.print_json(told)
    else:
        _print(told)
        inquiries.tell(waiting, digest)
    if told["beyond"] or told["failed"]:
        raise typer.Exit(1)


def _found(parts: wiring.Wiring, which: str) -> tuple[str, Policy]:
    """What is to be tried; files are only read."""
    if Path(which).is_dir():
        policy = read(Path(which))
        return policy.digest(), policy
    digest = parts.store.policies.find(which)
    return digest, parts.sound(digest)


def stage(which: Which, note: Annotated[str, typer.Option(help="Why.")] = "", json: output.Json = False) -> None:
    """Run its tests and a sample of stored leads, and make it run in the staging environment where all is well."""
    with session.opened() as parts:
        by = session.actor(parts)
        staged = parts.stage(published(parts, which, by=by, note=note), by=by, note=note)
    trial = staged.trial
    if json:
        output.print_json({**trial._asdict(), "tests": staged.tests, "problem": staged.problem})
    elif staged.problem:
        output.say(f"red: {staged.problem}")
    else:
        told = trial.report
        output.say(f"green: {staged.tests} tests, {told.get('replayed', 0)} stored leads, {told.get('flips', 0)} flip")
        for sentence in trial.beyond:
            output.say(f"beyond a limit: {sentence}")
    if staged.problem:
        raise typer.Exit(1)


def shadow(
    which: Annotated[str | None, typer.Argument(metavar="DIGEST|DIR", help="What to run beside production.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End it.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the report as one HTML file.")] = None,
    json: output.Json = False,
) -> None:
    """Hold live decisions against a bundle, which only records; without an argument, what it would have decided."""
    with session.opened() as parts:
        if stop or which is not None:
            by = session.actor(parts)
            if stop:
                was = parts.store.shadows.stop(by=by, now=wiring.clock())
                output.say("the shadow ended" if was else "no shadow was on")
            else:
                digest = published(parts, str(which), by=by, note="")
                parts.sound(digest)
                parts.store.shadows.start(digest, by=by, now=wiring.clock())
                output.say(f"{digest[:12]} is held against every decision from now on; `tierwise policy shadow` tells")
        on = parts.store.shadows.latest()
        told = parts.shadow_report(on) if on is not None else None
    if json:
        output.print_json({"shadow": on._asdict() if on is not None else None, "report": told})
    elif told is None:
        output.say("no shadow was ever on")
    elif which is None and not stop:
        _print(told)
    if html is not None and told is not None:
        output.write_text(html, backtest_page.page(told))


def review_due(
    last: Annotated[int, typer.Option(min=1, help="How many stored decisions to count hits in.")] = 5000,
    everything: Annotated[bool, typer.Option("--all", help="Rules that are not due, too.")] = False,
    json: output.Json = False,
) -> None:
    """Rules that their owners should look at: unchanged for a month, with their hits and how often people overrule."""
    with session.opened() as parts:
        store = parts.store
        ran = [(item.at, store.policies.get(item.digest)) for item in store.policies.history(limit=1000)]
        found = due.review(
            parts.runnable().policy,
            ran=[(moment, policy) for moment, policy in ran if policy is not None],
            pasts=store.decisions.recent(limit=last),
            answers=store.reviews.list(state="answered", limit=last),
            every=timedelta(days=30),
            now=wiring.clock(),
        )
    shown = [item for item in found if item.due or everything]
    if json:
        output.print_json([{**item._asdict(), "override_rate": item.override_rate} for item in shown])
        return
    if not shown:
        output.say(f"nothing to look at: none of {len(found)} rules is unchanged for 30 days (`--all` lists them)")
        return
    output.table(
        "Rules to look at" if not everything else "Rules",
        ["rule", "owner", "unchanged", "hits", "answered", "overruled"],
        [[item.rule, item.owner, output.ago(item.since), item.hits, item.answered,
          "" if item.override_rate is None else f"{item.override_rate:.0%}"] for item in shown],
    )  # fmt: skip


def _print(told: Mapping[str, Any]) -> None:
    before, after = told["before"], told["after"]
    title = f"{before['version']} ({before['digest'][:12]}) -> {after['version']} ({after['digest'][:12]})"
    for name in ("outcomes", "tiers"):
        matrix = told[name]
        columns = sorted({to for row in matrix.values() for to in row})
        rows = [[start, *(row.get(to, 0) for to in columns)] for start, row in matrix.items()]
        output.table(f"{title}: {name}", ["from \\ to", *columns], rows)
    output.table(
        "By segment",
        ["segment", "value", "leads", "flip", "mean score", "accepted before", "after"],
        [[item["segment"], item["value"], item["leads"], item["flips"], f"{item['score_shift']:+g}",
          item["accepted_before"], item["accepted_after"]] for item in told["segments"]],
    )  # fmt: skip
    output.table(
        f"Leads that flip ({told['flips']} of {told['replayed']})",
        ["lead", "before", "after", "new reasons", "gone"],
        [[item["lead"], _side(item["before"]), _side(item["after"]), output.few(item["new_reasons"]),
          output.few(item["gone_reasons"])] for item in told["flipped"][:SHOWN]],
    )  # fmt: skip
    review, cost = told["review"], told["cost"]
    estimate = "unknown" if cost["estimate_usd"] is None else f"{cost['estimate_usd']:.2f} USD"
    output.out.print(
        f"to people: {review['before']} -> {review['after']} of {told['replayed']}; would need a model:"
        f" {told['would_need_model']} of {told['leads']} ({estimate}); unreadable: {told['unreadable']}",
        markup=False,
    )
    for failure in told["failures"][:SHOWN]:
        output.say(f"cannot be decided: {failure['lead']}: {failure['error']}")
    for sentence in told["beyond"]:
        output.say(f"beyond a limit: {sentence}")


def _side(side: Mapping[str, Any]) -> str:
    return f"{side['tier'] or '–'} {side['outcome']} {side['score'] if side['score'] is not None else ''}".strip()
