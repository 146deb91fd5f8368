"""Measuring, and what measurement permits: the audit sample, the validation, and the organisation's own tier field."""

from __future__ import annotations

import functools
import time
from datetime import datetime, timedelta
from typing import Any

from tierwise import flags, ports, telemetry
from tierwise.domain import gate, retreat, rollout, sampling
from tierwise.domain.decision import Decision
from tierwise.domain.lead import digest
from tierwise.domain.policy import Policy
from tierwise.domain.review import KINDS, ReviewKind
from tierwise.domain.validation import Registration
from tierwise.errors import Misconfigured, Refused
from tierwise.pipeline import arrivals, record
from tierwise.pipeline import automate as automating
from tierwise.pipeline import pilot as pilots
from tierwise.pipeline import validate as validation
from tierwise.pipeline import watch as watching
from tierwise.pipeline.cohort import Asked
from tierwise.ports.automation import AutomationState, Running, Standing
from tierwise.sdk import Notice
from tierwise.wiring.passes import Passes

OFFLINE = "offline/rules"
UNDONE: tuple[AutomationState, ...] = ("written", "unsure", "begun", "lost")
"""Writes that `revert` looks at."""
COUNTED_FOR = 60.0
"""Seconds for which it is remembered whether the gate has its count."""


class Automating(Passes):
    """Parts that measure, and write what was measured well enough."""

    def running(self) -> Running:
        """What decides now, apart from the policy."""
        models, given = self.chain(self.runnable().policy), self.settings.model
        how = {"models": models, "samples": given.samples, "decisions": sorted(given.decisions)}
        return Running(digest(how), offline=models[0] == OFFLINE, staging=self.settings.environment != "production")

    def chain_hash(self) -> str:
        """What decides here and now beside the policy; each decision keeps it."""
        made = self._calibration()
        return gate.chain(self.running().models, made.digest() if made is not None else None)

    @functools.cached_property
    def evaluator(self) -> flags.Evaluator:
        """Answers for whom automation is on."""
        return flags.Evaluator(kill_file=self.settings.kill_file, provider=self.settings.flags.provider)

    def standing(self) -> Standing:
        """Gate, kill switch and flag as they are now."""
        self.ensure_policy()  # an empty database gets its first one now, not in the middle of the transaction
        return self.store.flags.standing(self.running(), now=self.clock())

    def audited(self, decision: Decision, policy: Policy) -> ports.AuditDraw | None:
        """Whether people are to look at it whatever it is."""
        given = self.settings.audit
        rates = sampling.Rates(top=given.top, others=given.others, double=given.double)
        return record.drawn(decision, policy, rates=rates, counted=self._has_its_count())

    def _has_its_count(self) -> bool:
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > COUNTED_FOR:
            self._counted = (now, self._count())
        return self._counted[1]

    def _count(self) -> bool:
        found = self.store.gates.registration(self.runnable().digest, self.chain_hash())
        return found is not None and self.store.gates.counted(found[0]) >= max(found[1].looks, default=0)

    def register(
        self, *, cut_offs: tuple[float, ...], looks: tuple[int, ...], anytime: bool, by: str, now: datetime
    ) -> str:
        """Write down what will be tested of what runs now, against the targets of its policy; the digest."""
        runnable, chain = self.runnable(), self.chain_hash()
        targets = runnable.policy.rubric.targets
        try:
            registration = Registration(
                policy=runnable.digest,
                chain=chain,
                positive_tiers=targets.positive_tiers,
                precision=targets.precision,
                recall=targets.recall,
                cut_offs=cut_offs,
                method="anytime" if anytime else "looks",
                looks=looks,
                registered_at=now,
                by=by,
            )
        except ValueError as error:
            wrong = "; ".join(str(item["msg"]) for item in error.errors()) if hasattr(error, "errors") else str(error)
            raise Misconfigured(f"this cannot be registered: {wrong}", place="validate --register") from None
        return validation.register(self.store, registration)

    def validate(self, *, by: str, incomplete: bool = False) -> validation.Validated:
        """Take the look that is due, if one is, and tell what is known; `incomplete`: with the labels there are."""
        policy, chain, now = self.runnable().digest, self.chain_hash(), self.clock()
        return validation.validate(self.store, policy=policy, chain=chain, now=now, by=by, incomplete=incomplete)

    def review_sla(self) -> dict[ReviewKind, timedelta]:
        """Within which the review items of each kind are to be answered."""
        given = self.settings.review_sla
        return {
            kind: timedelta(minutes=given.nonconforming if kind == "schema" else getattr(given, kind)) for kind in KINDS
        }

    def pilot(self, asked: Asked) -> dict[str, Any]:
        """The figures of a period, as JSON keeps them. Misconfigured for a connection that there is not."""
        store, name = self.store, asked.connection
        if name is not None and name not in {state.name for state in store.connections.list()}:
            raise Misconfigured(f"there is no connection {name}", remedy="tierwise connections list")
        words = {key: given.sales_accepted for key, given in self.settings.connections.items() if given.sales_accepted}
        asked = asked._replace(accepted=words)
        start, end = asked.before
        last = min(asked.until, asked.now) - timedelta(microseconds=1)
        bills = [
            entry
            for entry in store.money.entries(since=asked.since.date(), until=last.date())
            if name in (None, entry.connection)
        ]
        unpriced = any(entry.unpriced for entry in bills)
        found = pilots.Found(
            leads=store.pilots.leads(since=asked.since, until=asked.until, connection=name),
            before=store.pilots.leads(since=start, until=end, connection=name),
            items=store.pilots.items(since=asked.since, until=asked.until, connection=name),
            watched=store.pilots.watched(name),
            automated=store.automations.list(connection=name, since=asked.since, limit=None),
            spent_usd=None if unpriced else sum(entry.nano_usd for entry in bills) / ports.NANO,
        )
        house = pilots.House(tuple(self.runnable().policy.rubric.tiers), self.review_sla())
        return pilots.report(found, asked=asked, house=house)

    def tier_field(self, name: str) -> automating.Field | None:
        """Where that connection's organisation keeps its tier; None where automation is not set up."""
        given = self.connection(name)
        return automating.Field(given.tier_field, given.tier_values) if given.tier_field else None

    @property
    def staging(self) -> bool:
        """It tries policies, perhaps on the database of production: what is automated is none of its business."""
        return self.settings.environment != "production"

    def automate(self, name: str) -> automating.Wrote | None:
        """Write the tier field of one connection where it may be; None where nothing may be or is to be written."""
        field = self.tier_field(name)
        if self.staging or field is None or self.evaluator.killed_by_file() is not None:
            return None
        stands = self.standing()
        if stands.kill is not None or not stands.gate.green or stands.flag is None or not stands.flag.percentage:
            return None
        with self.connector(name) as connector, telemetry.bind(connection=name):
            tools = automating.Tools(self.store, connector, self.running(), self.evaluator.evaluate, self.clock)
            return automating.automate(tools, name, field=field, stop=self.stopping.is_set)

    def overrides(self, name: str) -> int:
        """Settle what is in doubt of the writes on one connection, and find what people changed of them; how many."""
        newest = self.settings.flags.window
        if self.staging or not self.store.automations.list(connection=name, limit=1):
            return 0
        with self.connector(name) as connector, telemetry.bind(connection=name):
            arrivals.settle(self.store, connector, connection=name, clock=self.clock)
            return watching.overrides(self.store, connector, connection=name, newest=newest, clock=self.clock)

    def watch(self) -> watching.Ended | None:
        """End automation where too much of it was wrong, and tell people; None where it goes on, or is off."""
        if self.staging:
            return None
        targets, given = self.runnable().policy.rubric.targets, self.settings.flags
        limits = retreat.Limits(precision=targets.precision, overrides=given.overrides, fewest=given.fewest)
        return watching.watch(
            self.store,
            limits=limits,
            positive_tiers=targets.positive_tiers,
            newest=given.window,
            now=self.clock(),
            notice=self._ended,
        )

    def _ended(self, ended: watching.Ended) -> Notice:
        why = "\n".join(reason.detail for reason in ended.why)
        remedy = "Advice goes on. See: tierwise flags alerts; raise it again once that is mended: tierwise flags set"
        title = f"Automation was ended by itself, at {ended.before} % of companies"
        return Notice("automation_ended", "critical", title, f"{why}\n{remedy}", self.clock(), event="automation_ended")

    def revert(self, name: str, *, since: datetime) -> automating.Wrote:
        """Put back what automation overwrote on one connection since then, where nobody has touched it."""
        if self.staging:
            raise Refused(
                "a staging installation changes nothing of production", place="environment",
                remedy="run it where environment is production",
            )  # fmt: skip
        # Of those that ended in doubt some arrived; what stands in the CRM tells which.
        rows = self.store.automations.list(connection=name, since=since, states=UNDONE, limit=None)
        if not rows:
            return automating.Wrote()
        with self.connector(name) as connector, telemetry.bind(connection=name):
            return automating.revert(self.store, connector, rows, clock=self.clock)

    def reverting(self) -> list[str]:
        """Connections on which something may be put back, whatever the settings say of them by now."""
        return sorted({name for name, state in self.store.automations.counts() if state in UNDONE})

    def raise_flag(self, flag: rollout.Flag, *, by: str, reason: str, base: int | None = None) -> list[str]:
        """Set the flag for a person; why it may not be so, in words, and then nothing is changed. `base` is the
        version that they saw."""
        self.ensure_policy()
        made = self.store.flags.change(flag, by=by, reason=reason, running=self.running(), now=self.clock(), base=base)
        return made if isinstance(made, list) else []
