"""From files to what runs: publish, diff, history, show, approve, activate, roll back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import policies, wiring
from tierwise.cli import output, session
from tierwise.cli.policy import directory_of, template_problems
from tierwise.domain import changes
from tierwise.domain.policy import Policy
from tierwise.errors import RejectRecord
from tierwise.wiring import Wiring
from tierwise.wiring.policy import Activated

Which = Annotated[str, typer.Argument(metavar="DIGEST|DIR", help="A published digest or version, or a directory.")]
Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="A published digest (its beginning will do) or version.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (publish, diff, history, show, approve, activate, rollback):
        app.command()(command)


def read(directory: Path, *, shown: str | None = None) -> Policy:
    """The bundle of a directory, checked and tested. RejectRecord names the first problem. `shown`: what people know
    it as, where the directory is no one's."""
    name = shown if shown is not None else str(directory)
    policy, problems = policies.checked(directory, template_check=template_problems)
    if problems or policy is None:
        raise RejectRecord(
            f"{len(problems)} problem(s), the first: {problems[0].message}",
            place=f"{problems[0].file}:{problems[0].line}",
            remedy=f"tierwise policy check {name}",
        )
    failed = [result for result in policies.run_tests(policy) if not result.passed]
    if failed:
        raise RejectRecord(
            f"{len(failed)} tests of the bundle fail, the first: {failed[0].subject}, {failed[0].name}",
            place=name, remedy=f"tierwise policy test {name}",
        )  # fmt: skip
    return policy


def published(parts: Wiring, which: str, *, by: str, note: str) -> str:
    """The digest that is meant; a directory is checked and published first."""
    directory = Path(which)
    if directory.is_dir():
        return parts.store.policies.publish(read(directory), by=by, note=note, now=wiring.clock())
    return parts.store.policies.find(which)


def _policy(parts: Wiring, which: str) -> Policy:
    """A stored bundle, the active one, or the files of a directory, which are only read."""
    if Path(which).is_dir():
        return policies.read(Path(which))
    if which == "active":
        return parts.runnable().policy
    found = parts.store.policies.get(parts.store.policies.find(which))
    assert found is not None
    return found


def _tell(change: changes.ChangeClass, found: tuple[changes.Change, ...]) -> None:
    for item in found:
        output.out.print(f"{'major' if item.major else 'minor'}  {item}", markup=False, soft_wrap=True)
    words = {
        "first": "the first policy",
        "none": "no change",
        "minor": "minor: an ops editor activates it after a green staging run",
        "major": "major: needs approval by two people, of sales and of revops",
    }
    output.say(words[change])


def _as_json(found: tuple[changes.Change, ...]) -> list[dict[str, Any]]:
    return [item._asdict() for item in found]


def publish(
    directory: Annotated[
        Path | None, typer.Argument(help="Holds rules/ and prompts/; default: the configured.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for those who approve it and for the history.")] = "",
    json: output.Json = False,
) -> None:
    """Check, test and store a bundle for good, under its digest. Nothing runs differently yet."""
    policy = read(directory_of(directory))
    with session.opened() as parts:
        by = session.actor(parts)
        running = parts.store.policies.active()
        before = parts.store.policies.get(running.digest) if running is not None else None
        digest = parts.store.policies.publish(policy, by=by, note=note, now=wiring.clock())
    found = changes.compare(before, policy) if before is not None else ()
    change = changes.change_class(before, policy)
    if json:
        output.print_json({"digest": digest, "version": policy.version, "change": change, "changes": _as_json(found)})
        return
    output.out.print(digest, markup=False)
    _tell(change, found)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A digest, a version, a directory, or `active`.")],
    after: Annotated[
        str | None, typer.Argument(metavar="B", help="Another; without one, A is held against what is active.")
    ] = None,
    json: output.Json = False,
) -> None:
    """What differs between two policies, in the words of rules and criteria."""
    with session.opened() as parts:
        first, second = (before, after) if after is not None else ("active", before)
        old, new = _policy(parts, first), _policy(parts, second)
    found, change = changes.compare(old, new), changes.change_class(old, new)
    if json:
        output.print_json({"change": change, "changes": _as_json(found)})
    else:
        _tell(change, found)


def history(limit: Annotated[int, typer.Option(min=1)] = 20, json: output.Json = False) -> None:
    """What ran from when, by whom and why; and what was published."""
    with session.opened() as parts:
        ran = parts.store.policies.history(limit=limit)
        staged = parts.store.policies.active("staging")
        stored = parts.store.policies.versions(limit=limit)
    if json:
        output.print_json(
            {
                "activations": [item._asdict() for item in ran],
                "staging": staged._asdict() if staged is not None else None,
                "published": [item._asdict() for item in stored],
            }
        )
        return
    output.table(
        "What ran",
        ["from", "policy", "version", "how", "change", "by", "why"],
        [[f"{item.at:%Y-%m-%d %H:%M:%S}", item.digest[:12], item.version, item.kind, item.change, item.by, item.note]
         for item in ran],
    )  # fmt: skip
    running = {ran[0].digest: "runs"} if ran else {}
    if staged is not None:
        running.setdefault(staged.digest, "staged")
    output.table(
        "Published",
        ["at", "policy", "version", "change", "author", "note", ""],
        [[f"{item.at:%Y-%m-%d %H:%M:%S}", item.digest[:12], item.version, item.change, item.by, item.note,
          running.get(item.digest, "")] for item in stored],
    )  # fmt: skip


def show(which: Digest, json: output.Json = False) -> None:
    """One published bundle: what it is, what it would change, who approved it, and how its trials went."""
    with session.opened() as parts:
        digest = parts.store.policies.find(which)
        entry = parts.store.policies.published(digest)
        policy = parts.store.policies.get(digest)
        running = parts.store.policies.active()
        before = parts.store.policies.get(running.digest) if running is not None else None
        approvals, trials = parts.store.policies.approvals(digest), parts.store.policies.trials(digest)
        events = parts.store.admin_events.list(subject=f"policy {digest}")
        origin = parts.store.policies.origin(digest)
    assert entry is not None
    assert policy is not None
    found = changes.compare(before, policy) if before is not None else ()
    if json:
        output.print_json(
            {
                **entry._asdict(),
                "origin": origin,
                "against_active": {"change": changes.change_class(before, policy), "changes": _as_json(found)},
                "approvals": [item._asdict() for item in approvals],
                "trials": [item._asdict() for item in trials],
                "events": [item._asdict() for item in events],
                "policy": policy.model_dump(mode="json"),
            }
        )
        return
    output.out.print(f"{entry.digest}\n{entry.name} {entry.version}, by {entry.by}: {entry.note}", markup=False)
    if origin is not None:
        output.say(
            f"from {origin['source']}, commit {origin['commit'] or 'none'}, by {origin['author'] or 'nobody known'}"
        )
    rubric = policy.rubric
    output.table(
        "Criteria",
        ["criterion", "dimension", "weight", "decided by", "levels"],
        [[item.id, item.dimension, item.weight, item.decide,
          ", ".join(f"{level.id} {level.points:g}" for level in item.levels)] for item in rubric.criteria],
    )  # fmt: skip
    output.out.print("tiers: " + ", ".join(f"{tier} from {cut}" for tier, cut in rubric.tiers.items()), markup=False)
    output.table(
        "Rules",
        ["rule", "stage", "outcome", "route", "owner", "when"],
        [[rule.id, rule.stage, rule.outcome, rule.route, rule.owner, rule.when] for rule in policy.every_rule],
    )
    for approval in approvals:
        output.say(f"approved by {approval.by} against {(approval.base or 'nothing')[:12]}: {approval.reason}")
    for trial in trials[:3]:
        how = "green" if trial.passed else "red"
        output.say(f"{trial.kind} run by {trial.by} at {trial.at:%Y-%m-%d %H:%M}: {how} {'; '.join(trial.beyond)}")
    _tell(changes.change_class(before, policy), found)


def approve(
    which: Digest,
    reason: Annotated[str, typer.Option(help="Why it is right; kept for good.")],
    json: output.Json = False,
) -> None:
    """Agree to the step from what runs now to this bundle. Nobody approves what they wrote."""
    with session.opened() as parts:
        digest = parts.store.policies.find(which)
        made = parts.store.policies.approve(digest, by=session.actor(parts), reason=reason, now=wiring.clock())
    if json:
        output.print_json(made._asdict())
    else:
        output.say(f"{made.by} approved {digest[:12]}")


def activate(which: Which, note: Annotated[str, typer.Option(help="Why.")] = "", json: output.Json = False) -> None:
    """Make a bundle run in every worker within five seconds; a directory is checked, tested and published first."""
    with session.opened() as parts:
        by = session.actor(parts)
        made = parts.activate(published(parts, which, by=by, note=note), by=by, note=note)
    _activated(made, json=json)


def rollback(
    to: Annotated[str | None, typer.Option(help="A digest or version that ran before; default: the last.")] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    json: output.Json = False,
) -> None:
    """Go back to what ran before, at once: no file, no approval, nothing but the database."""
    with session.opened() as parts:
        target = parts.store.policies.find(to) if to is not None else None
        made = parts.rollback(by=session.actor(parts), note=note, to=target)
    _activated(made, json=json)


def _activated(made: Activated, *, json: bool) -> None:
    active = made.activation
    if json:
        output.print_json({**active._asdict(), "decided_again": made.again})
        return
    again = f"; {made.again} open leads are decided again, no model is asked" if made.again else ""
    output.say(f"active: {active.version} ({active.digest[:12]}){again}")
