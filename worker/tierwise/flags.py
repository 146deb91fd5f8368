"""For whom automation is on, asked through OpenFeature. Kill switch and gate come first and belong to no provider.

The default provider answers from our own flag; a team's own flag service may take its place for the targeting, through
the setting `flags.provider`, and can only narrow: what it cannot answer is off.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata
from openfeature.provider.no_op_provider import NoOpProvider

from tierwise.domain import rollout
from tierwise.errors import Misconfigured
from tierwise.ports.automation import Standing

DOMAIN = "tierwise"


class Provider(NoOpProvider):
    """Our flag as OpenFeature sees it: rules and share. `current` gives the version to answer from."""

    def __init__(self, current: Callable[[], rollout.Flag | None]) -> None:
        super().__init__()
        self._current = current

    def get_metadata(self) -> Metadata:
        """Its name."""
        return Metadata(name="tierwise")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """On or off for the company, pod and connection of the context."""
        if flag_key != rollout.FLAG or evaluation_context is None:
            return FlagResolutionDetails(default_value, reason=Reason.DEFAULT)
        given = evaluation_context.attributes
        target = rollout.Target(
            str(given.get("connection", "")),
            str(given["route"]) if given.get("route") is not None else None,
            evaluation_context.targeting_key or "",
        )
        answer = rollout.targeted(self._current(), target)
        reason = Reason.SPLIT if answer.why == "share" else Reason.TARGETING_MATCH
        return FlagResolutionDetails(answer.on, variant="on" if answer.on else "off", reason=reason)


class Evaluator:
    """Answers for one process. Thread-safe."""

    def __init__(self, *, kill_file: Path | None, provider: str | None, name: str = DOMAIN) -> None:
        """`provider` is `package.module:factory` of another OpenFeature provider. Misconfigured where it is none."""
        self._kill_file = kill_file
        self._standing: Standing | None = None
        foreign = _load(provider) if provider else None
        self._foreign = foreign is not None
        self._domain = f"{name}-{id(self)}"
        api.set_provider(foreign if foreign is not None else Provider(self._flag), self._domain)
        self._client = api.get_client(self._domain)

    def killed_by_file(self) -> rollout.Kill | None:
        """What the kill file says; it works with the database down. A file that cannot be looked at is set."""
        if self._kill_file is None:
            return None
        try:
            with self._kill_file.open(encoding="utf-8", errors="replace") as file:
                reason = file.readline(200).strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        return rollout.Kill(f"the file {self._kill_file}", reason or "it exists")

    def evaluate(self, standing: Standing | None, target: rollout.Target) -> rollout.Answer:
        """Kill file, kill switch, gate, then the provider. None, for what could not be read in time, is off."""
        kill = self.killed_by_file()
        if kill is not None:
            return rollout.Answer(False, "killed", f"by {kill.by}: {kill.reason}")
        if standing is None:
            return rollout.Answer(False, "stale", "the state of flag and gate is not known")
        ours = rollout.evaluate(standing.flag, target, kill=standing.kill, gate=standing.gate)
        # Another service may choose companies among those for whom a person raised our flag: within its pods and
        # connections, and never raise it itself.
        return self._ask(standing, target, ours) if ours.why == "share" else ours

    def _ask(self, standing: Standing, target: rollout.Target, ours: rollout.Answer) -> rollout.Answer:
        self._standing = standing
        context = EvaluationContext(
            targeting_key=target.company,
            attributes={"connection": target.connection, **({"route": target.route} if target.route else {})},
        )
        details = self._client.get_boolean_details(rollout.FLAG, False, context)
        if not self._foreign:
            # Another thread may have put another state in between: what both say is on.
            return ours._replace(on=bool(details.value) and ours.on)
        if details.error_code is not None:
            return rollout.Answer(False, "off", f"the flag service failed: {details.error_code.value}")
        return rollout.Answer(bool(details.value), "decision", f"flag service: {details.variant or details.reason}")

    def _flag(self) -> rollout.Flag | None:
        return self._standing.flag if self._standing is not None else None


def _load(name: str) -> AbstractProvider:
    module, _, factory = name.partition(":")
    try:
        made = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, TypeError, OpenFeatureError) as error:
        raise Misconfigured(
            f"the flag provider '{name}' cannot be opened: {error}",
            place="flags.provider",
            remedy="package.module:factory, where the factory takes nothing and returns an OpenFeature provider",
        ) from error
    if not isinstance(made, AbstractProvider):
        raise Misconfigured(f"'{name}' returns no OpenFeature provider", place="flags.provider")
    return made
