"""Leads to measure with: those of the labelled corpus that no gate stops, each many times with numbers, a company and a
text of its own, so that a model is asked about every one and no two answers are the same.

What Tierwise does once for leads that are alike shows here as it would with an organisation's own leads, and not more.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from tierwise import content, policies, ports, wiring
from tierwise.domain import decision, rules
from tierwise.domain.identity import identity_key, region
from tierwise.domain.lead import Lead
from tierwise.llm import client, prompt

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from tierwise_fixtures import corpus

NAME = "bench"
PAGE = 200
TEXT = (
    "We run {n} orders a month through two warehouses and look for a system that keeps stock, returns and carriers "
    "in one place. Our current tool cannot split shipments, so people do it by hand every evening. We would like to "
    "see what it costs for a team of {people}, and whether a start next quarter is realistic."
)
"""Behind what the lead wrote: with it a text has some 420 characters, four times as many as in the corpus."""


def lead(number: int) -> Lead:
    """The lead of that number; its text is its own, so that no answer comes from the cache."""
    bases = _bases()
    base = bases[number % len(bases)]
    return _varied(base, number).model_copy(update={"submitted_at": wiring.clock() - timedelta(minutes=5)})


def _varied(base: Mapping[str, Any], number: int) -> Lead:
    people = (base.get("employee_count") or 40) + number % 29
    return Lead(
        email=f"lead{number}@company{number}.example",
        email_kind="business",
        job_title=base.get("job_title"),
        company=f"{base.get('company') or 'Company'} {number}",
        company_domain=f"company{number}.example",
        employee_count=people if "employee_count" in base else None,
        industry=base.get("industry"),
        monthly_volume=float(base["monthly_volume"] + number % 97) if "monthly_volume" in base else None,
        source=base["source"],
        country=base.get("country"),
        region=region(base["country"]) if base.get("country") else None,
        message=f"{base['message']} {TEXT.format(n=1000 + number, people=people)}",
        is_duplicate=False,
    )


@lru_cache(maxsize=1)
def _bases() -> tuple[Mapping[str, Any], ...]:
    """Leads of the corpus, as they are written there."""
    runnable = policies.compile(policies.read(content.find(None)))
    return tuple(
        base
        for base in corpus.leads()
        if base.get("lifecycle") is None and rules.first(decision.gate(runnable, _varied(base, 0))) is None
    )


class Asked:
    """The very prompts that the pump sends, as arguments of litellm's calls."""

    def __init__(self) -> None:
        self._plan = prompt.plan(policies.read(content.find(None)))
        self._rng = random.Random(7)

    def call(self, number: int) -> dict[str, Any]:
        """Keyword arguments of one call."""
        user = prompt.user_message(prompt.shown(lead(number), self._plan.criteria), rng=self._rng)
        return {
            "messages": [{"role": "system", "content": self._plan.system}, user],
            "response_format": client.answer_format(self._plan.schema),
        }


def fill(parts: wiring.Wiring, count: int) -> None:
    """Put that many leads into the database as a poll would."""
    store, now = parts.store, wiring.clock()
    policy = parts.ensure_policy().digest
    store.connections.ensure(NAME, "hubspot", now=now)
    store.connections.enable(NAME, watermark=now - timedelta(days=1), now=now)
    claim = store.cursors.claim(NAME, owner="bench", lease=600, now=now)
    assert claim is not None
    claim = store.cursors.open_window(claim, until=now, now=now)
    for start in range(0, count, PAGE):
        page = [_arrival(number) for number in range(start, min(start + PAGE, count))]
        last = start + PAGE >= count
        store.leads.ingest(
            claim, page, policy=policy, position=None if last else {"at": start}, watermark=now if last else None,
            now=now,
        )  # fmt: skip
    store.cursors.release(claim, next_poll_at=now + timedelta(days=1), error="", now=now)


def _arrival(number: int) -> ports.Arrival:
    made = lead(number)
    return ports.Arrival(
        record_id=str(number + 1),
        modified_at=wiring.clock() - timedelta(minutes=5),
        lead=made,
        fingerprint=made.fingerprint(),
        identity=identity_key(made),
        provenance={},
        problems=(),
        rejected=None,
        own={},
    )
