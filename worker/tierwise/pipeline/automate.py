"""The organisation's own tier field: written beside the advice, for whom a person switched it on and the gate permits.

What stands there is read first and kept, so that it can be put back; a value that a person put in our place stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.domain import rollout
from tierwise.errors import TierwiseError
from tierwise.pipeline.arrivals import text
from tierwise.ports.automation import Automated, AutomationState, Candidate, Intended, Running, Standing
from tierwise.sdk import Connector, Update, Written


class Field(NamedTuple):
    """Where the organisation keeps its tier, and its words for ours."""

    name: str
    values: Mapping[str, str]
    """Our tier -> its value; tiers that are not named are never written."""


class Wrote(NamedTuple):
    """What one pass did."""

    written: int = 0
    already: int = 0
    """It stood there."""
    kept: int = 0
    """A person had changed what we wrote."""
    refused: int = 0
    unsure: int = 0


class Tools(NamedTuple):
    """What a pass works with."""

    store: ports.Store
    connector: Connector
    running: Running
    evaluate: Callable[[Standing | None, rollout.Target], rollout.Answer]
    clock: ports.Clock


def automate(tools: Tools, connection: str, *, field: Field, stop: Callable[[], bool] = lambda: False) -> Wrote:
    """Write what may be written, in the connector's batches. The CRM is asked nothing where nobody is to be written.

    An error of the connector passes through; what had begun is then `unsure`: nobody knows whether it arrived.
    """
    report = Wrote()
    after = 0
    while not stop():
        stands = tools.store.flags.standing(tools.running, now=tools.clock())
        if stands.kill is not None or not stands.gate.green or stands.policy is None:
            break
        page = tools.store.automations.candidates(
            connection,
            policy=stands.policy,
            chain=stands.chain,
            tiers=[tier for tier in stands.gate.positive_tiers if tier in field.values],
            above=stands.gate.cut_off,
            after=after,
            limit=tools.connector.batch_size,
        )
        if not page:
            break
        after = page[-1].decision_id
        chosen = [item for item in page if tools.evaluate(stands, target(item)).on]
        if chosen:
            report = _add(report, _batch(tools, chosen, field))
    return report


def target(candidate: Candidate) -> rollout.Target:
    """Whom the flag is asked about."""
    return rollout.Target(candidate.connection, candidate.decision.route, candidate.company)


def _batch(tools: Tools, chosen: Sequence[Candidate], field: Field) -> Wrote:
    ids = [item.record_id for item in chosen]
    shown = _shown(tools.connector, ids, field.name)
    ours = tools.store.automations.earlier(chosen[0].connection, ids, field=field.name)
    wanted, kept = [], 0
    for item in chosen:
        if item.record_id not in shown:
            continue  # deleted or merged: the next poll tells
        before, after = shown[item.record_id], field.values[item.decision.tier or ""]
        if ours.get(item.record_id, before) == before:
            wanted.append((item, field.name, before, after))
        else:
            kept += 1

    def permitted(stands: Standing, candidate: Candidate) -> bool:
        made = candidate.decision
        # Of what was validated and of nothing else: the policy may have changed since the candidates were read.
        mine = (made.policy, made.chain) == (stands.policy, stands.chain)
        inside = mine and made.tier in stands.gate.positive_tiers
        sure = (made.confidence or 0.0) >= stands.gate.cut_off
        return inside and sure and tools.evaluate(stands, target(candidate)).on

    intended = tools.store.automations.begin(wanted, running=tools.running, permitted=permitted, now=tools.clock())
    return _write(tools.store, tools.connector, intended, tools.clock)._replace(kept=kept)


def _shown(connector: Connector, ids: Sequence[str], field: str) -> dict[str, str | None]:
    return {record.id: text(record.properties.get(field)) for record in connector.read(ids, properties=[field])}


def _write(store: ports.Store, connector: Connector, intended: Sequence[Intended], clock: ports.Clock) -> Wrote:
    already = [item for item in intended if item.before == item.after]
    for item in already:
        _end(store, item, "written", error="", now=clock())
    due = [item for item in intended if item.before != item.after]
    if not due:
        return Wrote(already=len(already))
    try:
        results = send(connector, due)
    except TierwiseError as error:
        for item in due:
            _end(store, item, "unsure", error=str(error), now=clock())
        raise
    states: Mapping[str, AutomationState] = {"written": "written", "refused": "refused", "retry": "unsure"}
    for item, result in zip(due, results, strict=True):
        _end(store, item, states[result.outcome], error=result.error, now=clock())
    outcomes = [result.outcome for result in results]
    return Wrote(
        written=outcomes.count("written"),
        already=len(already),
        refused=outcomes.count("refused"),
        unsure=outcomes.count("retry"),
    )


def _end(store: ports.Store, item: Intended, state: AutomationState, *, error: str, now: datetime) -> None:
    """Unless somebody has read back by now what became of it."""
    store.automations.finish(item.id, state, error=error, was=("begun",), now=now)
    telemetry.count("tierwise_automated_total", connection=item.connection, result=state)


def send(connector: Connector, due: Sequence[Intended]) -> Sequence[Written]:
    """The one place that writes what an organisation owns: the intents are committed, the checks were theirs."""
    return connector.write([Update(item.record_id, {item.field: item.after}, f"auto-{item.id}") for item in due])


def revert(store: ports.Store, connector: Connector, rows: Sequence[Automated], *, clock: ports.Clock) -> Wrote:
    """Put back what stood in each field before, where nobody has touched it since. `rows` are the newest first.

    An error of the connector passes through; what was put back before it stays so, and the next run does the rest.
    """
    report = Wrote()
    for field in dict.fromkeys(row.field for row in rows):
        undone: dict[str, list[Automated]] = {}
        for row in rows:
            if row.field == field:
                undone.setdefault(row.record_id, []).append(row)
        records = list(undone)
        for start in range(0, len(records), connector.batch_size):
            some = {record: undone[record] for record in records[start : start + connector.batch_size]}
            report = _add(report, _put_back(store, connector, some, field=field, clock=clock))
    return report


def _put_back(
    store: ports.Store, connector: Connector, undone: Mapping[str, Sequence[Automated]], *, field: str,
    clock: ports.Clock,
) -> Wrote:  # fmt: skip
    report = Wrote()
    shown = _shown(connector, list(undone), field)
    updates = []
    for record_id, rows in undone.items():
        last, first = rows[0], rows[-1]
        if record_id in shown and shown[record_id] == first.before:
            # Nothing is to be put back. What has only begun may still arrive, so that the next run looks again.
            late = [row for row in rows if row.state == "begun" and row.after != first.before]
            error = "what stood before stands there"
            _settle(store, [row for row in rows if row not in late], "reverted", error=error, now=clock())
            report = _add(report, Wrote(unsure=1) if late else Wrote(already=1))
        elif record_id not in shown or shown[record_id] not in _ours(rows):
            _settle(store, rows, "kept", error="somebody changed it since", now=clock())
            report = report._replace(kept=report.kept + 1)
        else:
            updates.append(Update(record_id, {field: first.before}, f"revert-{last.id}"))
    for update, result in zip(updates, connector.write(updates) if updates else (), strict=True):
        if result.outcome == "written":
            _settle(store, undone[update.record_id], "reverted", error="", now=clock())
        report = _add(
            report,
            Wrote(
                written=result.outcome == "written",
                refused=result.outcome == "refused",
                unsure=result.outcome == "retry",
            ),
        )
    return report


def _ours(rows: Sequence[Automated]) -> set[str]:
    """Values that may stand there because of us: the newest that surely arrived, and later ones that may have."""
    found: set[str] = set()
    for row in rows:
        found.add(row.after)
        if row.state == "written":
            break
    return found


def _settle(
    store: ports.Store, rows: Sequence[Automated], state: AutomationState, *, error: str, now: datetime
) -> None:
    for row in rows:
        store.automations.finish(row.id, state, error=error, was=(row.state,), now=now)


def _add(left: Wrote, right: Wrote) -> Wrote:
    return Wrote(*(a + b for a, b in zip(left, right, strict=True)))
