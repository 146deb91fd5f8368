"""What policies cost: a backtest of two versions over stored leads, and rules on one lead."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tierwise import content, policies, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.domain import rules
from tierwise.domain.policy import Policy
from tierwise.domain.rules import Rule

sys.path.append(str(Path(__file__).parent.parent / "fixtures"))
from tierwise_fixtures import decided  # not on the path of whoever runs a bench

LEADS = 10_000


def policy(scale: float) -> dict[str, Any]:
    """Seconds, and CPU seconds of all processes, which do not depend on who else is at work."""
    return {"backtest": _backtest(int(LEADS * scale)), "rules_us_per_lead": _rules(), "check_and_test": _checked()}


def _checked() -> dict[str, Any]:
    """CPU seconds to check and test a bundle of more than 200 rules, with proofs where z3 is installed."""
    with tempfile.TemporaryDirectory() as home:
        directory = Path(home)
        content.lay_out(directory)
        many = "".join(_RULE.format(n=n, at=1000 + 10 * n, end=1010 + 10 * n) for n in range(MANY))
        (directory / "rules" / "many.rules.yaml").write_text(f"owner: revenue-operations\nrules:\n{many}")
        began = time.process_time()
        problems = policies.check(directory)
        checked = time.process_time() - began
        bundle = policies.load(directory).policy
        assert bundle is not None, problems
        began = time.process_time()
        results = policies.run_tests(bundle)
        tested = time.process_time() - began
    return {"rules": len(bundle.rules), "tests": len(results), "check_seconds": checked, "test_seconds": tested,
            "problems": len(problems)}  # fmt: skip


MANY = 170
_RULE = """\
  - id: rule-{n}
    stage: gate
    priority: {at}
    reason: SPAM
    outcome: reject
    when: lead.employee_count >= {at} && lead.employee_count < {end} && lead.email_kind == 'free'
    why: "{{lead.employee_count}} people."
    tests:
      - {{name: typical, lead: {{employee_count: {at}, email_kind: free}}, expect: match}}
      - {{name: edge, lead: {{employee_count: {end}, email_kind: free}}, expect: no_match}}
      - {{name: another mailbox, lead: {{employee_count: {at}, email_kind: business}}, expect: no_match}}
      - {{name: no size, lead: {{email_kind: free}}, expect: unknown}}
"""


def _backtest(leads: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        settings = configuration.Settings(home=Path(home))
        setup.prepare(settings)
        parts = wiring.Wiring(settings)
        try:
            decided.fill(parts, leads)
            stored = parts.runnable().policy
            # Neither version is the one that the leads were decided under: both sides are computed.
            one, other = (_shifted(stored, by) for by in (2, 6))
            base = parts.store.policies.publish(one, by="bench", note="", now=wiring.clock())
            new = parts.store.policies.publish(other, by="bench", note="", now=wiring.clock())
            found = {}
            for name, before in (("two_versions", base), ("against_what_was_stored", None)):
                began, cpu = time.perf_counter(), _cpu()
                told = parts.backtest(other, digest=new, last=leads, before=before)
                found[name] = {
                    "seconds": time.perf_counter() - began, "cpu_seconds": _cpu() - cpu,
                    "replayed": told["replayed"], "flips": told["flips"],
                }  # fmt: skip
        finally:
            parts.close()
    return {"leads": leads, "rules": len(stored.rules), **found}


def _shifted(policy_: Policy, by: int) -> Policy:
    tiers = {name: cut + by if cut else 0 for name, cut in policy_.rubric.tiers.items()}
    return policy_.model_copy(
        update={"rubric": policy_.rubric.model_copy(update={"tiers": tiers}), "version": f"shifted by {by}"}
    )


def _rules() -> dict[str, float]:
    """CPU microseconds of asking so many rules of one stage of a lead, mean over many leads."""
    known = policies.read(content.find(None)).rules
    gates = [rule for rule in known if rule.stage == "gate"]
    leads = [{"lead": decided.lead(number).signals()} for number in range(200)]
    found = {}
    for count in (20, 500):
        some = tuple(_numbered(gates[number % len(gates)], number) for number in range(count))
        runnable = policies.compile(
            policies.read(content.find(None)).model_copy(update={"rules": some, "version": f"{count} rules"})
        )
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            for facts in leads:
                rules.evaluate(some, "gate", predicates=runnable.rules, facts=facts)
            best = min(best, (time.process_time() - began) / len(leads) * 1e6)
        found[str(count)] = best
    return found


def _numbered(rule: Rule, number: int) -> Rule:
    """The rule with a constant of its own, so that no two are compiled to one."""
    return rule.model_copy(
        update={"id": f"rule-{number}", "when": f"({rule.when}) && {number} >= 0", "priority": number, "tests": ()}
    )


def _cpu() -> float:
    """Of this process and of its children that have ended."""
    used = psutil.Process().cpu_times()
    return float(used.user + used.system + used.children_user + used.children_system)
