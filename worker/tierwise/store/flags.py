"""The flag, the kill switch and open alerts; and, in one transaction, everything that automation stands on."""

from __future__ import annotations

import builtins
import json
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import gate, rollout
from tierwise.ports.automation import Alert, FlagVersion, KillChange, Running, Standing
from tierwise.store import activation, admin_events, engine, people, schema

VERSION = schema.flag_version
KILL = schema.kill_switch
ALERT = schema.alert_state
DEPENDS_ON = (
    *("kill_switch", "flag_version", "validation_report", "alert_state"),
    *("policy_activation", "calibration_activation"),
)
"""Tables that must not change between the check and the intent that follows from it."""


class Flags:
    """ports.automation.Flags over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def standing(self, running: Running, *, now: datetime) -> Standing:
        """What automation stands on."""
        return self._database.write(lambda connection: standing(self._database, connection, running, now=now))

    def put(self, flag: rollout.Flag, *, by: str, machine: bool, reason: str, now: datetime) -> FlagVersion:
        """Add a version. Refused where a machine would raise it, or a person may not."""

        def work(connection: sa.Connection) -> FlagVersion | str:
            _hold(self._database, connection, VERSION.name)
            held = current(connection)
            lowers = rollout.lowers(held.flag if held else None, flag)
            why = None
            if machine and not lowers:
                why = "a machine may only lower automation"
            elif not machine:
                why = people.why_not(connection, by, ("admin", "ops") if lowers else ("admin",))
            admin_events.note(
                connection, by, "flags.set", subject=f"flag {rollout.FLAG}", reason=reason, now=now, refused=why,
                before=held.flag.model_dump(mode="json") if held else None, after=flag.model_dump(mode="json"),
            )  # fmt: skip
            if why is not None:
                return why
            row = {
                "key": rollout.FLAG, "body": flag.model_dump(mode="json"),
                "by": by, "machine": machine, "reason": reason, "at": now,
            }  # fmt: skip
            new = connection.execute(sa.insert(VERSION).values(row).returning(VERSION.c.id)).scalar_one()
            return FlagVersion(new, flag, by, machine, reason, now)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place=f"flag {rollout.FLAG}", remedy="an admin raises it")
        return made

    def history(self, *, limit: int = 50) -> builtins.list[FlagVersion]:
        """The newest first."""
        query = sa.select(VERSION).where(VERSION.c.key == rollout.FLAG).order_by(VERSION.c.id.desc()).limit(limit)
        with self._database.read() as reader:
            return [_version(row) for row in reader.execute(query)]

    def kill(self, *, on: bool, by: str, reason: str, now: datetime) -> KillChange:
        """Throw the switch, or take it back."""

        def work(connection: sa.Connection) -> KillChange | str:
            # Whoever reaches the database may stop it; only an admin lets it go on.
            why = None if on else people.why_not(connection, by, ("admin",))
            action = "flags.kill" if on else "flags.unkill"
            admin_events.note(connection, by, action, subject="kill switch", reason=reason, now=now, refused=why)
            if why is not None:
                return why
            row = {"on": on, "by": by, "reason": reason, "at": now}
            new = connection.execute(sa.insert(KILL).values(row).returning(KILL.c.id)).scalar_one()
            return KillChange(new, on, by, reason, now)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place="kill switch", remedy="an admin takes it back")
        return made

    def kills(self, *, limit: int = 50) -> builtins.list[KillChange]:
        """The newest first."""
        query = sa.select(KILL.c.id, KILL.c.on, KILL.c.by, KILL.c.reason, KILL.c.at).order_by(KILL.c.id.desc())
        with self._database.read() as reader:
            return [KillChange._make(row) for row in reader.execute(query.limit(limit))]

    def alert(self, kind: str, scope: str, detail: str, *, now: datetime) -> bool:
        """Open it; False where it is open already."""
        row = {"kind": kind, "scope": scope, "detail": detail, "opened_at": now}
        statement = self._database.insert(ALERT).values(row).on_conflict_do_nothing().returning(ALERT.c.id)
        return self._database.write(lambda connection: connection.execute(statement).first() is not None)

    def close_alert(self, alert_id: int, *, by: str, now: datetime) -> bool:
        """False where it is not open."""
        statement = sa.update(ALERT).where(ALERT.c.id == alert_id, ALERT.c.closed_at.is_(None))
        closed = statement.values(closed_at=now, closed_by=by)
        return self._database.write(lambda connection: connection.execute(closed).rowcount == 1)

    def alerts(self, *, everything: bool = False) -> builtins.list[Alert]:
        """Open ones, or all; the oldest first."""
        with self._database.read() as reader:
            return _alerts(reader, everything=everything)


def standing(database: engine.Database, connection: sa.Connection, running: Running, *, now: datetime) -> Standing:
    """Read under a lock that whoever changes any of it waits for: it holds until the transaction ends."""
    _hold(database, connection, *DEPENDS_ON)
    query = sa.select(KILL.c.on, KILL.c.by, KILL.c.reason).order_by(KILL.c.id.desc()).limit(1)
    switch = connection.execute(query).one_or_none()
    held = current(connection)
    open_alerts = [f"{item.kind} ({item.scope}): {item.detail}" for item in _alerts(connection, everything=False)]
    chain, policy = gate.chain(running.models, _calibration(connection)), _active(connection)
    found = gate.gate(
        _report(connection, policy=policy, chain=chain),
        policy=policy,
        chain=chain,
        offline=running.offline,
        alerts=open_alerts,
        now=now,
    )
    return Standing(
        gate=found,
        chain=chain,
        policy=policy,
        kill=rollout.Kill(switch.by, switch.reason) if switch is not None and switch.on else None,
        flag=held.flag if held else None,
        version=held.id if held else 0,
    )


def current(connection: sa.Connection) -> FlagVersion | None:
    """The flag as it is."""
    query = sa.select(VERSION).where(VERSION.c.key == rollout.FLAG).order_by(VERSION.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _version(row) if row is not None else None


def _hold(database: engine.Database, connection: sa.Connection, *tables: str) -> None:
    """SQLite has one writer at a time already. On PostgreSQL, SHARE waits for who is writing and keeps others out."""
    if not database.is_sqlite:
        mode = "SHARE" if len(tables) > 1 else "SHARE ROW EXCLUSIVE"
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")


def _active(connection: sa.Connection) -> str | None:
    row = activation.running(connection, "production")
    return row.digest if row is not None else None


def _calibration(connection: sa.Connection) -> str | None:
    table = schema.calibration_activation
    return connection.execute(sa.select(table.c.digest).order_by(table.c.id.desc()).limit(1)).scalar_one_or_none()


def _report(connection: sa.Connection, *, policy: str | None, chain: str) -> gate.Report | None:
    """The newest one of what runs; where there is none, the newest of all tells what it is of instead."""
    report, registered = schema.validation_report, schema.registration
    query = (
        sa.select(report.c.digest, report.c.passed, report.c.body, registered.c.policy, registered.c.chain)
        .join(registered, registered.c.digest == report.c.registration)
        .order_by(sa.case((sa.and_(registered.c.policy == policy, registered.c.chain == chain), 0), else_=1))
        .order_by(report.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    body = json.loads(row.body)
    newest = body.get("newest_label_at")
    return gate.Report(
        digest=row.digest,
        policy=row.policy,
        chain=row.chain,
        passed=row.passed,
        cut_off=body.get("cut_off"),
        positive_tiers=tuple(body["registration"]["positive_tiers"]),
        newest_label_at=datetime.fromisoformat(newest) if newest else None,
        most_age_days=int(body["registration"]["most_age_days"]),
        why=tuple(body.get("reasons", ())),
    )


def _alerts(connection: sa.Connection, *, everything: bool) -> builtins.list[Alert]:
    query = sa.select(*(ALERT.c[name] for name in Alert._fields)).order_by(ALERT.c.id)
    if not everything:
        query = query.where(ALERT.c.closed_at.is_(None))
    return [Alert._make(row) for row in connection.execute(query)]


def _version(row: sa.Row[tuple[object, ...]]) -> FlagVersion:
    held = row._mapping
    flag = rollout.Flag.model_validate(held["body"])
    return FlagVersion(held["id"], flag, held["by"], held["machine"], held["reason"], held["at"])
