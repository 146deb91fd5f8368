"""Labels into a verdict: what is shown at any time, and what is proved at the looks that were registered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.domain import ageing, validation, weighted
from tierwise.domain.lead import canonical_json, digest
from tierwise.domain.validation import Registration, Tested, Verdict
from tierwise.ports.automation import Labelled, Sampled, StoredReport

GROUPINGS = ("tier", "connection", "region", "pod", "model", "policy")


class Shown(NamedTuple):
    """Precision and recall of one group of decisions, weighted; None where no label says anything of it."""

    by: str
    """One of GROUPINGS; "" for all."""
    name: str
    figures: weighted.Figures


class Validated(NamedTuple):
    """What is known now, and what the last look said."""

    registration: Registration | None
    key: str | None
    """Digest of the registration."""
    items: int
    """Audit items in positive tiers so far."""
    next_look: int | None
    verdict: Verdict | None
    """Of the newest look that was taken; None before the first."""
    passed: bool
    reasons: tuple[str, ...]
    labels: int
    labels_missing: int | None
    """About how many more labels of automated leads a verdict needs; None: more would not help, or unknown."""
    shown: tuple[Shown, ...]
    report: str | None
    """Digest of the stored report."""
    notes: tuple[str, ...] = ()
    """What else is to be known of the sample: what was erased, which labels grew old."""


def register(store: ports.Store, registration: Registration) -> str:
    """Write down what will be tested; the digest. Misconfigured where a look was taken for this policy and chain."""
    return store.gates.register(registration)


def validate(
    store: ports.Store, *, policy: str, chain: str, now: datetime, by: str, incomplete: bool = False
) -> Validated:
    """Take the look that is due, if one is, and tell what is known. Each look is taken once and stands.

    A look waits until all of its items are labelled, which tells nothing of what the labels say. `incomplete` takes it
    with those there are: the missing ones count against us.
    """
    labelled = store.gates.labelled(policy, chain)
    shown = tuple(_groups(labelled))
    registered = store.gates.registration(policy, chain)
    if registered is None:
        why = "nothing is registered for the policy and models that run: `tierwise validate --register`"
        return Validated(None, None, 0, None, None, False, (why,), len(labelled), None, shown, None)
    key, registration = registered
    store.gates.ask_again(key, now=now)
    items = store.gates.counted(key)
    taken = {report.look for report in store.gates.reports(registration=key, limit=None)}
    waits: tuple[int, int] | None = None
    for look in _due(registration, items=items, taken=taken):
        sample, population = store.gates.sample(key, look=look)
        missing = sum(item.drawn.truth is None and not item.drawn.gone for item in sample)
        if not missing or incomplete or registration.method == "anytime":
            _take(store, registration, key, look=look, sample=sample, population=population, now=now, by=by)
            waits = None
            break
        waits = (look, missing)
    newest = next(iter(store.gates.reports(registration=key, limit=1)), None)
    told = _tell(registration, key, newest=newest, items=items, labels=len(labelled), shown=shown)
    told = told._replace(notes=notes(newest, now=now) if newest is not None else ())
    told = _aged(told, newest, now=now)
    if waits is not None:
        why = f"the look at {waits[0]} audit items waits for {waits[1]} labels of them"
        told = told._replace(next_look=waits[0])
        if not told.passed:
            told = told._replace(reasons=(*(told.reasons if newest else ()), why), labels_missing=waits[1])
    return told


def notes(report: StoredReport, *, now: datetime) -> tuple[str, ...]:
    """What a stored look left out or counted against us, and what has grown old since, in words."""
    body: Mapping[str, Any] = json.loads(report.body)
    erased, measured = body.get("erased", {}), ageing.read(body)
    told = []
    if erased.get("left_out"):
        told.append(f"{erased['left_out']} of {body['items']} audit items were erased unanswered and are left out")
    if erased.get("against"):
        told.append(f"{erased['against']} audit items were erased unanswered: too many, they count against us")
    if measured is not None and (old := measured.old(now)):
        days = measured.registration.most_age_days
        told.append(f"{old} of {measured.labels()} labels are older than {days} days and do not count")
    return tuple(told)


def _aged(told: Validated, newest: StoredReport | None, *, now: datetime) -> Validated:
    """What passed passes as long as enough of its labels are young."""
    measured = ageing.read(json.loads(newest.body)) if newest is not None else None
    if not told.passed or measured is None or not measured.old(now):
        return told
    still = measured.verdict(now)
    return told if still.passed else told._replace(passed=False, reasons=reasons(still))


def _due(registration: Registration, *, items: int, taken: set[int]) -> list[int]:
    """Looks that may be taken now, the largest first; never one below a look that was taken."""
    if registration.method == "anytime":
        look = validation.due(registration, items=items)
        return [look] if look is not None and look not in taken else []
    last = max(taken, default=0)
    return [look for look in reversed(registration.looks) if last < look <= items]


def _take(
    store: ports.Store,
    registration: Registration,
    key: str,
    *,
    look: int,
    sample: Sequence[Sampled],
    population: Sequence[validation.Counted],
    now: datetime,
    by: str,
) -> None:
    drawn = [item.drawn for item in sample]
    measured = ageing.Measured(registration, look, ageing.dated(registration, drawn, population))
    verdict = measured.verdict(now)
    newest = max((item.labelled_at for item in sample if item.labelled_at is not None), default=None)
    kept = len(ageing.answerable(drawn))
    body = {
        "registration": registration.model_dump(mode="json"),
        "look": look,
        "passed": verdict.passed,
        "cut_off": verdict.cut_off,
        "tested": [_plain(tested) for tested in verdict.tested],
        "reasons": list(reasons(verdict)),
        "items": len(sample),
        "labels": sum(item.drawn.truth is not None for item in sample),
        "sample": ageing.plain(measured.cells),
        "erased": {"left_out": len(drawn) - kept, "against": sum(gone for gone, _ in ageing.erased(drawn).values())
                   - (len(drawn) - kept)},
        "newest_label_at": newest.isoformat() if newest else None,
        "at": now.isoformat(),
    }  # fmt: skip
    text = canonical_json(body)
    store.gates.keep(StoredReport(digest(body), key, look, verdict.passed, text, by, now))


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """What did not hold, by cut-off, in words; empty where it passed."""
    if verdict.passed:
        return ()
    return tuple(f"at {tested.cut_off:.0%}: {why}" for tested in verdict.tested for why in tested.why)


def _tell(
    registration: Registration,
    key: str,
    *,
    newest: StoredReport | None,
    items: int,
    labels: int,
    shown: tuple[Shown, ...],
) -> Validated:
    following = next((look for look in registration.looks if look > items), None)
    if registration.method == "anytime":
        following = None
    if newest is None:
        # Between looks nothing is decided: this is the sample as it stands, for whoever plans the labelling.
        why = f"{items} of {following} audit items for the first look"
        waiting = following - items if following is not None else None
        return Validated(registration, key, items, following, None, False, (why,), labels, waiting, shown, None)
    verdict = verdict_of(newest)
    missing = None
    if not verdict.passed and verdict.tested:
        missing = min(
            (
                found
                for tested in verdict.tested
                if (found := validation.labels_missing(registration, tested)) is not None
            ),
            default=None,
        )
    return Validated(
        registration, key, items, following, verdict, verdict.passed, reasons(verdict), labels, missing, shown,
        newest.digest,
    )  # fmt: skip


def verdict_of(report: StoredReport) -> Verdict:
    """The verdict as it was stored."""
    body: Mapping[str, Any] = json.loads(report.body)
    tested = tuple(
        Tested(
            item["cut_off"],
            validation.Bound(**item["precision"]),
            item["recall"],
            item["recall_low"],
            item["passed"],
            tuple(item["why"]),
        )
        for item in body["tested"]
    )
    return Verdict(report.look, tested, body["cut_off"])


def _plain(tested: Tested) -> dict[str, Any]:
    return {**tested._asdict(), "precision": tested.precision._asdict(), "why": list(tested.why)}


def compared(store: ports.Store, by: str) -> tuple[Shown, ...]:
    """Precision and recall by policy, model or whatever, of everything that was ever labelled: for display."""
    return tuple(_groups(store.gates.labelled(), by=(by,)))


def _groups(labelled: Sequence[Labelled], by: Sequence[str] = GROUPINGS[:-1]) -> Iterable[Shown]:
    yield Shown("", "all", weighted.figures(item.seen for item in labelled))
    yield from (shown for one in by for shown in _of(labelled, one))


def _of(labelled: Sequence[Labelled], by: str) -> Iterable[Shown]:
    for name in sorted({item.groups.get(by) or "none" for item in labelled}):
        some = [item.seen for item in labelled if (item.groups.get(by) or "none") == name]
        yield Shown(by, name, weighted.figures(some))
