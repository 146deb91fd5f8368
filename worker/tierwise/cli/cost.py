"""Money: what models cost by model, stage and connection, what the cascade saved, and how budgets stand."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from tierwise import ports, store, wiring
from tierwise import settings as configuration
from tierwise.cli import moments, output, session
from tierwise.errors import Misconfigured
from tierwise.pipeline import spending
from tierwise.ports.money import Grain


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("cost")(cost)


def cost(
    since: Annotated[str, typer.Option(help="First UTC day (2026-01-31), or 30d.")] = "30d",
    by: Annotated[Grain, typer.Option(help="model, stage or connection.")] = "model",
    json: output.Json = False,
) -> None:
    """What models cost: per scored lead, in all, and against asking the strong model about every lead."""
    first = moments.parse(since, place="--since").date()
    with session.opened() as parts:
        now = wiring.clock()
        figures = figure(parts, since=first, by=by)
        levels = [_level(level) for level in parts.store.money.levels(parts.budgets, now=now)]
        held, waiting = parts.store.works.held(), parts.store.batches.waiting()
    answer = {
        "since": first, "until": now.date(), **figures, "budgets": levels, "held": held, "waiting_for_batch": waiting,
    }  # fmt: skip
    if json:
        output.print_json(answer)
    else:
        _show(answer)


def figure(parts: wiring.Wiring, *, since: date, by: Grain) -> dict[str, Any]:
    """The figures of the page since a UTC day."""
    prices = parts.prices

    def costs(model: str, tokens_in: int, tokens_out: int) -> float | None:
        price = prices.of(model)
        return None if price is None else price.of(tokens_in=tokens_in, tokens_out=tokens_out)

    money = parts.store.money
    return spending.report(money.entries(since=since), money.scored(since=since), by=by, costs=costs)


def check(settings: configuration.Settings) -> str:
    """Whether budgets have room and every model a price; Misconfigured says which has none. For `doctor`."""
    parts = wiring.Wiring(settings)
    try:
        budgets = parts.budgets
        if not budgets.any:
            return "no budget is set"
        revision, head = store.current(settings.database_url)
        if revision != head:
            return "not known yet"
        active = parts.store.policies.active()
        chain = parts.runnable(active.digest).policy.rubric.models if active else None
        first = settings.model.primary or (chain.primary if chain else None)
        second = settings.model.secondary or (chain.secondary if chain else None)
        for model in filter(None, (first, second)):
            if parts.prices.of(model) is None:
                raise Misconfigured(
                    "its price is unknown, and a budget is set: it is not asked",
                    place=model,
                    remedy=f'set input and output (USD per million tokens) in [prices."{model}"]',
                )
        levels = parts.store.money.levels(budgets, now=wiring.clock())
        held = sum(parts.store.works.held().values())
    finally:
        parts.close()
    told = "; ".join(_told(level) for level in levels) + (f"; {held} leads wait" if held else "")
    if any(level.exhausted for level in levels):
        raise Misconfigured(told, place="budgets", remedy="raise the limit, or wait until it resumes")
    return told


def _told(level: ports.Level) -> str:
    whose = "all" if level.scope == ports.ALL else level.scope
    resumes = f", resumes {level.resumes_at:%Y-%m-%d %H:%M} UTC" if level.exhausted else ""
    return f"{whose}, {level.period}: {_usd(level.spent)} of {_usd(level.limit)} USD{resumes}"


def _usd(nano: int) -> str:
    return f"{nano / ports.NANO:,.4f}".rstrip("0").rstrip(".")


def _level(level: ports.Level) -> dict[str, Any]:
    return {
        "scope": level.scope,
        "period": level.period,
        "limit_usd": level.limit / ports.NANO,
        "spent_usd": level.spent / ports.NANO,
        "reserved_usd": level.reserved / ports.NANO,
        "exhausted": level.exhausted,
        "resumes_at": level.resumes_at,
    }


def _show(answer: dict[str, Any]) -> None:
    total = answer["total"]
    output.table(
        f"Models by {answer['by']} since {answer['since']}: {answer['scored_leads']:,} leads scored",
        [answer["by"], "questions", "calls", "tokens in", "cached", "tokens out", "USD", "USD a lead", "unknown price"],
        [
            [
                line["name"] or ("(none)" if line is not total else "all"), line["questions"], line["calls"],
                line["tokens_in"], line["tokens_cached"], line["tokens_out"], f"{line['usd']:.4f}",
                _per_lead(line), f"{line['unpriced']} calls" if line["unpriced"] else "",
            ]
            for line in (*answer["lines"], total)
        ],
    )  # fmt: skip
    if answer["unknown_prices"]:
        names = ", ".join(answer["unknown_prices"])
        output.say(f'price unknown: {names}; [prices."MODEL"] in tierwise.toml tells it. Unknown is in no sum.')
    if total["estimated_usd"]:
        output.say(
            f"{total['estimated_usd']:.4f} USD of it is estimated at the most: calls that went out and brought no "
            "answer (a provider may bill them), and what a process that died had promised"
        )
    prompt, cascade = answer["prompt"], answer["cascade"]
    if prompt["characters"]:
        cached = prompt["cached_share"] or 0
        told = f"{prompt['repeated_share']:.0%} of the prompts' text repeats; providers had {cached:.0%} of it cached"
        output.out.print(told, markup=False)
    if cascade["unknown_because"]:
        output.out.print(f"saved by the cascade: not known, since {cascade['unknown_because']}", markup=False)
    else:
        output.out.print(
            f"cascade: {cascade['usd']:.4f} USD, where the second model alone would have cost "
            f"{cascade['always_strong_usd']:.4f}: {cascade['saved_share'] or 0:.0%} saved; "
            f"{cascade['escalated']} of {cascade['questions']} questions went on to it",
            markup=False,
        )
    batched = answer["batches"]
    if batched["questions"]:
        output.out.print(
            f"batches: {batched['questions']:,} questions waited, {batched['saved_usd']:.4f} USD saved "
            f"({batched['saved_share'] or 0:.0%} of all)",
            markup=False,
        )
    if answer["budgets"]:
        output.table(
            "Budgets",
            ["of", "a", "at most", "spent", "reserved", "resumes"],
            [
                [b["scope"], b["period"], b["limit_usd"], f"{b['spent_usd']:.4f}", f"{b['reserved_usd']:.4f}",
                 f"{b['resumes_at']:%Y-%m-%d %H:%M} UTC" if b["exhausted"] else ""]
                for b in answer["budgets"]
            ],
        )  # fmt: skip
    if answer["held"]:
        waiting = ", ".join(f"{count} of {name}" for name, count in answer["held"].items())
        output.out.print(f"leads that wait for money: {waiting}", markup=False)
    if answer["waiting_for_batch"]:
        waiting = ", ".join(f"{count} of {name}" for name, count in answer["waiting_for_batch"].items())
        output.out.print(f"leads that wait for a batch: {waiting} (tierwise batches list)", markup=False)


def _per_lead(line: dict[str, Any]) -> str:
    found = line["usd_per_lead"]
    return "" if found is None else f"{found:.6f}"
