"""The configured models, for people: whether their keys are there, and whether any of them answered.

No key is ever shown, and no model is called to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tierwise import content, policies, store, wiring
from tierwise import settings as configuration
from tierwise.cli import output
from tierwise.domain.decision import Decision
from tierwise.errors import Misconfigured, Unreachable
from tierwise.wiring.automation import OFFLINE

Fell = tuple[str, ...]
"""What failed before a lead was left to the lexicon."""


def check(settings: configuration.Settings) -> str:
    """One line of `doctor`. Misconfigured where a model is unknown or the key of its provider is missing."""
    chain = _chain(settings)
    if chain == (OFFLINE,):
        return f"{OFFLINE}: the lexicon, no language model; needs no key"
    from tierwise.llm import client

    told = []
    for model in chain:
        if model == OFFLINE:
            told.append(f"{model}: needs no key")
            continue
        client.check_model(model)
        missing = client.missing_keys(model)
        if missing:
            raise Misconfigured(
                "the key of its provider is missing", place=model, remedy=f"set {', '.join(missing)} in the environment"
            )
        told.append(f"{model}: no key is missing")
    return "; ".join(told)


def _chain(settings: configuration.Settings) -> tuple[str, ...]:
    """The models of the policy that runs, or would run first: those of the settings come before its own."""
    parts = wiring.Wiring(settings)
    try:
        revision, head = store.current(settings.database_url)
        active = parts.store.policies.active() if revision == head else None
        policy = parts.runnable(active.digest).policy if active else policies.read(content.find(settings.policy_dir))
        return parts.chain(policy)
    finally:
        parts.close()


def fallen(decisions: Iterable[Decision | None]) -> tuple[int, list[Fell]]:
    """How many leads a model was to judge, and of those that were left to the lexicon what failed before."""
    judged = [made for made in decisions if made is not None and (made.fallback or made.assessments)]
    return len(judged), [made.errors for made in judged if made.fallback]


def require_answers(asked: int, fell: Sequence[Fell], *, place: str) -> None:
    """Say how many leads fell back to the lexicon and why. Unreachable where all did: no model answered at all."""
    if not fell:
        return
    said = [error for errors in fell for error in errors]
    # A model that rests after failures tells less than the failure did.
    why = next((error for error in said if "it rests" not in error), next(iter(said), "no answer"))
    if len(fell) < asked:
        output.say(f"{len(fell)} leads fell back to {OFFLINE}, since no model answered: {why}")
        return
    raise Unreachable(
        f"no model answered: all {asked} leads that were to be judged are left to {OFFLINE} and to a person: {why}",
        place=place,
        remedy="tierwise doctor shows the models and whether a key is missing",
    )
