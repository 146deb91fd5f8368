"""A migrated store on each engine, and a desk that plays the pipeline around it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import ports, store
from tierwise.domain import advice, echo, rollout
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.lead import Lead, digest
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.store import migrations, schema

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
POLICY = digest("policy")


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "tierwise.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _emptied(postgres_server: Any) -> Iterator[sa.Engine]:
    """One database for all tests of a worker: emptying its tables takes milliseconds, a new one takes half a second."""
    made = sa.create_engine(postgres_server.create(postgres_server.template("migrated", migrations.upgrade)))
    yield made
    made.dispose()
    postgres_server.drop(made.url.render_as_string(hide_password=False))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('_migrated'), tmp_path / 'store.db')}"
        return
    emptied: sa.Engine = request.getfixturevalue("_emptied")
    with emptied.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(sa.delete(table))
    yield emptied.url.render_as_string(hide_password=False)


@pytest.fixture
def opened(store_url: str) -> Iterator[store.SqlStore]:
    """The store on it."""
    made = store.open_store(store_url)
    yield made
    made.close()


@pytest.fixture
def desk(opened: store.SqlStore) -> Desk:
    """The pipeline's side, with connection `crm` enabled."""
    made = Desk(opened)
    made.enable()
    return made


@dataclasses.dataclass
class Desk:
    """Does with a store what the pipeline does, in few words. `now` only moves when a test says so."""

    store: store.SqlStore
    now: datetime = START
    crm: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    """What the CRM shows in our fields, by record."""
    batches: int = 0
    name: str = "crm"

    def wait(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def enable(self, name: str | None = None) -> None:
        name = name or self.name
        self.store.connections.ensure(name, "hubspot", now=self.now)
        self.store.connections.enable(name, watermark=START, now=self.now)

    def flag(self, percentage: int, **more: Any) -> int:
        """A version of the flag as if all stages had been climbed; its id."""
        row = {
            "key": rollout.FLAG, "body": rollout.Flag(percentage=percentage, **more).model_dump(mode="json"),
            "by": "ada", "machine": False, "reason": "", "at": self.now,
        }  # fmt: skip
        statement = sa.insert(schema.flag_version).values(row).returning(schema.flag_version.c.id)
        return int(self.store._database.write(lambda connection: connection.execute(statement).scalar_one()))

    def lead(self, **fields: Any) -> Lead:
        return Lead(**{"email": "ada@acme.example", "company": "Acme", "employee_count": 120, **fields})

    def arrival(self, record_id: str, *, own: Any = None, modified_at: datetime | None = None, **fields: Any) -> Any:
        lead = self.lead(**fields)
        return ports.Arrival(
            record_id=record_id,
            modified_at=modified_at or self.now,
            lead=lead,
            fingerprint=lead.fingerprint(),
            identity=digest(lead.email),
            provenance={"email": {"from": "email", "raw": lead.email, "transform": "email", "note": ""}},
            problems=(),
            rejected=None,
            own=self.crm.get(record_id, {}) if own is None else own,
        )

    def misfit(self, record_id: str, *, why: str = "no e-mail", own: Any = None, raw: Any = "") -> Any:
        return self.arrival(record_id, own=own)._replace(
            lead=None, fingerprint=digest([record_id, raw, why]), identity=None, rejected=why, problems=(why,)
        )

    def cursor(self, connection: str | None = None, *, owner: str = "poller", lease: float = 60) -> ports.CursorClaim:
        claim = self.store.cursors.claim(connection or self.name, owner=owner, lease=lease, now=self.now)
        assert claim is not None
        return claim

    def poll(self, *arrivals: Any, connection: str | None = None, policy: str = POLICY) -> ports.Ingested:
        """One window of one page."""
        claim = self.cursor(connection)
        claim = self.store.cursors.open_window(claim, until=self.now, now=self.now)
        done = self.store.leads.ingest(claim, arrivals, policy=policy, position=None, watermark=self.now, now=self.now)
        self.store.cursors.release(claim, next_poll_at=self.now, error="", now=self.now)
        return done

    def claim(self, limit: int = 50, *, owner: str = "w1", lease: float = 60, **kwargs: Any) -> list[ports.Claim]:
        return self.store.works.claim(limit=limit, owner=owner, lease=lease, now=self.now, **kwargs)

    def decision(self, claim: ports.Claim, *, score: int = 80, tier: str = "A", **fields: Any) -> Decision:
        values: dict[str, Any] = {
            "connection": claim.connection,
            "record_id": claim.record_id,
            "fingerprint": claim.fingerprint,
            "policy": claim.policy,
            "policy_version": "1",
            "status": "scored",
            "outcome": "accept",
            "route": "emea",
            "score": score,
            "fit": score,
            "intent": score,
            "tier": tier,
            "confidence": 0.9,
            "reasons": (ReasonGiven(code="BIG", sentence=f"{claim.lead.company} is big", source="criterion:size",
                                    quote="we are many", field="message"),),
            "assessments": (self.assessment(claim.fingerprint),),
            "fields": claim.lead.signals(),
            "decided_at": self.now,
        }  # fmt: skip
        return Decision(**{**values, **fields})

    def assessment(self, key: str, *, cached: bool = False) -> Assessment:
        verdict = Verdict(criterion="size", level="big", probability=0.9, decided_by="m", quote="we are many")
        return Assessment(model="m", verdicts=(verdict,), content_hash=digest(key), cost_usd=0.001, cached=cached)

    def advice(self, decision: Decision) -> dict[str, Any]:
        return {
            **dict.fromkeys(advice.WRITTEN),
            "tierwise_score": decision.score,
            "tierwise_tier": decision.tier,
            "tierwise_status": decision.status,
            "tierwise_reason_codes": decision.reason_codes,
            "tierwise_fingerprint": decision.fingerprint,
            "tierwise_scored_at": decision.decided_at.isoformat(),
        }

    def finished(self, claim: ports.Claim, *, review: Any = None, **fields: Any) -> ports.Finished:
        decision = self.decision(claim, **fields)
        return ports.Finished(claim, decision, self.advice(decision), review)

    def commit(self, claims: Sequence[ports.Claim], *, review: Any = None, **fields: Any) -> ports.Committed:
        finished = [self.finished(claim, review=review, **fields) for claim in claims]
        return self.store.decisions.commit(finished, now=self.now)

    def decide(self, *arrivals: Any, **fields: Any) -> ports.Committed:
        """Poll, claim and commit."""
        self.poll(*arrivals)
        return self.commit(self.claim(), **fields)

    def outgoing(self, *, limit: int = 100, owner: str = "b1", lease: float = 60) -> list[ports.Outgoing]:
        return self.store.outbox.claim(self.name, limit=limit, owner=owner, lease=lease, now=self.now)

    def batch(self) -> str:
        self.batches += 1
        return f"batch-{self.batches}"

    def changes(self, row: ports.Outgoing) -> dict[str, Any]:
        return echo.changes(desired=row.desired, known=row.known, kept=row.kept)

    def apply(self, record_id: str, values: Any) -> None:
        """The CRM takes a write."""
        self.crm.setdefault(record_id, {}).update(values)

    def sent(self, row: ports.Outgoing, values: Any, **more: Any) -> ports.Settled:
        return ports.Settled(row, "sent", sent=values, **more)

    def send(self, *, outcome: Any = "sent", **settled: Any) -> int:
        """Claim, intend, write and settle; how many rows were written."""
        written = 0
        rows = self.outgoing()
        batch = self.batch()
        plan = {row.outbox_id: (row, self.changes(row)) for row in rows}
        full = [item for item in plan.values() if item[1]]
        standing = self.store.outbox.intend(full, batch=batch, now=self.now)
        results = [ports.Settled(row, "unchanged") for row, values in plan.values() if not values]
        for row, values in full:
            if row.outbox_id not in standing:
                continue
            if outcome == "sent":
                self.apply(row.record_id, values)
                written += 1
            results.append(ports.Settled(row, outcome, sent=values, **settled))
        self.store.outbox.settle(results, batch=batch, now=self.now)
        return written
