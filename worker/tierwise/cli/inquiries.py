"""What a backtest asks models: told before it is asked, asked live here or in batches by the workers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from tierwise import policies, wiring
from tierwise.cli import batches, output, session
from tierwise.domain.policy import Policy
from tierwise.pipeline import replay as replaying
from tierwise.ports.backtests import Asking


class Offer(NamedTuple):
    """What asking would come to."""

    decisions: int
    found: replaying.Estimate
    by_batch: bool

    def as_json(self) -> dict[str, Any]:
        """What scripts rely on."""
        return {"decisions": self.decisions, **self.found._asdict(), "batch": self.by_batch}


def offer(parts: wiring.Wiring, policy: Policy, decisions: Collection[int], *, wish: str | None, quiet: bool) -> Offer:
    """Calls and money of what nobody answered about these decisions, told unless `quiet`. Asks nobody."""
    chain = batches.chain(parts, policy, wish=wish)
    leads = (lead for _, lead in parts.store.backtests.leads(decisions))
    known, prices = parts.store.assessments.get, parts.prices
    found = replaying.estimate(leads, policies.compile(policy), chain=chain, known=known, prices=prices)
    by_batch = batches.worth(parts, chain, calls=found.calls, wish=wish)
    if not by_batch:
        found = found._replace(usd_at_least=found.live_usd_at_least, usd_at_most=found.live_usd_at_most)
    if not quiet:
        output.say(f"{len(decisions):,} decisions need a model: {found.calls:,} calls of {chain.primary}")
        output.say(money(found))
        batches.tell(found, chain, by_batch=by_batch)
    return Offer(len(decisions), found, by_batch)


def ask(parts: wiring.Wiring, policy: Policy, decisions: Collection[int], *, offer: Offer, quiet: bool) -> None:
    """Ask it. Live answers are there when this ends; batches are the workers', and take up to a day."""
    by, now = session.actor(parts), wiring.clock()
    # Workers ask what was published: these very files, and not before somebody wants it.
    digest = parts.store.policies.publish(policy, by=by, note="for a backtest", now=now)
    parts.sound(digest)
    parts.store.admin_events.add(
        by, "policy.ask", f"policy {digest}", reason="", now=now,
        after={"decisions": offer.decisions, "calls": offer.found.calls, "batch": offer.by_batch},
    )  # fmt: skip
    parts.store.backtests.ask(digest, decisions, live=not offer.by_batch, now=now)
    if offer.by_batch:
        return
    with output.progress() as bar:
        total = _left(parts, digest)
        task = bar.add_task("asking models", total=total, visible=not quiet)
        try:
            # Until nothing is due; what failed is tried again later, by the workers.
            while any(parts.inquire(digest) or ()):
                bar.update(task, completed=max(0, total - _left(parts, digest)))
        except KeyboardInterrupt:
            output.say(f"workers ask the rest; `tierwise policy backtest {digest[:12]} --cancel` ends that")
            raise


def _left(parts: wiring.Wiring, digest: str) -> int:
    found = waiting(parts, digest)
    return found["decisions"] if found is not None else 0


def money(found: replaying.Estimate) -> str:
    """What it would cost, in words."""
    if found.usd_at_least is None or found.usd_at_most is None:
        return "what it costs is not known: a model's price is unknown (set it in [prices])"
    return f"about {found.usd_at_least:.4f} USD, {found.usd_at_most:.4f} where all went on to the second model"


def cancel(parts: wiring.Wiring, digest: str) -> None:
    """Ask no more for the policy."""
    number = parts.store.backtests.cancel(digest)
    output.say(f"models are asked no more about {number:,} decisions; what a batch has under way is paid, and kept")


def waiting(parts: wiring.Wiring, digest: str) -> dict[str, Any] | None:
    """Decisions that wait for answers under the policy; None where none does."""
    return next((as_json(item) for item in parts.store.backtests.list() if item.policy == digest), None)


def tell(found: dict[str, Any] | None, digest: str) -> None:
    """What is still to come."""
    if found is None:
        return
    why = f" ({found['error']})" if found["error"] else ""
    output.say(
        f"{found['decisions']:,} decisions wait for answers, {found['batched']:,} of them in batches{why}; "
        f"`tierwise policy backtest {digest[:12]}` counts those that are there"
    )


def as_json(item: Asking) -> dict[str, Any]:
    """What scripts rely on."""
    return {**item._asdict(), "error": item.error or None}
