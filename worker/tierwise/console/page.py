"""The page of status: counts and states in plain HTML, without scripts, readable without style.

It shows no lead and no person, and escapes everything that it shows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape

import tierwise
from tierwise import ports
from tierwise.console import health
from tierwise.errors import TierwiseError

STYLE = """
:root { color-scheme: light dark; --line: #8885; --good: #1a7f37; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
footer { margin: 2rem 0; font-size: .875rem; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: this style and nothing else."""

Cell = str | int
_NUMERIC = ' class="n"'


def render(
    store: ports.Store,
    found: Sequence[health.Finding],
    *,
    now: datetime,
    budgets: ports.Budgets = ports.UNLIMITED,
) -> str:
    """The whole page; where the database does not answer, what was found and nothing else."""
    try:
        tables = _tables(store, now, budgets)
    except TierwiseError as error:
        tables = f"<p>{escape(error.message)}</p>"
    ready = all(finding.ok for finding in found)
    verdict = "Everything works" if ready else "Something is missing"
    checks = _table(
        "Checks",
        ("State", "What", "Found", "Remedy"),
        [(_mark(finding.ok), finding.name, finding.detail, finding.remedy) for finding in found],
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(verdict)} - Tierwise</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>Tierwise</h1>\n<p class="{"good" if ready else "bad"}">{escape(verdict)}</p>\n'
        f"{checks}\n{tables}\n</main>\n"
        f'<footer>As of <time datetime="{now.isoformat()}">{now:%Y-%m-%d %H:%M:%S} UTC</time>, version '
        f'{escape(tierwise.__version__)}. <a href="/readyz">Readiness</a> and <a href="/metrics">metrics</a> '
        "for machines.</footer>\n</body>\n</html>\n"
    )


def _tables(store: ports.Store, now: datetime, budgets: ports.Budgets) -> str:
    states = store.connections.list()
    due = store.outbox.due(now=now)
    counts = {state.name: store.leads.counts(state.name) for state in states}
    active = store.policies.active()
    ailing = [(one.name, one.detail, one.remedy) for one in health.accounts(store) if not one.ok]
    trouble = _table("Trouble with accounts", ("Name", "What", "Remedy"), ailing)
    return "\n".join(
        [
            *([trouble] if ailing else []),
            _table(
                "Connections",
                ("Name", "System", "State", "Leads", "To decide", "To write", "Last poll"),
                [
                    (
                        state.name,
                        state.type,
                        f"paused: {state.paused}" if state.paused else "enabled" if state.enabled else "disabled",
                        counts[state.name].get("leads", 0),
                        counts[state.name].get("undecided", 0),
                        due.get(state.name, 0),
                        _ago(state.last_polled_at, now),
                    )
                    for state in states
                ],
                empty="No connection yet: tierwise connections add NAME --type hubspot",
            ),
            _table(
                "Queue of decisions", ("State", "Leads"), sorted(store.works.waiting().items()), empty="Nothing in it."
            ),
            _table(
                "Waiting for a person",
                ("Kind", "Items"),
                [(kind.replace("_", " "), number) for kind, number in sorted(store.reviews.counts().items())],
                empty="Nothing.",
            ),
            _table(
                "Active policy",
                ("Version", "Digest", "Since"),
                [(active.version, active.digest[:12], _ago(active.at, now))] if active else [],
                empty="None yet: it is published with the first worker.",
            ),
            *_money(store, budgets, now),
        ]
    )


def _money(store: ports.Store, budgets: ports.Budgets, now: datetime) -> list[str]:
    """Nothing where no budget is set."""
    rows = [
        (
            "all connections" if level.scope == ports.ALL else level.scope,
            level.period,
            f"{level.limit / ports.NANO:,.2f} USD",
            f"{level.spent / ports.NANO:,.4f} USD",
            f"spent; resumes {level.resumes_at:%Y-%m-%d %H:%M} UTC" if level.exhausted else "has room",
        )
        for level in store.money.levels(budgets, now=now)
    ]
    if not rows:
        return []
    held, batched = sum(store.works.held().values()), sum(store.batches.waiting().values())
    return [
        _table("Budgets of models", ("Of", "A", "At most", "Spent", "State"), rows),
        f"<p>{held:,} leads wait for money.</p>" if held else "",
        f"<p>{batched:,} leads of a backfill or replay wait for a batch.</p>" if batched else "",
    ]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], *, empty: str = "") -> str:
    name = f"t-{title.lower().replace(' ', '-')}"
    heading = f'<h2 id="{name}">{escape(title)}</h2>'
    if not rows:
        return f"{heading}\n<p>{escape(empty)}</p>"
    heads = "".join(
        f'<th scope="col"{_NUMERIC if isinstance(cell, int) else ""}>{escape(text)}</th>'
        for text, cell in zip(head, rows[0], strict=True)
    )
    body = "\n".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        f'{heading}\n<div class="scroll"><table aria-labelledby="{name}"><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: Cell) -> str:
    if isinstance(value, int):
        return f"<td{_NUMERIC}>{value:,}</td>"
    if value in _MARKS:
        return f'<td class="{_MARKS[value]}">{value}</td>'
    return f"<td>{escape(value)}</td>"


_MARKS = {"OK": "good", "Missing": "bad"}


def _mark(ok: bool) -> str:
    return "OK" if ok else "Missing"


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    seconds = health.age(at, now=now)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
