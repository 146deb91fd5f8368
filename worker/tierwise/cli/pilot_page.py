"""The report of `tierwise pilot` as one HTML file: the answers first, then what they stand on. No lead is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tierwise.cli import plots
from tierwise.cli.pages import document, plot, table

_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
KINDS = ("accepted", "converted", "won")
REASONS = 30
"""Reason codes listed at most; JSON has them all."""
LEFT_OUT = {
    "without_submit_time": "the CRM tells no submit time",
    "had_advice": "they had advice already",
    "older_than_connection": "submitted before the connection was set up",
    "submitted_again": "submitted again after a decision",
}


def page(told: Mapping[str, Any]) -> str:
    """The whole document."""
    whose = told["pod"] or told["connection"] or "all pods and connections"
    title = f"Pilot: {whose}, {told['since'][:10]} to {told['until'][:10]}"
    leads = told["leads"]
    tiers = ", ".join(f"{tier} {n}" for tier, n in leads["by_tier"].items())
    gaps = [
        (leads["undecided"], "have no decision yet"),
        (leads["in_no_pod"], "have no decision yet and belong to no pod, so they are not in here"),
        (leads["without_submit_time"], "count from when they were first seen, since the CRM tells no submit time"),
    ]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{leads['n']} leads ({escape(tiers or 'none decided')}), as known at {told['at'][:16].replace('T', ' ')}"
        " UTC. Intervals are 95 %. What is not known is said to be unknown.</p>",
        *(f"<p>{n} leads {words}.</p>" for n, words in gaps if n),
        _tiles(told),
        *_sla(told["sla"]),
        *_touch(told["touch"]),
        *_accepted(told["accepted"]),
        *_conversion(told["conversion"], told["accepted"]["within_days"]),
        *_overrides(told["overrides"]),
        *_exceptions(told["exceptions"]),
        *_cost(told["cost"]),
    ]
    return document(title, "".join(parts))


def lasting(seconds: float | None, *, unknown: str = "not reached") -> str:
    """42 s, 4.2 min, 1.3 h, 2.1 d."""
    if seconds is None:
        return unknown
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def shared(found: Mapping[str, Any]) -> str:
    """12 of 40, 30 % (18 % to 45 %)."""
    if found["value"] is None:
        return "unknown (of none)"
    low, high = found["interval"]
    return f"{found['hits']} of {found['n']}, {found['value']:.0%} ({low:.0%} to {high:.0%})"


def between(found: Mapping[str, Any]) -> str:
    """A median with the interval in which it lies."""
    if not found.get("n", 1):
        return "unknown"
    ends = found["interval"]
    around = "" if ends is None or ends == [None, None] else f" ({lasting(ends[0])} to {lasting(ends[1])})"
    return lasting(found["median"]) + around


def points(accepted: Mapping[str, Any]) -> str:
    """+4.2 percentage points (-1.0 to +9.4), or that it is unknown."""
    if accepted["difference"] is None:
        return "unknown"
    low, high = accepted["interval"]
    # Adding 0 keeps a rounded nothing from being a negative one.
    here, low, high = (round(100 * value, 1) + 0.0 for value in (accepted["difference"], low, high))
    return f"{here:+.1f} points ({low:+.1f} to {high:+.1f})"


def money(usd: float | None) -> str:
    """$0.0042, or that it is unknown."""
    return "unknown" if usd is None else f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def met(state: bool | None) -> str:
    """A target in a word."""
    return "unknown" if state is None else "met" if state else "missed"


def _tiles(told: Mapping[str, Any]) -> str:
    sla, accepted, exceptions = told["sla"], told["accepted"], told["exceptions"]
    crm = sla["to_crm"]
    drawn = told["overrides"]["drawn"]
    shown = [
        ("Submit to outcome, median", lasting(crm["median"], unknown=_none(sla)), met(sla["met"]["median"]),
         "target 5 min"),
        ("95th percentile", lasting(crm["p95"], unknown=_none(sla)), met(sla["met"]["p95"]), "target 1 h"),
        ("First touch by sales, median", lasting(told["touch"]["median"], unknown=_none(told["touch"])), "",
         f"{told['touch']['ended']} of {told['touch']['n']} leads touched"),
        ("Sales-accepted", _percent(accepted["period"]["value"]), "", f"against the period before: {points(accepted)}"),
        ("Overridden, of drawn leads", _percent(drawn["value"]), "", shared(drawn)),
        ("Exceptions a day", "unknown" if exceptions["per_day"] is None else f"{exceptions['per_day']:.1f}", "",
         f"{exceptions['opened']} in the period"),
        ("Cost a lead", money(told["cost"]["per_lead_usd"]), "", "models, without people's time"),
    ]  # fmt: skip
    return (
        "<div class=tiles>"
        + "".join(
            f"<div class=tile><span>{escape(name)}</span><b class='{state or _known(value)}'>{escape(value)}</b>"
            f"<small>{escape(f'{state}; {more}' if state else more)}</small></div>"
            for name, value, state, more in shown
        )
        + "</div>"
    )


def _sla(found: Mapping[str, Any]) -> list[str]:
    crm = found["to_crm"]
    out = ", ".join(f"{n} {LEFT_OUT[why]}" for why, n in found["left_out"].items())
    rows = [
        [name, one["n"], lasting(one["median"], unknown=_none(found)), lasting(one["p75"], unknown=_none(found)),
         lasting(one["p90"], unknown=_none(found)), lasting(one["p95"], unknown=_none(found))]
        for name, one in (("to the decision", found["to_decision"]), ("to the advice in the CRM", crm))
    ]  # fmt: skip
    return [
        "<h2>From submission to outcome</h2>",
        f"<p>From the CRM's own submit time. {found['measured']} leads, {found['waiting']} of them still wait and count"
        f" as such. Within 5 minutes {_percent(crm['within_5_min'])}, within an hour {_percent(crm['within_1_h'])}."
        f"{escape(f' Not in it: {out}.') if out else ''}</p>",
        _unknown(found),
        table(["from submission", "leads", "median", "75 %", "90 %", "95 %"], rows),
        plot(
            "Share of leads with advice in the CRM by time since submission",
            plots.growth({"": found["curve"]}, marks={"5 min": 300, "1 h": 3600}, what="Submission to outcome"),
        )
        if found["curve"]
        else "",
    ]


def _touch(found: Mapping[str, Any]) -> list[str]:
    rows = [
        [one["name"], one["n"], one["ended"], between(one), *(lasting(one[key]) for key in ("p25", "p75", "p90"))]
        for one in ({**found, "name": "all"}, *found["by_tier"])
        if one["n"]
    ]
    n = found["not_watched"]
    gap = f" Not in it: {n} that nobody watched from their beginning on." if n else ""
    return [
        "<h2>First touch by sales</h2>",
        "<p>From submission to the first call, e-mail or meeting after hand-off; leads that nobody has touched yet"
        f" count as still waiting.{gap}</p>",
        _unknown(found),
        table(["tier", "leads", "touched", "median (interval)", "25 %", "75 %", "90 %"], rows) if rows else "",
        "<div class=plots>",
        plot("Share touched by time since submission", plots.growth({"": found["curve"]}, what="First touch"))
        if found["curve"]
        else "",
        _plot(
            "By tier: the middle half and the median",
            plots.spreads(
                [{**one, "name": f"{one['name']} ({one['n']})"} for one in found["by_tier"]], what="First touch by tier"
            ),
        ),
        "</div>",
    ]


def _accepted(found: Mapping[str, Any]) -> list[str]:
    rows = [
        [name, one["leads"], one["n"], shared(one), one["too_young"], one["not_watched"]]
        for name, one in (("this period", found["period"]), ("the period before", found["before"]))
    ]
    words = "; ".join(f"{name}: {', '.join(given)}" for name, given in found["words"].items())
    return [
        "<h2>Sales-accepted, against the period before</h2>",
        f"<p>Each lead is followed for {found['within_days']:g} days; younger ones are in neither rate. Accepted is"
        " what the CRM's stages and statuses call so, converted leads and leads with a deal included"
        f"{escape(f' ({words})') if words else ''}. Difference: {escape(points(found))}.</p>",
        _unknown(found),
        table(["", "leads", "followed to the end", "accepted", "too young", "not watched from the beginning"], rows),
        _plot(
            "Share accepted with its interval",
            plots.shares(
                [("this period", found["period"]), ("the period before", found["before"])], what="Sales-accepted rate"
            ),
        ),
    ]


def _conversion(found: Mapping[str, Any], days: float) -> list[str]:
    return [
        "<h2>What became of the leads</h2>",
        f"<p>Of leads that were followed for {days:g} days. Until accepted: median {between(found['to_accepted'])};"
        f" until won: {between(found['to_won'])}.</p>",
        _unknown(found),
        _became("tier", [*found["by_tier"], found["all"]]),
        _plot(
            "Converted, by tier",
            plots.shares([(one["name"], one["converted"]) for one in found["by_tier"]], what="Conversion by tier"),
        ),
        "<h2>By reason code</h2>" if found["by_reason"] else "",
        "" if not found["by_reason"] else _became("reason code", found["by_reason"][:REASONS]),
        f"<p>{len(found['by_reason']) - REASONS} more reason codes are in the JSON report.</p>"
        if len(found["by_reason"]) > REASONS
        else "",
    ]


def _became(what: str, rows: Sequence[Mapping[str, Any]]) -> str:
    return table(
        [what, "leads", "followed", "accepted", "converted", "won", "amount won"],
        [
            [one["name"], one["leads"], one["followed"], *(shared(one[kind]) for kind in KINDS), amount(one)]
            for one in rows
        ],
    )  # fmt: skip


def amount(one: Mapping[str, Any]) -> str | None:
    """Sums by currency, and how many deals tell none."""
    told = [f"{total:,.0f} {currency}".strip() for currency, total in sorted(one["amounts"].items())]
    if one["deals_without_amount"]:
        told.append(f"{one['deals_without_amount']} deals without")
    return ", ".join(told) or None


def _overrides(found: Mapping[str, Any]) -> list[str]:
    said = ", ".join(f"{value} {n}" for value, n in sorted(found["feedback"].items())) or "none"
    rows = [
        ["another tier, of leads drawn at random for the audit", shared(found["drawn"])],
        ["another tier, of leads that asked for a person or that somebody picked", shared(found["asked"])],
        ["a person's value in our tier field", shared(found["our_field"])],
        ["a person's value where the organisation's own field was automated", shared(found["automated"])],
        ["reps' feedback in the CRM", said],
    ]
    return [
        "<h2>Overrides</h2>",
        "<p>Only the drawn leads speak for all decisions.</p>",
        table(["what", "how often"], rows),
    ]


def _exceptions(found: Mapping[str, Any]) -> list[str]:
    rows = [
        [one["kind"], one["opened"], "unknown" if one["per_day"] is None else f"{one['per_day']:.1f}", one["answered"],
         one["open"], one["superseded"], between({**one, "n": one["answered"] + one["open"]}), lasting(one["p95"]),
         f"{_percent(one['within_sla'])} in {lasting(one['sla_seconds'])}"]
        for one in found["by_kind"]
    ]  # fmt: skip
    nowhere = found["in_no_pod"]
    return [
        "<h2>Exceptions</h2>",
        "<p>Leads that went to people, without the audit sample. What is still open counts as waiting; what a newer"
        f" decision overtook is in no resolution time.{f' {nowhere} items are on no pod.' if nowhere else ''}</p>",
        table(
            [
                "kind",
                "opened",
                "a day",
                "answered",
                "open",
                "overtaken",
                "resolution, median (interval)",
                "95 %",
                "within SLA",
            ],
            rows,
        ),
        _plot("Exceptions by day", plots.bars(found["by_day"], what="Exceptions by day")),
    ]


def _cost(found: Mapping[str, Any]) -> list[str]:
    spent = money(found["spent_usd"])
    why = f" ({found['spent_unknown']})" if found["spent_unknown"] else ""
    return [
        "<h2>Cost</h2>",
        "<p>What models cost; people's time is not in it.</p>",
        table(
            ["what", "USD"],
            [
                [f"for each of {found['leads']} decided leads", money(found["per_lead_usd"])],
                ["for all decisions on them", money(found["usd"])],
                ["all bills of the period's days", spent + why],
            ],
        ),
        _unknown(found),
    ]


def _plot(caption: str, svg: str) -> str:
    return plot(caption, svg) if svg else ""


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _known(value: str) -> str:
    """Class of a figure."""
    return "unknown" if value == "unknown" else "plain"


def _none(found: Mapping[str, Any]) -> str:
    """What a quantile without a value means: nothing was watched, or not enough of it has happened."""
    return "unknown" if found["unknown"] else "not reached"


def _unknown(found: Mapping[str, Any]) -> str:
    return f"<p class=unknown>Unknown: {escape(found['unknown'])}.</p>" if found["unknown"] else ""
